"""Does a link in the prose set the figure that it is about?"""

from collections.abc import Callable

import clipxai as cx
from clipxai.view import LayerAttentionViewer, MethodComparison, link


def test_prose_sets_the_nearest_figure_that_can_show_it(visit: Callable, trace: cx.Trace):
    maps = [cx.explain(trace, name) for name in ("clip", "clip_surgery")]
    figures = [LayerAttentionViewer(cx.attention_maps(trace)), MethodComparison(maps)]
    asked = {
        "layer": {"layer": 2, "smooth": True},
        "threshold": {"threshold": 0.25},
        "nothing": {"layer": 99},
        "half": {"layer": 1, "threshold": 0.5},
    }
    prose = "".join(f'<a href="{_address(link(n, **of))}">{n}</a> ' for n, of in asked.items())
    inside = [figure._repr_mimebundle_()["text/html"] for figure in figures]
    page = visit(f"<!doctype html><body>{inside[0]}{inside[1]}<p>{prose}</p></body>")
    attention, comparison = (page.locator(f".clipxai-figure >> nth={n}") for n in (0, 1))
    comparison.locator(".stage").wait_for()
    smooth = [figure.get_by_label("smooth") for figure in (attention, comparison)]
    before = [box.is_checked() for box in smooth]
    first = told_by(attention)

    words = page.get_by_role("link", name="layer")
    words.click()
    attention.get_by_text("layer 2 ·").first.wait_for()
    second = told_by(attention)
    assert second != first and [box.is_checked() for box in smooth] == [True, before[1]]
    for name in ("nothing", "half"):  # no figure knows all of it
        words = page.get_by_role("link", name=name)
        words.click()
        assert words.get_attribute("aria-disabled") is not None
        assert told_by(attention) == second
    words = page.get_by_role("link", name="threshold")
    words.click()
    assert words.get_attribute("aria-disabled") is None and "#" not in page.url


def told_by(figure: object) -> str:
    """All that it says, the layer too."""
    return figure.locator(".figure").inner_text()


def _address(markdown: str) -> str:
    return markdown.partition("(")[2].removesuffix(")").replace("&", "&amp;")
