"""Does a figure look the same whatever its reader has told matplotlib?

The right picture is what a fresh process, without a style, draws.
"""

import os
import subprocess
import sys
from functools import cache
from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from attention_examples import attention_example
from inside_examples import (
    contributions,
    effects,
    head_contributions,
    token_scores,
    traced,
    word_relevance,
)
from matplotlib import pyplot, style
from overview_examples import overview
from surgery_examples import surgery_steps
from view_examples import MASKS, SCENE, contrast, example

import clipxai as cx
from clipxai.view import VIEWERS, MethodComparison, figure
from clipxai.view.scales import colour_table

SEGMENTED = cx.segment(example("clip"), threshold=0.5, of="map")
SHOWN = {
    "maps": [example("clip"), example("gem")],
    "attention": attention_example(),
    "modules": contributions(),
    "heads": head_contributions(),
    "overview": overview(),
    "surgery": surgery_steps(),
    "words": token_scores(),
    "relevance": word_relevance(),
    "contrast": contrast(),
    "effects": effects(),
    "tracing": traced(),
    "regions": SEGMENTED,
}
TASTES = {
    "upside down": {"image.origin": "lower", "image.interpolation": "nearest", "image.lut": 9},
    "tex": {"text.usetex": True, "text.parse_math": True},
    "saved": {
        "savefig.bbox": "tight",
        "savefig.pad_inches": 3,
        "savefig.dpi": 17,
        "savefig.facecolor": "green",
        "savefig.transparent": True,
        "savefig.format": "pdf",
        "svg.fonttype": "none",
        "svg.hashsalt": "another",
        "pdf.fonttype": 42,
        "pdf.compression": 0,
    },
    "letters": {
        "font.size": 30,
        "font.family": "serif",
        "font.weight": "bold",
        "font.style": "italic",
        "text.color": "red",
        "text.hinting": "none",
        "text.antialiased": False,
        "axes.labelsize": 30,
        "axes.titlesize": 30,
    },
    "lines": {
        "hatch.color": "red",
        "hatch.linewidth": 9,
        "lines.linewidth": 9,
        "patch.linewidth": 9,
        "patch.force_edgecolor": True,
        "axes.grid": True,
        "axes.facecolor": "blue",
        "axes.xmargin": 0.4,
        "axes.formatter.use_locale": True,
        "figure.autolayout": True,
        "figure.dpi": 31,
        "figure.subplot.left": 0.4,
        "path.simplify": False,
        "path.sketch": (5, 100, 2),
    },
}


EVERYTHING = {key: value for taste in TASTES.values() for key, value in taste.items()}


@cache
def written(name: str, suffix: str, settings: str = "") -> bytes:
    """A picture, few pixels a letter: what differs is seen all the same, and faster."""
    drawn, file = cx.show(SHOWN[name]).figure(), BytesIO()
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(suffix)
    drawn.savefig(file, format=suffix, dpi=40, metadata=undated)
    return file.getvalue()


def test_every_viewer_is_tried():
    """A list of maps and a contrast are explanations, which have two viewers."""
    assert {type(what) for what in SHOWN.values()} - {list, cx.Explanation} == {*VIEWERS}


@pytest.mark.parametrize(
    ("name", "taste"),
    [*((name, "everything") for name in SHOWN), *(("maps", taste) for taste in TASTES)],
)
def test_a_picture_is_the_same_under_any_settings(name: str, taste: str):
    plain = written(name, "png")
    with matplotlib.rc_context(TASTES.get(taste, EVERYTHING)):
        settings, open_figures = dict(matplotlib.rcParams), pyplot.get_fignums()
        assert written(name, "png", taste) == plain
        assert dict(matplotlib.rcParams) == settings, "the reader's settings were changed"
        assert pyplot.get_fignums() == open_figures


@pytest.mark.parametrize("look", ["dark_background", "ggplot", "xkcd"])
def test_a_picture_is_the_same_in_every_style(look: str):
    plain = written("maps", "png")
    with matplotlib.rc_context():
        pyplot.xkcd() if look == "xkcd" else style.use(look)
        assert written("maps", "png", look) == plain


@pytest.mark.parametrize("suffix", ["svg", "pdf"])
@pytest.mark.parametrize("name", ["maps", "modules"])
def test_files_for_print_are_the_same_to_the_last_byte(name: str, suffix: str):
    plain = written(name, suffix)
    with matplotlib.rc_context(EVERYTHING):
        assert written(name, suffix, "everything") == plain


def test_what_is_saved_is_the_same_to_the_last_byte(tmp_path: Path):
    plain = cx.save(SEGMENTED, tmp_path / "plain.svg").read_bytes()
    with matplotlib.rc_context(EVERYTHING):
        assert cx.save(SEGMENTED, tmp_path / "own.svg").read_bytes() == plain


def test_posters_and_figures_of_ones_own_are_the_same(tmp_path: Path):
    def by_hand() -> tuple[bytes, bytes]:
        viewer = MethodComparison(SHOWN["maps"], mask=MASKS)
        figure(SHOWN["maps"], mask=SCENE.mask("owl")).savefig(tmp_path / "own.png")
        return viewer.poster(), (tmp_path / "own.png").read_bytes()

    plain = by_hand()
    with matplotlib.rc_context(EVERYTHING):
        assert by_hand() == plain


def test_settings_come_back_when_drawing_fails():
    with matplotlib.rc_context({"font.size": 31}):
        with pytest.raises(ValueError, match="alpha"):
            figure(example(), alpha=7)
        assert matplotlib.rcParams["font.size"] == 31


def test_a_settings_file_in_the_working_folder_is_not_obeyed(tmp_path: Path):
    """Read while matplotlib is imported, so only a fresh process shows it."""
    example().to_npz(tmp_path / "maps.npz")
    code = (
        "import clipxai as cx; from clipxai.view.scales import colour_table; "
        "e = cx.Explanation.from_npz('maps.npz'); cx.save(e, 'own.png'); cx.save(e, 'own.svg'); "
        "colour_table('RdBu_r').tofile('table')"
    )
    lines = "image.origin: lower\nimage.lut: 16\nsavefig.dpi: 20\nbackend: pdf\nfont.size: 30\n"
    (tmp_path / "matplotlibrc").write_text(lines)
    environment = os.environ | {"PYTHONPATH": str(Path(cx.__file__).parents[1])}
    subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120, env=environment
    )
    for suffix in (".png", ".svg"):
        here = cx.save(example(), tmp_path / f"here{suffix}").read_bytes()
        assert (tmp_path / f"own{suffix}").read_bytes() == here
    table = np.fromfile(tmp_path / "table", np.uint8).reshape(256, 3)
    np.testing.assert_array_equal(table, colour_table("RdBu_r"))
