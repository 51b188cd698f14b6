"""What does one type to see without the Explorer what it shows? A whole program, from the model on,
for whoever wants to go on from there.
"""

from pathlib import Path

from .session import Wish, things_named


def program(wish: Wish) -> str:
    """Lines of Python that draw the figure of a wish.

    What no line can make again, a module in memory or an upload, is `...` and a comment that says
    what belongs there.
    """
    line, image = wish.pictured
    return "\n".join(
        [
            "import clipxai as cx",
            "",
            f"model = {_model(wish)}",
            line,
            f"trace = cx.record(model, {image}, {list(wish.texts)!r})",
            f"cx.show({_shown(wish)})",
        ]
    )


def _model(wish: Wish) -> str:
    source = wish.model.provenance.get("source", "")
    if source == "embedded":
        return "cx.load()"
    if source and Path(source).exists():
        return f"cx.load({source!r})"
    return f"...  # {wish.model.name}, as it was given to the Explorer"


def _shown(wish: Wish) -> str:
    if wish.view != "methods" or wish.sure is not None:
        return wish.code
    beside = f"cx.explain({wish.silence.code}, {wish.beside!r})"
    maps = [beside, wish.code] if wish.beside else [wish.code]
    maps = list(dict.fromkeys(maps))
    truth = {
        text: " | ".join(f"scene.mask({name!r})" for name in names)
        for text in wish.texts
        if (names := things_named(text, wish.masks))
    }
    masks = ", ".join(f"{text!r}: {mask}" for text, mask in truth.items())
    told = f",\n    mask={{{masks}}}" if masks else ""
    listed = ", ".join(maps)
    return f"cx.view.MethodComparison(\n    [{listed}]{told},\n)"
