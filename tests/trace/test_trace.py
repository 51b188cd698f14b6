"""Recording changes nothing, keeps everything, and adds up."""

import copy
import gc
import os
import pickle
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.model.towers.vit import VisionTransformer


def test_outputs_are_bit_identical_with_and_without_recording(embedded, scene):
    pixels = embedded.preprocess(scene.image)
    before = embedded.encode_image(pixels), embedded.encode_text(["a dog"])
    trace = cx.record(embedded, pixels, ["a dog"])
    cx.rewrite(trace)
    after = embedded.encode_image(pixels), embedded.encode_text(["a dog"])
    assert torch.equal(before[0], after[0]) and torch.equal(before[1], after[1])
    assert torch.equal(trace.image_features, before[0]) and torch.equal(
        trace.text_features, before[1]
    )


def test_nothing_stays_in_the_model(embedded, scene):
    state = {name: tensor.clone() for name, tensor in embedded.state_dict().items()}
    flags = [parameter.requires_grad for parameter in embedded.parameters()]
    with pytest.raises(ValueError):
        cx.record(embedded, scene.image, "dog " * 100)
    trace = cx.record(embedded, scene.image, ["a dog"])
    for row in cx.methods():
        # those are slow; tests/explainers has them with few pictures
        if VisionTransformer.has.issuperset(row.requires) and row.needs != "covered pictures":
            cx.explain(trace, row.name)
    assert all(torch.equal(state[name], tensor) for name, tensor in embedded.state_dict().items())
    assert flags == [parameter.requires_grad for parameter in embedded.parameters()]
    assert not any(
        module._forward_hooks or module._forward_pre_hooks for module in embedded.modules()
    )
    assert all(parameter.grad is None for parameter in embedded.parameters())


def test_no_growth_over_60_calls(embedded, scene):
    def tensors():
        gc.collect()
        return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())

    def resident():
        with open("/proc/self/statm", encoding="utf-8") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    pixels = embedded.preprocess(scene.image)

    def call():
        cx.explain(cx.record(embedded, pixels, ["a dog", "a bicycle"]), "clip_surgery")

    for _ in range(10):
        call()
    count = tensors()
    memory = resident() if sys.platform == "linux" else 0
    for _ in range(60):
        call()
    assert tensors() == count
    if sys.platform == "linux":
        assert resident() - memory < 10


def test_attention_is_what_torch_computes(trace):
    """Explicit attention, applied to v and merged, gives what the fused kernel wrote down."""
    for layer, block in enumerate(trace.model.visual.blocks):
        tape = trace.layer(layer)
        weights = trace.attention(layer)
        torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
        torch.testing.assert_close(
            weights @ tape.v,
            F.scaled_dot_product_attention(tape.q, tape.k, tape.v),
            rtol=1e-4,
            atol=1e-5,
        )
        torch.testing.assert_close(
            block.attn.merge(weights @ tape.v), trace.attention_output(layer), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("kind", ["vv", "qq", "kk"])
def test_self_attention_kinds(trace, kind):
    tape = trace.layer(3)
    x = getattr(tape, kind[0])
    expected = (x @ x.transpose(-1, -2) / x.shape[-1] ** 0.5).softmax(-1)
    torch.testing.assert_close(trace.attention(3, kind), expected)
    torch.testing.assert_close(trace.attention(-5, kind), expected)


def test_stream_is_the_sum_of_what_was_added(trace):
    layers = range(len(trace.layers))
    total = trace.residual(0) + sum(trace.attention_output(n) + trace.ffn_output(n) for n in layers)
    torch.testing.assert_close(total, trace.residual(len(trace.layers)), rtol=1e-4, atol=1e-4)


def test_text_tokens_end_in_the_text_feature(trace):
    ends = trace.model.text.end(trace.token_ids)
    torch.testing.assert_close(
        F.normalize(trace.text_tokens[torch.arange(3), ends], dim=-1), trace.text_features
    )
    assert len(trace.text_layers) == len(trace.model.text.blocks)
    assert [word.text for word in trace.words(1)] == ["a", "bicycle"]


def test_other_texts_reuse_the_image(trace, monkeypatch):
    def never(*_, **__):
        raise AssertionError("the image tower ran again")

    monkeypatch.setattr(trace.model.visual, "forward", never)
    other = trace.with_texts(["a pizza", "an owl"])
    assert other.stream is trace.stream and other.texts == ("a pizza", "an owl")
    cx.explain(other, "clip_surgery")


def test_templates(embedded, scene):
    templates = ["a photo of a {}.", "there is a {} in the scene"]
    trace = cx.record(embedded, scene.image, ["dog", "cat"], templates=templates)
    torch.testing.assert_close(
        trace.text_features, embedded.encode_text(["dog", "cat"], templates=templates)
    )
    torch.testing.assert_close(
        trace.empty_features, embedded.encode_text([""], templates=templates)
    )
    with pytest.raises(ValueError, match="texts recorded as they are"):
        trace.words(0)


def test_batch_equals_one_by_one(embedded):
    images = [cx.scenes.sample(seed).image for seed in range(3)]
    together = cx.record(embedded, images, ["a dog", "an owl"])
    for n, image in enumerate(images):
        alone = cx.record(embedded, image, ["a dog", "an owl"])
        torch.testing.assert_close(
            together.image_tokens()[n], alone.image_tokens()[0], rtol=1e-4, atol=1e-5
        )
        assert (together.images[n] == image).all()


def test_pixels_may_come_prepared(embedded, scene, trace):
    again = cx.record(embedded, embedded.preprocess(scene.image), list(trace.texts))
    assert torch.equal(again.stream, trace.stream)
    assert abs(again.images[0].astype(int) - scene.image).max() <= 1


def test_wrong_questions(trace, golden_resnet):
    with pytest.raises(IndexError, match=r"layer 8, but this model has 8 \(0 to 7\)"):
        trace.attention(8)
    with pytest.raises(ValueError, match="unknown kind 'qv'; choose one of qk, vv, qq, kk"):
        trace.attention(0, "qv")
    model, arrays, _ = golden_resnet
    resnet = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    assert resnet.attention(0).shape == (2, 4, 17, 17)
    with pytest.raises(ValueError, match="has no FFN"):
        resnet.ffn_output(0)
    for layer in (0, 1):
        with pytest.raises(ValueError, match="has no residual stream"):
            resnet.residual(layer)
    encoded = trace.with_encoded_texts(
        ("a dog",), trace.text_features[:1], empty=trace.empty_features
    )
    for verb in (cx.token_scores, cx.word_relevance):
        with pytest.raises(ValueError, match="texts recorded as they are"):
            verb(encoded)


def test_one_image_of_a_trace_is_no_copy(embedded, trace):
    """Of a single image it is the trace itself, so that what was computed once stays computed."""
    assert trace.of(0) is trace and trace.of(-1) is trace
    pixels = torch.randn(2, 3, 112, 112, generator=torch.Generator().manual_seed(1))
    pair = cx.record(embedded, pixels, ["a dog"], normalized=True)
    second = pair.of(1)
    assert len(second.images) == len(second.grids) == len(second.pixels) == 1
    assert second.layers[3].q.data_ptr() == pair.layers[3].q[1].data_ptr()
    torch.testing.assert_close(second.image_tokens(), pair.image_tokens()[1:])
    with pytest.raises(IndexError, match="image number 2, but this trace has 2"):
        pair.of(2)


NOT_KEPT = "seen with path=…, .* what is asked for was not kept"


def test_patches_that_were_not_run_are_not_read(embedded, scene, trace):
    prepared = embedded.preprocessor(scene.image)
    last = len(trace.layers)
    seen = trace.with_images(prepared, path=last)
    assert torch.allclose(seen.image_features, trace.image_features[:1], atol=1e-6)
    for method in ("clip", "reversed_clip", "eclip_pooling", "legrad", "gscorecam"):
        with pytest.raises(ValueError, match=NOT_KEPT):
            cx.explain(seen, method)
    for read in (seen.residual, seen.attention_output, seen.ffn_output):
        with pytest.raises(ValueError, match=NOT_KEPT):
            read(last if read == seen.residual else last - 1)
    alone = trace.with_images(prepared)
    for method in ("rollout", "clip_surgery", "gem"):
        np.testing.assert_allclose(
            cx.explain(seen, method).scores, cx.explain(alone, method).scores, atol=1e-5
        )


def test_blocks_that_no_path_reads_are_not_kept(embedded, scene, trace):
    prepared = embedded.preprocessor(scene.image)
    alone, seen = trace.with_images(prepared), trace.with_images(prepared, path=2)
    L = len(seen.layers)
    for layer in (L - 2, L - 1):
        for part in ("residual", "q", "k", "v"):
            kept, all_of_it = (getattr(one.layers[layer], part) for one in (seen, alone))
            assert torch.equal(kept, all_of_it)
    two = dict(blocks=2, class_token="original")
    for attention in ("vv", "qq+kk", "gem"):
        np.testing.assert_allclose(
            cx.explain(seen, "clip_surgery", **two, attention=attention).scores,
            cx.explain(alone, "clip_surgery", **two, attention=attention).scores,
            atol=1e-5,
        )
    pickle.loads(pickle.dumps(copy.deepcopy(seen.layers)))
    with pytest.raises(ValueError, match="path=-1, but a path runs through 0 of the last blocks"):
        trace.with_images(prepared, path=-1)
    own = trace.with_images(prepared, path=0)  # whose patches leave the last block as well
    np.testing.assert_array_equal(cx.explain(own, "clip").scores, cx.explain(alone, "clip").scores)
    for ask in (
        lambda: seen.attention(L - 3),
        lambda: seen.residual(L - 3),
        lambda: seen.attention_output(L - 1),
        lambda: seen.of(0).ffn_output(L - 1),
        lambda: cx.attention_maps(seen),
        lambda: cx.ablate(seen, heads={0: [1]}),
        lambda: cx.effects(seen),
        lambda: cx.explain(seen, "clip"),
        lambda: cx.explain(own, "maskclip"),
        *(
            lambda method=method: cx.explain(seen, method)
            for method in ("clip_surgery", "decomposition", "rollout", "legrad")
        ),
    ):
        with pytest.raises(ValueError, match=NOT_KEPT):
            ask()
