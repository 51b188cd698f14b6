"""Attention and gradient methods against autograd through the whole tower, finite differences, and
transformers' attention outputs.
"""

import copy
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from method_examples import second_route
from transformers import CLIPConfig, CLIPModel

import clipxai as cx
from clipxai.model.towers.vit import VisionTransformer


@pytest.fixture(scope="module")
def pair(embedded):
    """Two images and three texts."""
    return cx.record(
        embedded,
        [cx.scenes.sample(seed).image for seed in (3, 4)],
        ["a dog", "a bicycle", "an ambulance"],
    )


@pytest.fixture(scope="module")
def double(embedded, scene):
    """One image in float64, where finite differences mean something."""
    return cx.record(
        copy.deepcopy(embedded).double(), scene.image, ["a dog and a bicycle", "a pizza"]
    )


def cosines(trace, pixels):
    """Scores (B, T) in the model's own precision: `encode_image` rounds to float32."""
    return (
        F.normalize(trace.model.visual.pool(pixels), dim=-1)
        @ trace.text_features.to(pixels.dtype).T
    )


def whole_tower(trace):
    """Every block's input and attention, and the scores, from pixels on, with the graph behind
    them.
    """
    tower, x = trace.model.visual, trace.pixels.to(trace.model.dtype).clone().requires_grad_()
    stream, inputs, weights = tower.embed(x), [], []
    for block in tower.blocks:
        inputs.append(stream)
        q, k, v = block.attn.project(block.ln_1(stream))
        weights.append((q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1))
        stream = stream + block.attn.merge(weights[-1] @ v)
        stream = stream + block.ffn(stream)
    scores = F.normalize(tower.read_out(stream[:, 0]), dim=-1) @ trace.text_features.T
    return x, [*inputs, stream], weights, scores


def slopes(scores, tensor):
    """Gradient by gradient, one text after the other: (T, B, ...)."""
    return torch.stack(
        [torch.autograd.grad(column.sum(), tensor, retain_graph=True)[0] for column in scores.T]
    )


def assert_map(explained, expected, tolerance=1e-3):
    """Explanations of a batch against (T, B, P), to a thousandth of the largest value."""
    found = np.stack([e.scores for e in explained], 1)
    expected = expected.detach().numpy()
    np.testing.assert_allclose(
        found.reshape(expected.shape), expected, rtol=0, atol=tolerance * abs(expected).max()
    )


@second_route("attention", "rollout")
def test_attention_and_rollout(pair):
    weights = [trace_weights.detach() for trace_weights in whole_tower(pair)[2]]
    assert_map(
        cx.explain_all(pair, "attention"), weights[-1].mean(1)[None, :, 0, 1:].expand(3, -1, -1)
    )
    rolled = torch.eye(197)
    for w in weights:
        mixed = w.mean(1) + torch.eye(197)
        rolled = mixed / mixed.sum(-1, keepdim=True) @ rolled
    assert_map(cx.explain_all(pair, "rollout"), rolled[None, :, 0, 1:].expand(3, -1, -1))
    assert "does not read the text" in cx.explain_all(pair, "rollout")[0].notes[0]


def test_rollout_is_the_last_row_of_the_rollout_that_is_found_inside(pair):
    np.testing.assert_allclose(
        cx.explain_all(pair, "rollout")[1].scores[0].ravel(),
        cx.attention_maps(pair, image=1).rollout[-1, 1:],
        rtol=0,
        atol=1e-6,
    )


@second_route("grad_cam")
def test_grad_cam(pair):
    _, inputs, _, scores = whole_tower(pair)
    slope = slopes(scores, inputs[7])[:, :, 1:]
    expected = torch.einsum("tbd,bpd->tbp", slope.mean(2), inputs[7][:, 1:])
    assert_map(cx.explain_all(pair, "grad_cam"), expected)
    assert_map(cx.explain_all(pair, "grad_cam", relu=True), expected.clamp(min=0))


@second_route("grad_cam")
def test_grad_cam_in_other_layers_and_behind_a_norm(pair):
    """The block's first norm is put in the graph by hand, as pytorch-grad-cam hooks it."""
    _, inputs, _, scores = whole_tower(pair)
    slope = slopes(scores, inputs[4])[:, :, 1:]
    expected = torch.einsum("tbd,bpd->tbp", slope.mean(2), inputs[4][:, 1:])
    for layer in (4, -4):
        assert_map(cx.explain_all(pair, "grad_cam", layer=layer), expected)
    tower, stream = pair.model.visual, inputs[7].detach()
    block = tower.blocks[7]
    read = block.ln_1(stream).detach().requires_grad_()
    q, k, v = block.attn.project(read)
    behind = stream + block.attn.merge(
        (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v
    )
    behind = behind + block.ffn(behind)
    scores = F.normalize(tower.read_out(behind[:, 0]), dim=-1) @ pair.text_features.T
    slope = slopes(scores, read)[:, :, 1:]
    expected = torch.einsum("tbd,bpd->tbp", slope.mean(2), read[:, 1:])
    assert_map(cx.explain_all(pair, "grad_cam", norm=True), expected)
    with pytest.raises(IndexError, match="this model has 8"):
        cx.explain_all(pair, "grad_cam", layer=8)


@pytest.mark.parametrize(
    "name, options",
    [
        ("legrad", {"blocks": 2}),
        ("grad_cam", {"norm": True, "relu": True}),
        ("grad_eclip", {"relu": True}),
        ("gscorecam", {"relu": True}),
    ],
)
def test_released_defaults_by_name(pair, name, options):
    trace = cx.record(pair.model, pair.images[0], list(pair.texts), size=64)
    few = {"channels": 4} if name == "gscorecam" else {}
    released = cx.explain(trace, f"{name}_released", **few)
    assert released.method == f"{name}_released" and not (released.scores < 0).any()
    same = cx.explain(trace, name, **options, **few)
    assert np.array_equal(released.scores, same.scores)
    assert not np.array_equal(released.scores, cx.explain(trace, name, **few).scores)
    with pytest.raises(ValueError, match="has no option"):
        cx.explain(trace, f"{name}_released", **options)
    with pytest.raises(ValueError, match=f"nearest: .*{name}_released"):
        cx.explain(trace, f"{name}_relased")


@second_route("grad_cam")
def test_grad_cam_on_a_resnet(golden_resnet):
    model, arrays, _ = golden_resnet
    trace = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    features = model.visual.features(arrays["image"]).detach().requires_grad_()
    pool = model.visual.attention_pool
    x = pool.tokens(features)
    pooled = pool.merge(F.scaled_dot_product_attention(*pool.qkv(x)))[:, 0]
    torch.testing.assert_close(
        F.normalize(pooled, dim=-1), model.encode_image(arrays["image"]), rtol=1e-4, atol=1e-5
    )
    slope = slopes(F.normalize(pooled, dim=-1) @ trace.text_features.T, features)
    assert_map(
        cx.explain_all(trace, "grad_cam"),
        torch.einsum("tbd,bdyx->tbyx", slope.mean((-1, -2)), features).flatten(2),
    )


@second_route("bimodal")
@pytest.mark.parametrize("blocks", [1, 3, None])
def test_bimodal(pair, blocks):
    """R <- R + C R over whole matrices, as the paper writes it, of the model's own logits."""
    _, _, weights, scores = whole_tower(pair)
    scores = scores * pair.model.logit_scale.exp()
    torch.testing.assert_close(scores, pair.model(pair.pixels, pair.texts), rtol=1e-4, atol=1e-3)
    relevance = torch.eye(197).expand(3, 2, 197, 197)
    for w in weights[8 - (blocks or 8) :]:
        relevance = relevance + (slopes(scores, w) * w).clamp(min=0).mean(2) @ relevance
    assert_map(cx.explain_all(pair, "bimodal", blocks=blocks), relevance[:, :, 0, 1:])


@second_route("legrad")
@pytest.mark.parametrize("blocks", [2, None])
def test_legrad(pair, blocks):
    _, inputs, weights, _ = whole_tower(pair)
    maps = []
    for layer in range(8 - (blocks or 8), 8):
        pooled = F.normalize(pair.model.visual.read_out(inputs[layer + 1].mean(1)), dim=-1)
        maps.append(slopes(pooled @ pair.text_features.T, weights[layer]).clamp(min=0).mean((2, 3)))
    assert_map(cx.explain_all(pair, "legrad", blocks=blocks), torch.stack(maps).mean(0)[..., 1:])


def minmax(x):
    return (x - x.min()) / (x.max() - x.min())


def one_head(block, stream, row, allowed):
    """Queries, keys, values and the attention output of one token, with a single head."""
    q, k, v = block.attn.qkv(block.ln_1(stream))[0].chunk(3, dim=-1)  # N D each
    weights = (q[row] @ k[:allowed].T / q.shape[-1] ** 0.5).softmax(-1)
    return q, k, v, weights @ v[:allowed]


def finite_difference(score, x, direction, step=1e-5):
    return (score(x + step * direction) - score(x - step * direction)) / (2 * step)


@second_route("grad_eclip")
def test_grad_eclip_by_finite_differences(double):
    """sum_c g_c v[i, c] is the slope of the score along v_i."""
    tower, block = double.model.visual, double.model.visual.blocks[-1]
    stream = double.residual(7)
    q, k, v, mixed = one_head(block, stream, 0, 197)

    def score(mixed):
        x = stream[0, 0] + block.attn.out(mixed)
        return (
            F.normalize(tower.read_out(x + block.ffn(x)), dim=-1) @ double.text_features.double().T
        )

    alike = minmax(F.cosine_similarity(block.attn.out(q[:1]), block.attn.out(k[1:]), dim=-1))
    expected = torch.stack([finite_difference(score, mixed, v_i) for v_i in v[1:]], 1) * alike
    assert_map(cx.explain_all(double, "grad_eclip"), expected[:, None], 1e-5)
    assert_map(
        cx.explain_all(double, "grad_eclip", relu=True), expected[:, None].clamp(min=0), 1e-5
    )


@second_route("words of grad_eclip")
def test_grad_eclip_words_by_finite_differences(double):
    tower, block = double.model.text, double.model.text.blocks[-1]
    stream, end = double.text_layers[-1].residual[:1], 6
    q, k, v, mixed = one_head(block, stream, end, end + 1)

    def score(mixed):
        x = stream[0, end] + block.attn.out(mixed)
        feature = tower.ln_final(x + block.ffn(x)) @ tower.projection
        return F.normalize(feature, dim=-1) @ double.image_features[0].double()

    alike = minmax(
        F.cosine_similarity(block.attn.out(q[end]), block.attn.out(k[: end + 1]), dim=-1)
    )
    expected = torch.stack([finite_difference(score, mixed, v_i) for v_i in v[: end + 1]]) * alike
    np.testing.assert_allclose(
        cx.word_relevance(double, "grad_eclip").scores, expected, rtol=1e-4, atol=1e-9
    )


@second_route("gradient_x_input")
def test_gradient_x_input_by_finite_differences(double):
    """pixel * slope, summed over a patch, is how fast the score moves when that patch grows."""
    scores = cx.explain(double, "gradient_x_input").scores

    pixels = double.pixels.double()
    for y, x in ((0, 0), (5, 9), (13, 4)):
        direction = torch.zeros_like(pixels)
        direction[..., 8 * y : 8 * y + 8, 8 * x : 8 * x + 8] = pixels[
            ..., 8 * y : 8 * y + 8, 8 * x : 8 * x + 8
        ]
        np.testing.assert_allclose(
            scores[:, y, x],
            finite_difference(partial(cosines, double), pixels, direction)[0],
            rtol=1e-4,
            atol=1e-8,
        )


@second_route("words of gradient_x_input")
def test_gradient_x_input_words_by_finite_differences(double):
    tower, ids = double.model.text, double.token_ids[:1]

    def score(embedded):
        stream = embedded + tower.positions[: embedded.shape[1]]
        for block in tower.blocks:
            stream = block(stream, causal=True)
        return (
            F.normalize((tower.ln_final(stream) @ tower.projection)[0, 6], dim=-1)
            @ double.image_features[0].double()
        )

    embedded = tower.token_embedding(ids)
    expected = [
        finite_difference(score, embedded, F.one_hot(torch.tensor(n), 7)[None, :, None] * embedded)
        for n in range(7)
    ]
    np.testing.assert_allclose(
        cx.word_relevance(double, "gradient_x_input").scores, expected, rtol=1e-4, atol=1e-9
    )


@second_route("integrated_gradients")
def test_integrated_gradients(double):
    """Against the sum written out, and complete: the map adds up to what the picture gains over the
    mean colour.
    """
    double = cx.record(double.model, double.images[0], list(double.texts), size=64)
    few = cx.explain_all(double, "integrated_gradients", steps=3, rule="middle")
    total = 0
    for at in (1 / 6, 1 / 2, 5 / 6):
        x = (double.pixels.double() * at).requires_grad_()
        total = total + slopes(cosines(double, x), x) / 3
    pixels = (total * double.pixels.double()).sum(2)
    assert_map(few, pixels.unflatten(3, (8, 8)).unflatten(2, (8, 8)).sum((3, 5)).flatten(2), 1e-5)
    gained = (
        double.model.encode_image(double.pixels.double())
        - double.model.encode_image(0 * double.pixels.double())
    ) @ double.text_features.T
    # three nodes of Gauss and Legendre, as tables give them
    total = 0
    for at, weight in ((-(0.6**0.5), 5 / 9), (0, 8 / 9), (0.6**0.5, 5 / 9)):
        x = (double.pixels.double() * (at + 1) / 2).requires_grad_()
        total = total + slopes(cosines(double, x), x) * weight / 2
    pixels = (total * double.pixels.double()).sum(2)
    expected = pixels.unflatten(3, (8, 8)).unflatten(2, (8, 8)).sum((3, 5)).flatten(2)
    assert_map(cx.explain_all(double, "integrated_gradients", steps=3), expected, 1e-5)
    # what it says of its completeness is what its sums lack
    gaps = {}
    for steps in (3, 32):
        found = cx.explain(double, "integrated_gradients", steps=steps)
        lacks = abs(found.scores.sum((1, 2)) - gained[0].numpy()).max()
        (said,) = [note for note in found.notes if note.startswith("Completeness")]
        assert float(said.split("within ")[1].split(" ")[0]) == pytest.approx(
            lacks, rel=0.1, abs=1e-7
        )
        gaps[steps] = lacks
    middle = cx.explain(double, "integrated_gradients", rule="middle").scores.sum((1, 2))
    assert gaps[32] < gaps[3]
    assert gaps[32] < abs(middle - gained[0].numpy()).max()


@pytest.fixture(scope="module")
def theirs_and_ours(tmp_path_factory):
    """A small random CLIP of transformers with attention that can be asked for, and the same loaded
    by us.
    """
    config = CLIPConfig(
        projection_dim=32,
        vision_config=dict(
            patch_size=8,
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=3,
            num_attention_heads=4,
            image_size=32,
        ),
        text_config=dict(
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=3,
            num_attention_heads=2,
            vocab_size=60,
            max_position_embeddings=16,
            bos_token_id=58,
            eos_token_id=59,
        ),
        attn_implementation="eager",
    )
    torch.manual_seed(0)
    theirs = CLIPModel(config).eval()
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_(std=0.2)
    folder = tmp_path_factory.mktemp("theirs")
    theirs.save_pretrained(folder)
    return theirs, cx.load(folder)


@second_route("attention", "bimodal", "words of bimodal")
def test_transformers_attention_outputs(theirs_and_ours):
    """The same maps from `output_attentions=True` of transformers' CLIPModel, for image and text,
    all layers.
    """
    theirs, ours = theirs_and_ours
    pixels = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    ids = torch.tensor([[58, 5, 9, 22, 59]])
    seen = theirs.vision_model(pixel_values=pixels, output_attentions=True)
    read = theirs.text_model(input_ids=ids, output_attentions=True)
    image, text = (
        theirs.visual_projection(seen.pooler_output),
        theirs.text_projection(read.pooler_output),
    )
    score = F.cosine_similarity(image, text)[0]
    logit = theirs.logit_scale.exp() * score
    trace = cx.record(ours, pixels, ids, normalized=True)
    torch.testing.assert_close(
        trace.image_features @ trace.text_features.T, score[None, None], rtol=1e-4, atol=1e-5
    )
    assert_map(cx.explain_all(trace, "attention"), seen.attentions[-1].mean(1)[None, :, 0, 1:])
    maps = []
    for weights in (seen.attentions, read.attentions):
        relevance = torch.eye(weights[0].shape[-1])
        for w in weights:
            (slope,) = torch.autograd.grad(logit, w, retain_graph=True)
            relevance = relevance + (slope * w).clamp(min=0).mean(1)[0] @ relevance
        maps.append(relevance)
    assert_map(cx.explain_all(trace, "bimodal", blocks=None), maps[0][None, None, 0, 1:])
    words, unit = cx.METHODS["bimodal"].words(trace, 0, blocks=None)
    torch.testing.assert_close(words, maps[1][-1].detach(), rtol=1e-3, atol=1e-6)
    assert unit == "relevance (attention x gradient of the logit)"


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, row in cx.METHODS.items()
        if row.needs != "covered pictures" and VisionTransformer.has.issuperset(row.requires)
    ],
)
def test_a_single_patch_has_a_number(embedded, name):
    """Min-max of one value must not divide by nothing."""
    pixels = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert np.isfinite(
        cx.explain(cx.record(embedded, pixels, ["a dog", "a cat"], normalized=True), name).scores
    ).all()
