"""Is every step the map that its switches make, from raw CLIP to CLIP Surgery?"""

import numpy as np
import pytest
import torch

import clipxai as cx

TEXTS = ["a cat", "a guitar"]


def test_first_and_last_are_the_methods_and_between_one_part_changes(embedded, scene):
    trace = cx.record(embedded, [scene.image, scene.image[::-1].copy()], TEXTS)
    found = cx.surgery_steps(trace, image=1)
    assert found.parts == ("raw", "path", "attention", "ffn", "empty")
    assert (found.layers, found.blocks, found.has_stream) == (8, 6, True)
    raw, path, attention, ffn, empty = (e.scores for e in found.maps)
    np.testing.assert_array_equal(raw, cx.explain(trace, "clip", image=1).scores)
    np.testing.assert_array_equal(empty, cx.explain(trace, "clip_surgery", image=1).scores)
    np.testing.assert_allclose(path, raw, atol=1e-5)
    assert abs(attention - path).max() > 0.1 and abs(ffn - attention).max() > 0.1
    # a second route: what is subtracted at the end is one map, the same for all texts
    taken = ffn - empty
    np.testing.assert_allclose(taken[0], taken[1], atol=1e-5)
    tokens = cx.rewrite(trace.of(1), cx.Rewrite(attention="vv", blocks=6))[0, 1:]
    blank = torch.nn.functional.normalize(tokens, dim=-1) @ trace.empty_features[0]
    np.testing.assert_allclose(taken[0].ravel(), blank.numpy(), atol=1e-5)


def test_a_resnet_has_neither_path_nor_ffn(golden_resnet, scene):
    model, _, _ = golden_resnet
    ids = torch.ones(2, model.text.context, dtype=torch.long)
    ids[:, -1] = model.text.vocabulary - 1
    trace = cx.record(model, scene.image, ids)
    found = cx.surgery_steps(trace)
    assert found.parts[:2] == ("raw", "attention") and not found.has_stream and found.blocks == 1
    assert abs(found.maps[1].scores - found.maps[0].scores).max() > 1e-4
    last = cx.explain(trace, "clip_surgery") if "empty" in found.parts else found.maps[1]
    np.testing.assert_array_equal(found.maps[-1].scores, last.scores)


def test_refused(embedded, scene):
    trace = cx.record(embedded, scene.image, TEXTS)
    with pytest.raises(TypeError, match="record"):
        cx.surgery_steps("trace")
    with pytest.raises(ValueError, match="requires texts"):
        cx.surgery_steps(cx.record(embedded, scene.image))
    with pytest.raises(IndexError, match="image number 1"):
        cx.surgery_steps(trace, image=1)
