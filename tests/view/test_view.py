"""Can a figure be shown and saved everywhere, and is what a stranger typed harmless there?"""

import base64
import json
import re
import subprocess
import sys
import types
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure
from view_examples import HOSTILE, MASKS, TEXTS, cropped, example

from clipxai.results.explanation import Explanation
from clipxai.view import MethodComparison, save, show
from clipxai.view.html import escape, fragment, page, stylesheet
from clipxai.view.payload import unpack
from clipxai.view.scales import colour_table


def data_of(text: str) -> dict:
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    return json.loads(found)


def texts_in(text: str) -> list[str]:
    """The texts that the chips of a comparison choose."""
    every, *each = data_of(text)["payload"]["header"]["layouts"]
    assert every["text"] is None
    return [layout["text"] for layout in each]


def test_payload_holds_the_exact_scores_and_matplotlibs_colours():
    a, b = example("clip"), example("gem", grid=7)
    arrays = unpack(MethodComparison([a, b]).payload())
    np.testing.assert_array_equal(arrays["maps0"].reshape(2, 14, 14), a.scores)
    np.testing.assert_array_equal(arrays["maps1"].reshape(2, 7, 7), b.scores)
    np.testing.assert_array_equal(arrays["viridis"], colour_table("viridis"))


def test_figure_is_small_and_a_tight_budget_is_declared():
    methods = [example(name) for name in ("clip", "clip_surgery", "gem")]
    bundle = MethodComparison(methods, mask=MASKS)._repr_mimebundle_()
    assert sum(map(len, bundle.values())) < 1_500_000
    whole = MethodComparison(methods).payload()
    tight = MethodComparison(methods, budget=whole.size - 2000).payload()
    assert whole.header["dropped"] == [] and "rounded" in tight.header["dropped"][0]
    np.testing.assert_allclose(unpack(tight)["maps0"], unpack(whole)["maps0"], atol=1e-5)
    with pytest.raises(ValueError, match="budget is 500"):
        MethodComparison(methods, budget=500).payload()


def test_page_needs_nothing_and_has_no_ids():
    text = page(MethodComparison([example("clip"), example("gem")], mask=MASKS))
    assert not re.search(
        r"https?://(?!www\.w3\.org/2000/svg)|//cdn|\bid=|getElementById|eval\(|new Function|"
        r"fetch\(|(?<!\{)import\(",
        text,
    )
    assert re.findall(r"^(?:import|export)\b.*", text, re.MULTILINE) == []


def test_what_a_stranger_typed_never_becomes_markup():
    text = page(MethodComparison(example(texts=(HOSTILE, "<b>&amp;"))))
    assert "<img src=x" not in text and "<b>&amp;" not in text
    assert texts_in(text) == [HOSTILE, "<b>&amp;"]
    assert text.count("</script>") == 2  # the data's and the program's own


def test_odd_letters_survive():
    odd = ("日本語 🦉", "line\u2028separator", "half a pair \ud83e")
    text = page(MethodComparison(example(texts=odd)))
    assert texts_in(text) == list(odd)
    assert fragment(MethodComparison(example(texts=odd))).isascii()
    assert "<" not in escape({"a": "<&>"})


def test_bundle_holds_page_poster_and_words():
    bundle = MethodComparison(example())._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    inside = re.search(r'src="data:image/webp;base64,([^"]+)"', bundle["text/html"])[1]
    a, b = (
        cv2.imdecode(np.frombuffer(base64.b64decode(text), np.uint8), cv2.IMREAD_COLOR)
        for text in (inside, bundle["image/png"])
    )
    # the one beside the page may be less fine
    a, b = (cv2.resize(one, (100, 55), interpolation=cv2.INTER_AREA).astype(int) for one in (a, b))
    assert np.abs(a - b).mean() < 3
    assert bundle["text/plain"] == "Where clip_surgery sees 'an owl', 'a clock'"


def test_many_texts_begin_with_the_first():
    many = MethodComparison(example(texts=tuple(f"thing {n}" for n in range(12))))
    assert many.payload().header["text"] == "thing 0"
    # image, map, colour bar
    assert len([area for area in many.first_state().axes if area.images]) == 3
    assert many.summary.endswith("'thing 3' and 8 more")
    assert MethodComparison(example()).payload().header["text"] is None


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [
        (".html", b"<!doctype html>"),
        (".png", b"\x89PNG"),
        (".svg", b"<?xml"),
        (".pdf", b"%PDF"),
        (".PNG", b"\x89PNG"),
    ],
)
def test_suffix_decides_the_format(tmp_path: Path, suffix: str, begins: bytes):
    path = save(example(), tmp_path / f"maps{suffix}")
    assert path.read_bytes().startswith(begins)
    assert [p.name for p in tmp_path.iterdir()] == [f"maps{suffix}"], "a draft was left"


def test_npz_returns_the_numbers(tmp_path: Path):
    e = cropped()
    np.testing.assert_array_equal(
        Explanation.from_npz(save(e, tmp_path / "e.npz")).scores, e.scores
    )
    with pytest.raises(ValueError, match="one Explanation"):
        save([e, e], tmp_path / "two.npz")


def test_failures_are_explained_and_leave_the_old_file(tmp_path: Path):
    with pytest.raises(ValueError, match=r"choose one of .html .png .svg .pdf .npz"):
        save(example(), tmp_path / "maps.jpg")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        save(example(), tmp_path / "nowhere" / "maps.png")
    (tmp_path / "old.html").write_text("old")
    with pytest.raises(ValueError, match="budget"):
        MethodComparison(example(), budget=10).save(tmp_path / "old.html")
    assert (tmp_path / "old.html").read_text() == "old"


def test_poster_is_the_first_state(tmp_path: Path):
    viewer = MethodComparison(example())
    poster = cv2.imdecode(np.frombuffer(viewer.poster(), np.uint8), cv2.IMREAD_COLOR)
    expected = viewer.figure().get_size_inches() * 100
    np.testing.assert_allclose(poster.shape[1::-1], expected, atol=1)


def test_a_notebook_gets_both_posters_of_one_drawing(monkeypatch: pytest.MonkeyPatch):
    viewer, drawn = MethodComparison(example()), []
    png, webp = (base64.b64encode(viewer.poster(kind)).decode() for kind in ("png", "webp"))
    draw = viewer.first_state
    monkeypatch.setattr(viewer, "first_state", lambda: drawn.append(draw()) or drawn[-1])
    bundle = viewer._repr_mimebundle_()
    assert len(drawn) == 1 and bundle["image/png"] == png and webp in bundle["text/html"]


def test_show_returns_the_viewer_outside_a_notebook():
    viewer = show([example("clip"), example("gem")])
    assert isinstance(viewer, MethodComparison) and viewer.texts == TEXTS
    assert show(viewer) is viewer


def test_show_in_a_notebook_displays_once(monkeypatch: pytest.MonkeyPatch):
    shown: list[object] = []
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=shown.append))
    assert show(example()) is None, "a returned viewer would be displayed a second time"
    assert [type(viewer) for viewer in shown] == [MethodComparison]


def test_import_is_light():
    code = (
        "import sys, time, numpy; start = time.process_time(); import clipxai.view; took = "
        "time.process_time() - start\n"
        "print([m for m in ('torch', 'matplotlib', 'cv2', 'IPython') if m in sys.modules], took)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.rsplit(" ", 1)
        for _ in range(3)
    ]
    assert {found for found, _ in runs} == {"[]"}
    # processor time of the fastest: a busy machine makes all of them wait
    assert min(float(took) for _, took in runs) < 0.15


def test_style_speaks_only_inside_the_shadow_root():
    assert ":host" in stylesheet() and "http" not in stylesheet()
    assert "<style" not in fragment(MethodComparison(example()))


def test_a_figure_that_no_format_holds_is_drawn_coarser(tmp_path, monkeypatch):
    viewer, tall = MethodComparison(example()), Figure(figsize=(0.2, 400))
    monkeypatch.setattr(type(viewer), "first_state", lambda self: tall)
    monkeypatch.setattr(type(viewer), "figure", lambda self: tall)
    assert (
        cv2.imdecode(np.frombuffer(viewer.poster(), np.uint8), cv2.IMREAD_COLOR).shape[0] <= 16_383
    ), "a WebP's longest side"
    assert cv2.imread(str(viewer.save(tmp_path / "tall.png"))).shape[0] < 1 << 16, (
        "what matplotlib draws at most"
    )


def test_a_large_photo_is_drawn_from_few_of_its_pixels():
    """Matplotlib makes floats of all that it is given; the axes count the photo's pixels."""
    large, small = (
        replace(e := example(), image=image, grid=replace(e.grid, image_size=image.shape[:2]))
        for image in (np.kron(example().image, np.ones((40, 40, 1), np.uint8)), example().image)
    )
    H, W = large.image.shape[:2]
    assert max(H, W) > 2048
    areas = [one for one in MethodComparison(large).figure().axes if one.images]
    assert max(max(one.images[0].get_array().shape) for one in areas) == 2048
    assert [*areas[0].images[0].get_extent()] == [0, W, H, 0]
    expected = cv2.resize(small.image, (64, 64), interpolation=cv2.INTER_AREA)
    drawn = cv2.resize(areas[0].images[0].get_array(), (64, 64), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(drawn.astype(float), expected, atol=3)
