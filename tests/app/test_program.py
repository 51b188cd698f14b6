"""Does the program that the Explorer gives away show what the Explorer shows?"""

from pathlib import Path

import numpy as np
import pytest

import clipxai as cx
from clipxai.app.views import VIEWS


def run(code):
    """What `cx.show` of a program shows."""
    told = {}
    exec(code.replace("cx.show(", "shown = cx.show("), told)
    return told["shown"], told


def test_the_program_draws_the_same_figure(embedded):
    with cx.Explorer(embedded) as explorer:
        c = explorer.controls
        c.scene.things = [{"name": "owl", "y": 0.4, "x": 0.3, "side": 0.4}]
        c.texts.value = "an owl\na <b>car</b>"
        c.blocks.value, c.background.value = 3, "snow"
        c.silencer.off = {"heads": [[6, 3]]}
        viewer, told = run(explorer.code)
        for ours, theirs in zip(viewer.explanations, explorer.viewer.explanations, strict=True):
            np.testing.assert_array_equal(ours.scores, theirs.scores)
        np.testing.assert_array_equal(told["scene"].image, explorer.trace.images[0])
        assert viewer.payload().header["layouts"] == explorer.viewer.payload().header["layouts"]


def test_of_every_view(embedded):
    """To the last number; but for the truth of modules, for which there is no line."""
    with cx.Explorer(embedded) as explorer:
        c, seen = explorer.controls, set()
        c.silencer.off, c.method.value = {"heads": [[6, 3]]}, "decomposition"
        for name in VIEWS:
            c.view.value = name
            assert explorer.error is None, explorer.error
            theirs = run(explorer.code)[0]
            assert type(theirs) is type(explorer.viewer)
            same = theirs.payload() == explorer.viewer.payload()
            assert same == (name != "modules"), name
            seen.add(type(theirs))
        assert len(seen) == len(VIEWS)


def test_what_no_line_can_make_is_asked_for(embedded, tmp_path):
    photo = Path(cx.__file__).parent / "data" / "samples" / "cat-guitar.png"
    assert "cx.load(dtype='float64')" in cx.Explorer(cx.load(dtype="float64")).code
    moved = cx.Explorer(cx.with_registers(embedded, [(0, 116)])).code
    assert (
        "cx.load(" not in moved
        and "model = ...  # Emoji World CLIP (embedded) with 1 test-" in moved
    )
    mine = cx.CLIP(embedded.visual, embedded.text, embedded.tokenizer, name="mine")
    with cx.Explorer(mine, image=np.zeros((64, 64, 3), np.uint8), texts="a cat") as explorer:
        assert "model = ...  # mine, as it was given to the Explorer" in explorer.code
        assert "image = ...  # the picture that was given to the Explorer" in explorer.code
        c = explorer.controls
        c.path.value, c.source.value = str(photo), "file"
        assert f"image = {str(photo)!r}" in explorer.code
        c.as_code.value = True
        assert "import clipxai as cx" in c.code.value and c.code.layout.display is None
        path = explorer.save(tmp_path / "seen.py")
        assert path.read_text(encoding="utf-8") == explorer.code + "\n"
        with pytest.raises(ValueError, match="unknown suffix|cannot save"):
            explorer.save(tmp_path / "seen.txt")
