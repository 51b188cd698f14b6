"""A chart in the page's own colours: what was black is the page's ink, all else stays."""

import re

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image

from clipxai.view import still


def chart():
    figure, axes = plt.subplots(1, 2, figsize=(5, 2))
    axes[0].plot([1, 2], [2, 1], color="#3b6fb6", label="a < b")
    axes[0].set(xlabel="blocks", title="$x_1$")
    axes[0].legend(frameon=False)
    axes[1].imshow(np.zeros((2, 2)))
    return figure


def test_ink_is_the_pages_and_the_ground_open():
    figure = chart()
    grounds = figure.patch.get_visible(), figure.axes[0].patch.get_visible()
    shown = still(figure)
    assert repr(shown) == "<a chart of 2 panels, in the page's colours>"
    assert shown.svg.startswith('<svg role="img" fill="currentColor"')
    assert 'aria-label="chart; $x_1$, blocks"' in shown.svg
    colours = set(re.findall(r"(?:fill|stroke): (#\w+)", shown.svg))
    assert "#3b6fb6" in colours and not colours & {"#000000", "#ffffff"}
    assert "stroke: currentColor" in shown.svg
    assert "<metadata" not in shown.svg and "<?xml" not in shown.svg and "<!" not in shown.svg
    assert (figure.patch.get_visible(), figure.axes[0].patch.get_visible()) == grounds
    assert not plt.fignum_exists(figure.number), "or a notebook shows it twice"


def test_a_legend_and_a_panel_within_a_panel_stand_on_the_page():
    """Light ink on a white ground could not be read; what an axis says is no ink."""
    figure = chart()
    figure.axes[0].legend()
    figure.axes[0].inset_axes([0.5, 0.5, 0.4, 0.4])
    figure.axes[1].set_xlabel("black: #000000")
    frame = figure.axes[0].get_legend().get_frame()
    before = frame.get_facecolor()
    shown = still(figure)
    assert "#ffffff" not in shown.svg and "black: #000000" in shown.svg
    assert frame.get_facecolor() == before and before[:3] == (1, 1, 1)


def test_who_takes_away_drawings_and_styles_leaves_the_picture():
    """As JupyterLab's sanitizer: tags go and their words stay, but for those of styles."""
    figure = chart()
    figure.axes[0].set_ylabel('"<b>')
    found = still(figure)._repr_html_()
    assert "<style>.clipxai-still > img { display: none }</style><img" in found
    unstyled = re.sub("<style.*?</style>", "", found, flags=re.DOTALL)
    assert re.sub("<[^>]*>", "", unstyled).strip() == ""
    assert 'alt="chart; $x_1$, &quot;&lt;b&gt;, blocks"' in unstyled


def test_the_same_figure_is_the_same_text_and_a_picture_besides(tmp_path):
    one, other = still(chart()), still(chart())
    assert one.svg == other.svg
    (tmp_path / "chart.png").write_bytes(one._repr_png_())
    with Image.open(tmp_path / "chart.png") as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (255, 255, 255)


def test_what_is_no_figure_is_refused():
    with pytest.raises(TypeError, match="expected a figure of matplotlib, got 3"):
        still(3)
