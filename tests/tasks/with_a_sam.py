"""Segment Anything: masks equal to those of transformers called by hand, on random weights; and
what a SAM of one's own may return.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "model"))
import libraries  # noqa: F401  # torchvision, before transformers looks for it
import transformers
from small_sams import MODELS, processor_of

import clipxai as cx
from clipxai.tasks.sam import PROCESSORS

H, W = 60, 84


@pytest.fixture(scope="module", params=list(MODELS))
def model(request):
    torch.manual_seed(0)
    made = MODELS[request.param]().eval()
    with torch.no_grad():  # random weights of transformers are so small that all masks are alike
        for one in made.parameters():
            one.add_(0.1 * torch.randn_like(one))
    return made


def explanation(box=(0, 0, H, W), texts=("a dog", "a cat")):
    rng = np.random.default_rng(3)
    image = rng.integers(0, 256, (H, W, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:8, :10]
    scores = [np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / 6) for y, x in ((2, 2), (5, 7))]
    scores = np.array(scores[: len(texts)], np.float32)
    grid, none = cx.Grid(8, 10, (H, W), box), np.zeros(len(texts), np.float32)
    return cx.Explanation(scores, texts, "clip", grid, "cosine", image, none)


def by_hand(model, e, text, use):
    """transformers' documentation, line by line, with a picture that is read anew."""
    processor, given = processor_of(model), {}
    xy, labels = e.points(text)
    if "points" in use:
        given |= {"input_points": [[xy.tolist()]], "input_labels": [[labels.tolist()]]}
    if "box" in use:
        rows, columns = np.nonzero(cx.refine(e, "grabcut").proposals[e.index(text)].plain)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        given["input_boxes"] = [[[float(side) for side in box]]]
    inputs = processor(images=e.image.copy(), **given, return_tensors="pt")
    with torch.no_grad():
        out = model(**{k: v for k, v in inputs.items() if not k.endswith("sizes")})
    sizes = [inputs[k] for k in ("original_sizes", "reshaped_input_sizes") if k in inputs]
    masks = processor.post_process_masks(out.pred_masks, *sizes)[0][0].numpy()
    return masks, out.iou_scores[0, 0].numpy()


@pytest.mark.parametrize("box", [(0, 0, H, W), (0, 12, 60, 72), (5.5, 0, 54.5, 84)])
@pytest.mark.parametrize("use", ["points", "box", "points+box"])
def test_equal_to_calling_transformers_by_hand(model, use, box):
    """Squashed, cropped, with the ratio kept; several texts."""
    e = explanation(box)
    made = cx.refine(e, model, prompts=use)
    for text, one in zip(e.texts, made.proposals):
        masks, scores = by_hand(model, e, text, use)
        assert len(masks) == 3 and masks.any() and not masks.all()
        np.testing.assert_array_equal(one.candidates, masks)
        np.testing.assert_allclose(one.scores, scores, rtol=1e-5)
        assert (one.box is None) == ("box" not in use)
        assert len(one.points) == len(one.point_labels) and bool(len(one.points)) == (
            "points" in use
        )


def test_windows_of_a_large_picture(model, embedded, scene):
    """Prompts are pixels of the whole picture, and the SAM sees all of it."""
    wide = np.concatenate([np.full_like(scene.image, 128), scene.image], 1)
    photo = cv2.resize(wide, (330, 165))
    dog = np.concatenate([np.zeros_like(scene.mask("dog")), scene.mask("dog")], 1)
    dog = cv2.resize(dog.astype(np.uint8), (330, 165)) > 0
    e = cx.explain_windows(embedded, photo, ["a dog", "a bicycle"], window=112, stride=56, size=112)
    made = cx.refine(e, model, prompts="points+box")
    assert made.labels.shape == (165, 330)
    for text, one in zip(e.texts, made.proposals):
        masks, scores = by_hand(model, e, text, "points+box")
        np.testing.assert_array_equal(one.candidates, masks)
        np.testing.assert_allclose(one.scores, scores, rtol=1e-5)
    one = made.proposals[0]
    for_it = one.points[one.point_labels == 1].astype(int)
    assert e.grid.width == 28 and len(for_it) and dog[for_it[:, 1], for_it[:, 0]].all()


def test_from_a_folder_and_by_its_processor(model, tmp_path):
    model.save_pretrained(tmp_path)
    processor_of(model).save_pretrained(tmp_path)
    e = explanation()
    here = cx.refine(e, model)
    for there in (
        cx.refine(e, str(tmp_path)),
        cx.refine(e, model, processor=processor_of(model)),
    ):
        np.testing.assert_array_equal(there.labels, here.labels)


def test_the_picture_is_read_once(model):
    seen, tower = [], model.vision_encoder
    hook = tower.register_forward_hook(lambda *ignored: seen.append(1))
    try:
        cx.refine(explanation(), model, prompts="all")
    finally:
        hook.remove()
    assert seen == [1]


def test_the_map_as_a_mask_changes_what_comes_back(model):
    e = explanation()
    points, both = (cx.refine(e, model, prompts=way) for way in ("points+box", "all"))
    assert any(
        not np.allclose(a.scores, b.scores) for a, b in zip(points.proposals, both.proposals)
    )
    cx.refine(e, model, prompts="mask")


@pytest.mark.parametrize("rank", ["score", "agreement", "both"])
def test_which_mask_won_is_said(rank):
    e = explanation(texts=("a dog",))
    plain = e.mask(0)
    asked = []

    def own(image, points, labels, box):
        asked.append((image.shape, points.shape, labels.tolist(), box))
        wrong = ~plain
        return np.stack([wrong, plain, plain & (np.arange(W) < 20)]), [0.9, 0.3, 0.5]

    made = cx.refine(e, own, rank=rank)
    xy, labels = e.points(0)
    assert asked == [((H, W, 3), xy.shape, labels.tolist(), None)]
    agreement = [0, 1, (plain & (np.arange(W) < 20)).sum() / plain.sum()]
    both = np.multiply(agreement, [0.9, 0.3, 0.5])
    expected = {"score": 0, "agreement": 1, "both": int(both.argmax())}[rank]
    assert made.proposals[0].chosen == expected
    assert f"mask {expected + 1} of 3" in made.notes[0]
    if rank != "both":
        assert {"score": "SAM's own score", "agreement": "agreement"}[rank] in made.notes[0]
    np.testing.assert_allclose(made.proposals[0].agreement, agreement, rtol=1e-6)


EMPTY = np.zeros((2, H, W), bool)


@pytest.mark.parametrize(
    "answer",
    [
        (None, None),
        ([], []),
        (EMPTY, [1, 1]),
        (np.full((1, H, W), np.nan), [1]),
    ],
)
def test_nothing_and_nan_leave_the_plain_mask_and_say_so(answer):
    e = explanation(texts=("a dog",))
    made = cx.refine(e, lambda *asked: answer)
    assert "'a dog': nothing came back" in made.notes[0]
    np.testing.assert_array_equal(made.mask("a dog"), e.mask(0))


def test_scores_that_are_nan_do_not_win():
    e = explanation(texts=("a dog",))
    masks = np.stack([~e.mask(0), e.mask(0)])
    made = cx.refine(e, lambda *asked: (masks, [np.nan, 0.1]), rank="score")
    assert made.proposals[0].chosen == 1
    without = cx.refine(e, lambda *asked: (masks, None))
    assert without.proposals[0].chosen == 1
    none = cx.refine(e, lambda *asked: (masks, None), rank="score")
    assert none.proposals[0].chosen == -1 and "no score" in none.notes[0]


def test_points_that_are_given_stand_instead_of_the_maps_own(model):
    e = explanation()
    given = {"a dog": (np.array([[20.0, 15]]), np.array([1]))}
    made = cx.refine(e, model, points=given)
    np.testing.assert_array_equal(made.proposals[0].points, given["a dog"][0])
    np.testing.assert_array_equal(made.proposals[1].points, e.points(1)[0])


@pytest.mark.parametrize("size", [(3, 90), (1, 300), (300, 1)])
@pytest.mark.parametrize("prompts", ["points", "mask"])
def test_pictures_that_are_lines(model, size, prompts):
    """Three rows of pixels are no three channels."""
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    grid = cx.Grid(14, 14, size, (0, 0, *size))
    scores = np.arange(196, dtype=np.float32).reshape(1, 14, 14)
    e = cx.Explanation(scores, ("a",), "clip", grid, "", image, np.zeros(1, np.float32))
    assert cx.refine(e, model, prompts=prompts).labels.shape == size


def test_a_function_may_write_into_what_it_is_given():
    e, seen = explanation(), []

    def greedy(image, points, labels, box):
        seen.append(image.sum())
        image[:], points[:] = 0, 0
        return np.ones((1, H, W)), [1.0]

    made = cx.refine(e, greedy)
    assert seen[0] == seen[1] == e.image.sum()
    np.testing.assert_array_equal(made.proposals[0].points, e.points(0)[0])


@pytest.mark.parametrize(
    ("by", "asked", "error", "words"),
    [
        (torch.nn.Linear(1, 1), {}, TypeError, "cannot refine by a Linear"),
        (dict, {}, TypeError, "cannot refine by a type"),
        (lambda *_: None, {}, ValueError, "masks and scores were expected to come back, not None"),
        (lambda *_: (None, None), {"prompts": "mask"}, ValueError, "a function is asked by points"),
        (3, {}, TypeError, "cannot refine by a int"),
        ("grabcat", {}, ValueError, "choose 'grabcut' or 'pamr', or a Segment Anything model"),
        ("no/such/folder/at/all", {}, ValueError, "cannot refine by 'no/such/folder/at/all'"),
        (lambda *_: (np.ones((1, 2, 2)), [1]), {}, ValueError, "shape \\(1, 2, 2\\)"),
        (lambda *_: (np.ones((2, H, W)), [1]), {}, ValueError, "2 masks came back with 1"),
        (lambda *_: (None, None), {"rank": "luck"}, ValueError, "unknown rank"),
        (lambda *_: (None, None), {"prompts": "words"}, ValueError, "unknown prompts"),
        (lambda *_: (None, None), {"side": 3}, TypeError, "no option 'side'"),
        (lambda *_: (None, None), {"revision": "main"}, ValueError, "in memory"),
        (lambda *_: (None, None), {"processor": 1}, ValueError, "not to a callable"),
    ],
)
def test_refused(by, asked, error, words):
    with pytest.raises(error, match=words):
        cx.refine(explanation(), by, **asked)


def test_a_folder_of_something_else_is_refused(tmp_path):
    from transformers import CLIPConfig

    CLIPConfig().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="cannot refine by"):
        cx.refine(explanation(), str(tmp_path))


def test_every_processor_is_there():
    for model, names in PROCESSORS.items():
        assert all(hasattr(transformers, name) for name in (model, *names))
