"""The figure of a refinement shows what was asked, what came back, and how true it is."""

import numpy as np
import pytest

import clipxai as cx
from clipxai.tasks.proposal import overlap
from clipxai.view import MaskSteps, RegionMap
from clipxai.view.payload import unpack

H, W = 40, 60
TEXTS = ("a <b>dog</b>", "a cat")


@pytest.fixture
def made():
    rows, columns = np.mgrid[:8, :12]
    scores = [np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 6) for y, x in ((3, 3), (4, 9))]
    image = np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)
    grid, none = cx.Grid(8, 12, (H, W), (0, 0, H, W)), np.zeros(2, np.float32)
    e = cx.Explanation(np.array(scores, np.float32), TEXTS, "clip", grid, "cosine", image, none)

    def sam(image, points, labels, box):
        left = np.zeros((H, W), bool)
        left[:, : int(points[labels == 1, 0].mean())] = True
        return [left, ~left], [0.9, 0.4]

    return cx.refine(e, sam, prompts="points+box")


def test_masks_points_and_merit(made):
    truth = np.zeros((H, W), bool)
    truth[:, :20] = True
    viewer = MaskSteps(made, truth={TEXTS[0]: truth})
    payload = viewer.payload()
    arrays = unpack(payload)
    first, second = payload.header["texts"]
    one = made.proposals[0]
    for mask, array in zip([one.plain, *one.candidates, truth], arrays["masks"]):
        np.testing.assert_array_equal(array, mask)
    assert first["truth"] == 3 and second["truth"] is None
    assert [point["x"] for point in first["points"]] == one.points[:, 0].tolist()
    assert first["box"] == one.box.tolist() and first["chosen"] == one.chosen + 1
    for mask, told in zip([one.plain, *one.candidates], first["masks"]):
        assert f"IoU {overlap(mask, truth):.2f}" in told["words"]
    assert "score 0.90" in first["masks"][1]["words"]
    assert "chosen" in first["masks"][one.chosen + 1]["title"]
    assert f"to {overlap(one.mask, truth):.2f}" in viewer.summary
    assert made.notes[0] in payload.header["notes"]


def test_on_paper_and_as_a_page(made, tmp_path):
    viewer = MaskSteps(made, truth={TEXTS[0]: np.ones((H, W), bool)})
    for suffix in ("png", "svg", "html"):
        assert viewer.save(tmp_path / f"steps.{suffix}").stat().st_size > 5000
    assert "<b>dog" not in (tmp_path / "steps.html").read_text(encoding="utf-8")


def test_show_and_save_open_the_steps_where_there_are_some(made, tmp_path):
    assert isinstance(cx.show(made), MaskSteps)
    assert isinstance(cx.show(cx.segment(made.explanation)), RegionMap)
    page = cx.save(made, tmp_path / "steps.html").read_text(encoding="utf-8")
    assert 'data-viewer="mask_steps"' in page


def test_truth_of_a_text_that_was_not_refined_is_left_aside(made):
    """Who knows all masks of a scene need not pick."""
    one = cx.refine(made.explanation, text=TEXTS[0])
    truth = dict.fromkeys(TEXTS, made.mask(TEXTS[0]))
    assert list(MaskSteps(one, truth=truth).steps.truth) == [TEXTS[0]]


def test_refused(made):
    with pytest.raises(ValueError, match="not refined"):
        MaskSteps(cx.segment(made.explanation))
    with pytest.raises(ValueError, match="names 'a bird'"):
        MaskSteps(made, truth={"a bird": np.ones((H, W), bool)})
    with pytest.raises(ValueError, match="has \\(1, 1\\) pixels"):
        MaskSteps(made, truth={TEXTS[0]: np.ones((1, 1), bool)})
    with pytest.raises(TypeError, match="expected Segmentation"):
        MaskSteps(made.explanation)
