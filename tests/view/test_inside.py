"""Do the numbers about attention that viewers ask a trace for agree with the measures?"""

import numpy as np
import pytest

import clipxai as cx
from clipxai.measure import layers as measured
from clipxai.results.explanation import Grid
from clipxai.results.findings import on_patches, selection_ratio


def test_selection_ratios_are_the_measures(embedded):
    scene = cx.scenes.compose(["dog", "clock"], "grass", seed=1)
    trace = cx.record(embedded, scene.image, ["a dog", "a clock"])
    found = (
        cx.contributions(trace)
        .with_masks(trace, {"a dog": scene.mask("dog")}, kinds=("vv", "qk"))
        .selection
    )
    on_object = on_patches(scene.mask("dog"), trace.grids[0])
    ratios, _ = measured.attention_on(trace, on_object)
    assert list(found) == ["a dog"] and found["a dog"].patches == int(on_object.sum())
    for kind in ("vv", "qk"):
        np.testing.assert_allclose(
            found["a dog"].ratio[kind], ratios[measured.KINDS.index(kind)], atol=1e-6
        )


def test_chance_is_what_random_attention_reaches():
    rng = np.random.default_rng(0)
    on_object = np.arange(40) < 12
    assert selection_ratio(rng.random((200, 40, 40)), on_object) == pytest.approx(11 / 39, abs=0.01)


def test_a_mask_is_read_where_the_model_looked():
    mask = np.zeros((40, 80), bool)
    mask[:, :30] = True  # ten columns of it within the middle square
    on_object = on_patches(mask, Grid(4, 4, (40, 80), (0, 20, 40, 60)))
    np.testing.assert_array_equal(
        on_object.reshape(4, 4), np.tile([True, False, False, False], (4, 1))
    )


def test_wrong_masks_are_explained(trace, scene):
    parts = cx.contributions(trace)
    with pytest.raises(ValueError, match="a mask of 'a cat', but the texts are 'a dog'"):
        parts.with_masks(trace, {"a cat": scene.masks[0]})
    with pytest.raises(ValueError, match=r"mask has shape \(3, 3\), but the image is \(112, 112\)"):
        parts.with_masks(trace, {"a dog": np.ones((3, 3), bool)})
    with pytest.raises(ValueError, match="the mask of 'a dog' covers 0 patches"):
        parts.with_masks(trace, {"a dog": np.zeros((112, 112), bool)})


def test_masks_belong_to_the_image_that_was_looked_at(embedded):
    scenes = [cx.scenes.compose(["dog", "bicycle"], "grass", seed=seed) for seed in (1, 5)]
    both = cx.record(embedded, [scene.image for scene in scenes], "a dog")
    masks = {"a dog": scenes[1].mask("dog")}
    second = cx.contributions(both, image=1)
    alone = cx.record(embedded, scenes[1].image, "a dog")
    expected = cx.contributions(alone).with_masks(alone, masks).selection["a dog"].ratio["vv"]
    np.testing.assert_allclose(
        second.with_masks(both, masks).selection["a dog"].ratio["vv"], expected, atol=1e-5
    )
    with pytest.raises(ValueError, match="image 1 of this trace is not the one that was looked at"):
        second.with_masks(alone, masks)


def test_masks_from_files_count_as_masks(trace, scene):
    as_read = scene.masks[0].astype(np.uint8) * 255
    np.testing.assert_array_equal(
        on_patches(as_read, trace.grids[0]), on_patches(scene.masks[0], trace.grids[0])
    )
