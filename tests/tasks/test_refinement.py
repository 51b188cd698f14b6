"""From maps to masks: GrabCut against cutting by hand, competition, and what cannot be cut."""

import cv2
import numpy as np
import pytest

import clipxai as cx
from clipxai.scenes import noun, sample
from clipxai.tasks.proposal import overlap
from clipxai.tasks.segmentation import UNSEEN

SIDE = 96


def bump(y, x, gh=12, gw=12, width=1.8):
    rows, columns = np.mgrid[:gh, :gw]
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * width**2))


def explanation(scores, image, texts=("red", "blue"), box=None):
    scores = np.asarray(scores, np.float32)
    grid = cx.Grid(*scores.shape[1:], image.shape[:2], box or (0, 0, *image.shape[:2]))
    texts = texts[: len(scores)]
    presence = np.zeros(len(scores), np.float32)
    return cx.Explanation(scores, texts, "clip", grid, "cosine similarity", image, presence)


@pytest.fixture
def scene():
    """A red disc on the left and a blue square on the right of a noisy green ground."""
    noise = np.random.default_rng(0).integers(-12, 13, (SIDE, SIDE, 3))
    image, red = np.full((SIDE, SIDE, 3), (40, 150, 60)), np.zeros((SIDE, SIDE), np.uint8)
    cv2.circle(red, (24, 48), 15, 1, -1)
    blue = np.zeros_like(red)
    blue[36:62, 60:84] = 1
    image[red > 0], image[blue > 0] = (210, 40, 40), (40, 60, 210)
    image = np.clip(image + noise, 0, 255).astype(np.uint8)
    return image, red > 0, blue > 0


def test_masks_reach_the_edges_that_maps_miss(scene):
    image, red, blue = scene
    e = explanation([bump(6, 3), bump(6, 9)], image)
    made = cx.refine(e)
    assert made.classes == ("background", "red", "blue") and made.notes == ()
    for name, truth in (("red", red), ("blue", blue)):
        assert overlap(e.mask(name), truth) < 0.75
        assert overlap(made.mask(name), truth) > 0.9
    assert made.confidence.shape == image.shape[:2] and made.measure == "height"
    again = cx.refine(e)
    np.testing.assert_array_equal(again.labels, made.labels)


def test_grabcut_as_called_by_hand(scene):
    """One text, seeds from the heat-map by the words of the docstring."""
    image, _, _ = scene
    e = explanation([bump(6, 3)], image)
    made, heat = cx.refine(e, sure=0.9, unlikely=0.2, threshold=0.6, rounds=3), e.heatmap(0)
    seeds = np.full(heat.shape, cv2.GC_PR_BGD, np.uint8)
    seeds[heat >= 0.6], seeds[heat >= 0.9], seeds[heat < 0.2] = 3, 1, 0
    rows, columns = np.nonzero(heat >= 0.2)
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    inside = seeds[box].copy()
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image[box].copy(), inside, None, *models, 3, cv2.GC_INIT_WITH_MASK)
    by_hand = np.zeros(heat.shape, bool)
    by_hand[box] = np.isin(inside, (1, 3))
    assert cv2.connectedComponents(by_hand.astype(np.uint8))[0] == 2, "one piece: none to leave out"
    np.testing.assert_array_equal(made.mask("red"), by_hand)


def test_a_rival_takes_its_own(scene):
    """A map that lights up both things keeps its own if the other's word is asked too."""
    image, red, blue = scene
    e = explanation([bump(6, 3) + 0.9 * bump(6, 9), bump(6, 9)], image)
    alone, together = cx.refine(e, text="red"), cx.refine(e)
    assert alone.mask("red")[blue].mean() > 0.3
    assert not together.mask("red")[blue].any() and overlap(together.mask("red"), red) > 0.9
    assert alone.classes == ("background", "red") and together.legend.keys() == {
        "background",
        "red",
        "blue",
    }


def test_points_are_obeyed(scene):
    image, red, blue = scene
    e = explanation([bump(6, 3) + 0.9 * bump(6, 9)], image)
    off = {"red": (np.array([[72.0, 50]]), np.array([0]))}
    made = cx.refine(e, points=off)
    assert cx.refine(e).mask("red")[50, 72] and not made.mask("red")[50, 72]
    np.testing.assert_array_equal(made.proposals[0].points, off["red"][0])


@pytest.mark.parametrize("box", [(0, 0, SIDE, SIDE), (0, 0, 40, SIDE)])
def test_large_pictures_and_what_was_not_seen(scene, box):
    image, red, _ = scene
    image, red = (
        cv2.resize(one, None, fx=5, fy=5, interpolation=0) for one in (image, red.astype("u1"))
    )
    box = tuple(5 * side for side in box)
    e = explanation([bump(6 * SIDE * 5 / box[2], 3)], image, box=box)
    made = cx.refine(e)
    assert made.labels.shape == image.shape[:2]
    assert (made.labels[box[2] :] == UNSEEN).all() and np.isnan(made.confidence[box[2] :]).all()
    assert (made.labels[: box[2]] != UNSEEN).all()
    if box[2] == len(image):
        assert overlap(made.mask("red"), red > 0) > 0.9


def test_what_cannot_be_cut_keeps_the_plain_mask_and_says_why(scene):
    image, _, _ = scene
    grey = np.full_like(image, 128)
    made = cx.refine(explanation([bump(6, 3)], grey))
    assert "'red': the picture has one colour" in made.notes[0]
    np.testing.assert_array_equal(made.mask("red"), made.proposals[0].plain)
    assert made.proposals[0].chosen == -1 and made.mask("red").any()
    flat = cx.refine(explanation([np.ones((12, 12)), bump(6, 9)], image))
    assert "'red': its map has no height" in flat.notes[0] and len(flat.notes) == 1
    assert not flat.mask("red").any() and flat.mask("blue").any()
    said = cx.view.RegionMap(flat)
    assert flat.notes[0] in "".join(cx.view.region_map.sentences.notes(said.regions))


def test_points_may_be_lists_and_none_at_all(scene):
    e = explanation([bump(6, 3), bump(6, 9)], scene[0])
    listed = cx.refine(e, points={"red": ([[10, 12]], [1])})
    arrays = cx.refine(e, points={"red": (np.array([[10.0, 12]]), np.array([1]))})
    np.testing.assert_array_equal(listed.labels, arrays.labels)
    none = cx.refine(e, points={"red": ([], [])})
    np.testing.assert_array_equal(none.labels, cx.refine(e).labels)


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"by": "magic"}, ValueError, "cannot refine by 'magic'"),
        ({"text": "green"}, ValueError, "no text 'green'"),
        ({"text": []}, ValueError, "no text to refine"),
        ({"rond": 3}, TypeError, "has no option 'rond'"),
        ({"sure": 0.3}, ValueError, "rise in this order"),
        ({"sure": 1.5}, ValueError, "sure=1.5"),
        ({"threshold": "half"}, TypeError, "threshold='half'"),
        ({"points": {"green": ([[1, 1]], [1])}}, ValueError, "points of 'green'"),
        ({"points": {"red": ([[1, SIDE]], [1])}}, ValueError, "outside the image"),
        ({"points": {"red": []}}, ValueError, r"are \(xy, labels\), not"),
        ({"points": {"red": ([[1, 1]], [1, 0])}}, ValueError, "2 labels"),
        ({"points": {"red": ([["a", "b"]], [1])}}, ValueError, "points of 'red' are numbers"),
        ({"points": {"red": ([[1, 1]], [2])}}, ValueError, "1 or 0"),
    ],
)
def test_refused(scene, asked, error, words):
    with pytest.raises(error, match=words):
        cx.refine(explanation([bump(6, 3), bump(6, 9)], scene[0]), **asked)
    with pytest.raises(TypeError, match="expected Explanation"):
        cx.refine(scene[0])


def test_refinement_helps_on_emoji_world():
    """The embedded model at 224 pixels; scenes of the half that chose no threshold."""
    model, gains = cx.load(), []
    for seed in range(500, 518):
        scene = sample(seed, size=224)
        texts = [f"a photo of {noun(name)}" for name in scene.objects]
        e = cx.explain(cx.record(model, scene.image, texts, size=224), "clip_surgery")
        made = cx.refine(e)
        for text, truth in zip(texts, scene.masks):
            gains.append(overlap(made.mask(text), truth) - overlap(e.mask(text), truth))
    assert np.mean(gains) > 0.08
