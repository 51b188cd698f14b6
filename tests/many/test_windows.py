"""Sliding windows against brute force, and images of any size that stay where they are."""

import numpy as np
import pytest
import torch
from PIL import Image

import clipxai as cx
from clipxai.model.towers.text import TextTransformer
from clipxai.model.towers.vit import VisionTransformer

TEXTS = ["a dog", "a bicycle"]


@pytest.fixture(scope="module")
def photo(scene):
    """200 x 330 pixels: no multiple of anything."""
    return np.asarray(Image.fromarray(np.tile(scene.image, (1, 2, 1))).resize((330, 200)))


@pytest.fixture(scope="module")
def plain_vit():
    """A small ViT with CLIP's own input size and patch."""
    torch.manual_seed(0)
    visual = VisionTransformer(
        image_size=(224, 224), patch=16, width=64, layers=2, heads=2, ffn_width=128, joint=32
    )
    text = TextTransformer(
        vocabulary=100, context=16, width=32, layers=1, heads=2, ffn_width=64, joint=32
    )
    return cx.CLIP(visual, text, name="small random ViT").eval().requires_grad_(False)


IDS = torch.tensor([[98, 5, 99], [98, 7, 99]])


@pytest.mark.parametrize(
    ("method", "options"), [("clip_surgery", {"redundant": "labels"}), ("grad_eclip", {})]
)
def test_equals_brute_force_averaging(embedded, photo, method, options):
    e = cx.explain_windows(
        embedded, photo, TEXTS, method, window=112, stride=56, size=176, **options
    )
    pixels = cx.record(embedded, photo, TEXTS, mode="aspect", size=176).pixels
    assert (
        pixels.shape[-2:] == (176, 288)
        and e.grid == cx.record(embedded, photo, TEXTS, mode="aspect", size=176).grids[0]
    )
    said = [[[[] for _ in range(36)] for _ in range(22)] for _ in TEXTS]
    for top in (0, 56, 64):  # the last ends with the image: 64 + 112 = 176
        for left in (0, 56, 112, 168, 176):
            window = pixels[..., top : top + 112, left : left + 112]
            scores = cx.explain(cx.record(embedded, window, TEXTS), method, **options).scores
            for t, y, x in np.ndindex(scores.shape):
                said[t][top // 8 + y][left // 8 + x].append(scores[t, y, x])
    expected = [[[np.mean(cell) for cell in row] for row in text] for text in said]
    np.testing.assert_allclose(e.scores, expected, atol=2e-5 * np.ptp(expected) + 1e-6)
    assert (
        e.image.shape == photo.shape
        and e.heatmap(0).shape == (200, 330)
        and not np.isnan(e.heatmap(0)).any()
    )


def test_one_window_is_the_plain_map(embedded, scene):
    e, plain = (
        cx.explain_windows(embedded, scene.image, TEXTS),
        cx.explain(cx.record(embedded, scene.image, TEXTS)),
    )
    np.testing.assert_allclose(e.scores, plain.scores, atol=1e-6)
    np.testing.assert_allclose(e.presence, plain.presence, atol=1e-6)
    assert (e.grid, e.unit, e.method) == (plain.grid, plain.unit, plain.method)


def test_presence_is_that_of_the_whole_image(embedded, photo):
    e = cx.explain_windows(embedded, photo, TEXTS, size=224)
    np.testing.assert_allclose(
        e.presence, cx.explain(cx.record(embedded, photo, TEXTS)).presence, atol=1e-6
    )
    assert (
        "18 x 112x112 pixels, stride 56, on the image at 224x368" in e.provenance["windows"]
        and e.provenance["windows"] in e.notes[-1]
    )


def test_batches_change_nothing_but_bound_the_memory(embedded, photo):
    maps = {}
    for batch in (1, 4, 100):
        seen = []
        hook = embedded.visual.register_forward_pre_hook(
            lambda tower, args, seen=seen: seen.append(tuple(args[0].shape))
        )
        maps[batch] = cx.explain_windows(embedded, photo, TEXTS, size=176, batch=batch).scores
        hook.remove()
        assert all(len_ <= batch and (h, w) in {(112, 112), (8, 8)} for len_, _, h, w in seen)
        # the windows, and the whole image for its presence
        assert sum(len_ for len_, _, h, _ in seen if h == 112) == 15 + 1
    np.testing.assert_allclose(maps[1], maps[4], atol=1e-5)
    np.testing.assert_allclose(maps[1], maps[100], atol=1e-5)


@pytest.mark.parametrize(
    ("image", "window", "grid"),
    [
        ((130, 250), None, (17, 33)),  # its own resolution, up to whole patches: 136 x 261.5
        ((130, 250), (112, 224), (17, 33)),
        ((60, 90), None, (14, 21)),  # enlarged to one window
        ((60, 90), (56, 112), (10, 15)),  # here the width decides
    ],
)
def test_the_image_decides_the_size_unless_told(embedded, image, window, grid):
    e = cx.explain_windows(
        embedded, np.full((*image, 3), 128, np.uint8), "a dog", "clip", window=window
    )
    assert (e.grid.height, e.grid.width) == grid


def test_other_towers(golden_resnet, golden_vit):
    for model, arrays, _ in (golden_resnet, golden_vit):
        side = model.visual.image_size[0]
        image = np.random.default_rng(0).integers(0, 256, (2 * side, 3 * side, 3), np.uint8)
        ids = next(
            array for name, array in arrays.items() if "token" in name or "ids" in name
        ).long()[:2]
        e = cx.explain_windows(model, image, ids, "clip")
        assert (
            e.scores.shape == (2, 2 * side // model.visual.patch, 3 * side // model.visual.patch)
            and np.isfinite(e.scores).all()
        )


QUICKLY = {
    "rise": {"masks": 20},
    "m2ib": {"steps": 2, "samples": 2},
    "integrated_gradients": {"steps": 2},
}


@pytest.mark.parametrize(
    "method",
    [name for name, row in cx.METHODS.items() if VisionTransformer.has.issuperset(row.requires)],
)
def test_every_method_of_the_table_in_any_batch(method):
    torch.manual_seed(0)
    visual = VisionTransformer(
        image_size=(64, 64), patch=16, width=32, layers=6, heads=2, ffn_width=64, joint=32
    )
    text = TextTransformer(
        vocabulary=100, context=16, width=32, layers=1, heads=2, ffn_width=64, joint=32
    )
    model, image = (
        cx.CLIP(visual, text).eval().requires_grad_(False),
        np.random.default_rng(0).integers(0, 256, (70, 110, 3), np.uint8),
    )
    alone, together = (
        cx.explain_windows(model, image, IDS, method, batch=n, **QUICKLY.get(method, {}))
        for n in (1, 8)
    )
    assert alone.scores.shape == (2, 5, 8) and np.ptp(alone.scores) > 0
    np.testing.assert_allclose(alone.scores, together.scores, atol=1e-5 * np.ptp(alone.scores))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 100}, "window 100 is not a multiple of the patch, 8 pixels; nearest: 96"),
        ({"window": (112, 60)}, "width of the window 60 is not a multiple of the patch"),
        ({"stride": 20}, "stride 20 is not a multiple of the patch, 8 pixels; nearest: 16"),
        (
            {"stride": 120},
            "stride 120 leaves gaps between windows of 112x112 pixels: pass at most 112",
        ),
        (
            {"size": 56},
            "a window of 112 pixels does not fit into an image resized to 56: pass a larger size",
        ),
        ({"size": 100}, "size 100x100 is not a multiple of the patch"),
        ({"batch": 0}, "batch=0, but at least one is needed"),
        ({"method": "clip_sugery"}, "unknown method 'clip_sugery'; nearest: clip_surgery"),
        ({"colour": 1}, "clip_surgery has no option 'colour'"),
    ],
)
def test_what_cannot_be(embedded, photo, options, message):
    with pytest.raises(ValueError, match=message):
        cx.explain_windows(embedded, photo, TEXTS, **options)


def test_one_image_at_a_time(embedded, photo):
    with pytest.raises(ValueError, match="one image at a time, not 2: call it for each"):
        cx.explain_windows(embedded, [photo, photo], TEXTS)


BOX = (200, 40, 264, 136)  # top, left, bottom, right of something bright


def where_it_changed(maps):
    """Centre (y, x) of where two maps of the same grid differ, in pixels of the image, and the
    largest difference's.
    """
    difference = abs(maps[1].scores - maps[0].scores).sum(0)
    grid = maps[0].grid
    y, x = np.unravel_index(difference.argmax(), difference.shape)
    height, width = (
        (grid.box[2] - grid.box[0]) / grid.height,
        (grid.box[3] - grid.box[1]) / grid.width,
    )
    return grid.box[0] + (y + 0.5) * height, grid.box[1] + (x + 0.5) * width, height, width


def before_and_after():
    rng = np.random.default_rng(0)
    empty = np.full((300, 500, 3), 90, np.uint8) + rng.integers(0, 20, (300, 500, 3), np.uint8)
    bright = empty.copy()
    bright[BOX[0] : BOX[2], BOX[1] : BOX[3]] = (255, 230, 0)
    return empty, bright


@pytest.mark.parametrize("mode", ["squash", "aspect", "crop"])
@pytest.mark.parametrize("size", [224, 336, 512, 1024])
def test_things_stay_where_they_are_at_any_size(plain_vit, size, mode):
    if mode == "crop":  # keeps columns 100 to 400 of 500
        images = [np.roll(image, 120, axis=1) for image in before_and_after()]
        top, left, bottom, right = BOX[0], BOX[1] + 120, BOX[2], BOX[3] + 120
    else:
        images, (top, left, bottom, right) = before_and_after(), BOX
    maps = [
        cx.explain(cx.record(plain_vit, image, IDS, mode=mode, size=size), "clip")
        for image in images
    ]
    expected = (
        (size // 16, round(size * 5 / 3 / 16)) if mode == "aspect" else (size // 16, size // 16)
    )
    assert maps[0].scores.shape == (2, *expected)
    y, x, height, width = where_it_changed(maps)
    assert (
        top - height / 2 <= y <= bottom + height / 2 and left - width / 2 <= x <= right + width / 2
    )


@pytest.mark.parametrize(
    ("size", "window", "stride"), [(None, None, None), (336, 224, 112), (448, (224, 336), 160)]
)
def test_things_stay_where_they_are_in_windows(plain_vit, size, window, stride):
    maps = [
        cx.explain_windows(plain_vit, image, IDS, "clip", size=size, window=window, stride=stride)
        for image in before_and_after()
    ]
    y, x, height, width = where_it_changed(maps)
    assert (
        BOX[0] - height / 2 <= y <= BOX[2] + height / 2
        and BOX[1] - width / 2 <= x <= BOX[3] + width / 2
    )


def test_an_image_keeps_its_depth(embedded, scene):
    """More than 8 bits a channel, as `record` reads them."""
    deep = np.clip(
        scene.image / 255 + np.random.default_rng(0).uniform(-0.002, 0.002, scene.image.shape), 0, 1
    ).astype(np.float32)
    windows, plain = (
        cx.explain_windows(embedded, deep, TEXTS),
        cx.explain(cx.record(embedded, deep, TEXTS)),
    )
    np.testing.assert_allclose(windows.scores, plain.scores, atol=1e-6)


def test_sides_from_numpy(embedded, scene):
    plain, again = (
        cx.explain_windows(embedded, scene.image, "a dog", "clip", window=side, stride=kind(56))
        for kind, side in ((int, 56), (np.int64, np.int64(56)))
    )
    np.testing.assert_array_equal(plain.scores, again.scores)
