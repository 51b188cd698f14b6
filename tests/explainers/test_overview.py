"""Does the overview say what other verbs and the model itself say, and what each tower has?"""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.model.towers.siglip import SiglipVisionTransformer


@pytest.fixture(scope="module")
def found(trace):
    return cx.overview(trace)


def test_rows_are_the_largest_weights_and_their_scores(trace, found):
    """Scores by hand, from q and k."""
    layer, head, patch = 3, 2, 40
    tape = trace.layers[layer]
    scores = (tape.q @ tape.k.transpose(-1, -2))[0, head] / tape.q.shape[-1] ** 0.5
    for rows, query in ((found.class_rows, None), (found.patch_rows, patch)):
        of_head = (layer, head) if query is None else (layer, head, query)
        expected = scores[0 if query is None else 1 + query].double()
        order = expected.argsort(descending=True)[: rows.tokens.shape[-1]]
        assert rows.tokens[of_head].tolist() == order.tolist()
        weights = expected.softmax(0)
        np.testing.assert_allclose(rows.weights[of_head], weights[order], rtol=1e-4)
        said = np.log(rows.weights[of_head]) + rows.level[of_head]
        np.testing.assert_allclose(said, expected[order], atol=1e-3)
        bits = -(weights * weights.log2()).sum()
        assert rows.spread[of_head] == pytest.approx(float(2**bits), rel=1e-4)


def test_the_lens_and_the_shares_are_those_of_contributions(trace, found):
    parts, heads = cx.contributions(trace), cx.head_contributions(trace)
    np.testing.assert_allclose(found.lens[:, :, 1:], parts.lens, atol=1e-5)
    np.testing.assert_allclose(found.lens[-1], parts.similarity, atol=1e-5)
    np.testing.assert_array_equal(found.shares.ffn, parts.ffn)
    np.testing.assert_allclose(found.shares.heads, heads.heads.sum(-1), atol=1e-6)
    token = int(found.class_rows.tokens[6, 1, 4])
    assert found.shares.fetched[6, 1, 2, 4] == heads.heads[6, 1, 2, token]


@pytest.mark.parametrize("setting", range(8))
def test_every_setting_of_the_second_rail_is_an_explanation(trace, found, setting):
    options = dict(
        attention="vv" if setting & 1 else "qk", dual_path=bool(setting & 2), ffn=not setting & 4
    )
    for name, less in (
        ("clip_surgery_architecture", 0),
        ("clip_surgery", found.rail.empty[setting]),
    ):
        expected = cx.explain(trace, name, blocks=6, **options).scores
        end = (found.rail.maps[setting, -1] - less).reshape(expected.shape)
        np.testing.assert_allclose(end, expected, atol=1e-5)
    before = found.rail.maps[setting, 0]
    np.testing.assert_allclose(before, found.lens[2, :, 1:], atol=1e-5)
    if setting == 0:  # nothing is changed: the model's own path, station by station
        own = found.lens[2:, :, 1:]
        np.testing.assert_allclose(found.rail.maps[0], own, atol=1e-5)


def test_a_text_is_read_as_its_tokens_say(trace, found):
    said, reading = cx.token_scores(trace, 1), found.readings[1]
    assert reading.tokens == said.tokens
    np.testing.assert_allclose(reading.rows, said.attention[:, -1], atol=1e-6)
    similarity = trace.similarity()[0, 0]
    np.testing.assert_allclose([one.lens[-1] for one in found.readings], similarity, atol=1e-5)


def test_many_heads_have_their_mean(trace, found, monkeypatch):
    monkeypatch.setattr("clipxai.explainers.overview.MOST_ROWS", 10)
    mean = cx.overview(trace)
    assert mean.patch_rows.tokens.shape[1] == mean.values.shape[1] == 1
    weights = trace.attention(5)[0, :, 1 + 30].mean(0)
    np.testing.assert_allclose(mean.patch_rows.weights[5, 0, 30], weights.topk(12)[0], atol=1e-6)
    assert np.isnan(mean.patch_rows.level).all()
    np.testing.assert_array_equal(mean.class_rows.tokens, found.class_rows.tokens)


def test_without_words_heads_or_a_stream(trace, golden_resnet):
    assert (
        cx.overview(cx.record(trace.model, trace.images, ["dog"], templates="a {}.")).readings == ()
    )
    patched = cx.patch(trace, trace.with_texts(["a dog"]), "head", layer=3, heads=1, tokens=[0])
    shares = cx.overview(patched).shares
    assert shares.heads is None and shares.attention.shape[0] == 8
    model, arrays, _ = golden_resnet
    ids = torch.ones(2, model.text.context, dtype=torch.long)
    ids[:, -1] = model.text.vocabulary - 1
    resnet = cx.overview(cx.record(model, trace.images, ids))
    assert resnet.shares is None and not resnet.has_stream and len(resnet.lens) == 1
    assert resnet.rail.switches == ("attention",) and resnet.rail.maps.shape[:2] == (2, 2)
    with pytest.raises(ValueError, match="requires texts"):
        cx.overview(cx.record(trace.model, trace.images))


def test_a_siglip_has_no_class_token_and_no_shares(trace):
    """Its whole image is what its pooling head says of the stream at each station."""
    torch.manual_seed(0)
    tower = SiglipVisionTransformer(
        image_size=(32, 32), patch=8, width=128, layers=3, heads=2, ffn_width=32
    )
    model = cx.CLIP(tower, trace.model.text, trace.model.tokenizer)
    recorded = cx.record(model, trace.images, ["a dog"])
    found = cx.overview(recorded)
    assert found.shares is None and found.class_rows is None and found.leading == 0
    features = F.normalize(tower.tokens(recorded.layers[1].residual)[0, 0], dim=-1)
    expected = float((features @ recorded.text_features[0]).detach())
    assert found.lens[1, 0, 0] == pytest.approx(expected, abs=1e-5)
