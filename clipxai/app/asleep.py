"""What does somebody see who opens the notebook without a kernel? A figure and a sentence, which
hide while the widgets are awake.
"""

ASLEEP = (
    "This explorer is asleep because no kernel is running it. Below is the figure that was kept; "
    "run the cell to wake it."
)


def asleep(figure: dict[str, str], mark: str) -> dict[str, str]:
    """The figure's mime bundle, its HTML wrapped.

    Parameters
    ----------
    figure : mime type -> content
    mark : CSS class of the living widgets: where they are, the copy is hidden
    """
    copy = f".{mark}-asleep"
    # where JupyterLab complains of the lost widget
    lost = f".jp-OutputArea-child:has(+ * {copy}) > .jupyter-widgets:not(:has(*))"
    awake = f"<style>body:has(.{mark}) {copy}, {lost} {{ display: none; }}</style>"
    page = f'<div class="{mark}-asleep">{awake}<p><em>{ASLEEP}</em></p>{figure["text/html"]}</div>'
    return {**figure, "text/html": page}
