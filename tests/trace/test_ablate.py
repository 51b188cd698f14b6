"""What if it were not there? The same pass again, changed where it was said and nowhere else."""

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.model.towers.vit import VisionTransformer

TEXTS = ["a dog", "a bicycle on grass"]
MODULES = ("residual", "attention", "ffn")


@pytest.fixture(scope="module")
def clean(embedded, scene):
    return cx.record(embedded, scene.image, TEXTS)


@pytest.fixture(scope="module")
def other(embedded):
    return cx.record(embedded, cx.scenes.compose(["cat"], background="sand", seed=2).image, TEXTS)


def cosines(trace):
    return trace.image_features @ trace.text_features.T


@pytest.mark.parametrize("tower", ["image", "text"])
def test_a_pass_patched_with_itself_is_the_pass_to_the_last_bit(clean, tower):
    for what in MODULES:
        again = cx.patch(clean, clean, what, layer=[0, -1], tower=tower)
        assert torch.equal(again.stream, clean.stream)
        assert torch.equal(again.text_tokens, clean.text_tokens)
    again = cx.patch(clean, clean, "head", layer=2, heads=[0, 3], tower=tower)
    assert torch.equal(again.image_tokens(), clean.image_tokens())
    assert torch.equal(again.text_features, clean.text_features)


def test_everything_patched_gives_the_other_pictures_score_to_the_last_bit(clean, other):
    patched = cx.patch(clean, other, layer=0)
    assert torch.equal(cosines(patched), cosines(other))
    assert not torch.equal(cosines(patched), cosines(clean))
    everything = cx.patch(cx.patch(clean, other, layer=0), other, "ffn", layer=range(8))
    assert torch.equal(cosines(everything), cosines(other))
    assert torch.equal(
        cosines(cx.ablate(clean, patches=range(196), to=other, blocks=range(8))),
        cosines(cx.ablate(other, patches=range(196), to=other)),
    )


def test_a_patched_caption_is_the_other_caption(embedded, scene):
    one = cx.record(embedded, scene.image, ["a dog on grass"])
    two = cx.record(embedded, scene.image, ["a cat on sand "])
    assert one.token_ids.shape == two.token_ids.shape
    patched = cx.patch(one, two, layer=0, tower="text")
    assert torch.equal(patched.text_features, two.text_features)
    swapped = cx.patch(one, two, layer=0, tokens=[2], tower="text")
    expected = embedded.encode_text(["a cat on grass"])
    torch.testing.assert_close(swapped.text_features, expected)


@pytest.mark.parametrize("to", ["zero", "mean", "other"])
def test_two_steps_are_one(clean, other, to):
    to = other if to == "other" else to
    for tower in ("image", "text"):
        one = cx.ablate(clean, heads={0: [1], 2: [0, 2]}, ffns=[1], tower=tower, to=to)
        for steps in ((0, 1, 2), (2, 0, 1)):
            parts = [dict(heads={0: [1], 2: [0]}), dict(heads={2: [2]}), dict(ffns=[1])]
            two = clean
            for step in steps:
                two = cx.ablate(two, **parts[step], tower=tower, to=to)
            assert torch.equal(two.stream, one.stream)
            assert torch.equal(two.text_features, one.text_features)
            assert torch.equal(two.layers[2].v, one.layers[2].v)
    one = cx.ablate(clean, patches=[20, 21, 40], layer=2, to=to)
    two = cx.ablate(
        cx.ablate(clean, patches=[40], layer=2, to=to), patches=[20, 21], layer=2, to=to
    )
    assert torch.equal(two.stream, one.stream)


@pytest.mark.parametrize("to", ["zero", "mean"])
@pytest.mark.parametrize("tower", ["image", "text"])
def test_all_heads_of_a_layer_are_its_attention(clean, to, tower):
    heads = cx.ablate(clean, heads={2: range(4)}, to=to, tower=tower)
    whole = cx.ablate(clean, attention=2, to=to, tower=tower)
    assert torch.equal(heads.stream, whole.stream)
    assert torch.equal(heads.text_features, whole.text_features)
    changed = whole.layers if tower == "image" else whole.text_layers
    kept = clean.layers if tower == "image" else clean.text_layers
    assert all(a is b for a, b in zip(changed[:2], kept[:2])), "what comes before is shared"


def test_a_batch_is_one_by_one(embedded, clean, other):
    images = [clean.images[0], other.images[0]]
    together = cx.record(embedded, images, TEXTS)
    asked = dict(heads={2: [1]}, ffns=[4], patches=[3, 50], to="mean")
    changed = cx.ablate(together, **asked)
    for n, alone in enumerate((clean, other)):
        expected = cx.ablate(alone, **asked)
        torch.testing.assert_close(changed.of(n).stream, expected.stream, rtol=1e-4, atol=1e-5)
    crossed = cx.patch(together, cx.record(embedded, images[::-1], TEXTS), "attention", layer=3)
    expected = cx.patch(clean, other, "attention", layer=3)
    torch.testing.assert_close(crossed.of(0).stream, expected.stream, rtol=1e-4, atol=1e-5)
    one = crossed.of(1)
    again = one.with_encoded_texts(one.texts, one.text_features)
    np.testing.assert_allclose(
        cx.explain(again, "grad_cam").scores, cx.explain(crossed, "grad_cam", 1).scores, atol=1e-6
    )


def test_blocks_without_attention_and_ffn_pass_the_stream_on(clean):
    changed = cx.ablate(clean, blocks=[2, 7])
    torch.testing.assert_close(changed.residual(3), changed.residual(2), rtol=0, atol=0)
    torch.testing.assert_close(changed.stream, changed.residual(7), rtol=0, atol=0)


def test_knocked_out_tokens_are_not_looked_at(clean):
    N = clean.stream.shape[1]
    mask = np.zeros((N, N), bool)
    mask[0, 1:] = True
    changed = cx.ablate(clean, mask={5: mask, 6: mask})
    assert not changed.attention(5)[:, :, 0, 1:].any()
    torch.testing.assert_close(changed.attention(5).sum(-1), clean.attention(5).sum(-1))
    torch.testing.assert_close(changed.attention(4), clean.attention(4))
    block, tape = clean.model.visual.blocks[6], changed.layers[6]
    by_hand = block.merge(changed.attention(6) @ tape.v)
    torch.testing.assert_close(by_hand, tape.attention, rtol=1e-4, atol=1e-5)
    some = np.zeros((4, N, N), bool)
    some[2] = mask
    one_head = cx.ablate(clean, mask={5: some})
    assert not one_head.attention(5)[:, 2, 0, 1:].any()
    torch.testing.assert_close(
        one_head.attention(5)[:, [0, 1, 3]], clean.attention(5)[:, [0, 1, 3]]
    )


def test_shares_still_add_up(clean, other):
    for changed in (
        cx.ablate(clean, heads={6: [3], 2: [0]}),
        cx.ablate(clean, blocks=[3], ffns=[5]),
        cx.ablate(clean, attention=[4], to="mean"),
        cx.patch(clean, other, "attention", layer=6),
        cx.patch(clean, other, layer=4, tokens=[0, 17]),
        cx.ablate(clean, patches=[40, 41], layer=3, to="mean"),
    ):
        assert cx.contributions(changed).residual < 1e-5, changed
        heads = cx.head_contributions(changed)
        assert heads.residual < 1e-5, changed
        whole = cx.explain(changed, "decomposition").scores.reshape(2, -1)
        np.testing.assert_allclose(whole, heads.heads.sum((0, 1))[:, 1:], atol=1e-6)
    silent = cx.head_contributions(cx.ablate(clean, heads={6: [3]})).heads
    assert not silent[6, 3].any() and silent[6, 2].any()
    overwritten = cx.head_contributions(cx.patch(clean, other, layer=4, tokens=[0]))
    assert not overwritten.heads[:4].any() and overwritten.heads[4:].any()


def test_every_method_sees_the_changed_model(embedded, clean):
    """A head silenced by a rule against a copy of the model whose weights silence it."""
    weights = {name: value.clone() for name, value in embedded.state_dict().items()}
    copy = cx.load()
    copy.load_state_dict(weights)
    with torch.no_grad():
        copy.visual.blocks[6].attn.out.weight[:, 32:64] = 0
        copy.visual.blocks[3].mlp.down.weight.zero_()
        copy.visual.blocks[3].mlp.down.bias.zero_()
    expected = cx.record(copy, clean.images[0], TEXTS)
    changed = cx.ablate(clean, heads={6: [1]}, ffns=[3])
    quick = {"m2ib": dict(steps=2, samples=2), "rise": dict(masks=8), "occlusion": dict(window=13)}
    quick |= {"integrated_gradients": dict(steps=2), "gscorecam": dict(channels=8)}
    # these compare or mix the values themselves, which a silent head of this copy still has
    by_value = {"gem", "resclip", "grad_eclip", "legrad"} | {
        row.name for row in cx.methods() if row.preset not in (None, "clip", "maskclip_released")
    }
    for row in cx.methods():
        if VisionTransformer.has.issuperset(row.requires) and row.name not in by_value:
            options = quick.get(row.name, {})
            found, there = (
                cx.explain(trace, row.name, **options).scores for trace in (changed, expected)
            )
            np.testing.assert_allclose(found, there, atol=2e-4 * abs(there).max(), err_msg=row.name)


def test_other_images_and_texts_go_through_the_changed_model(embedded, clean, other):
    changed = cx.ablate(clean, heads={6: [3]}, ffns=[2])
    changed = cx.ablate(changed, heads={1: [0]}, tower="text", to="mean")
    prepared = embedded.preprocessor(other.images[0])
    seen = changed.with_images(prepared).with_texts(["a cat"])
    expected = cx.ablate(cx.record(embedded, other.images[0], ["a cat"]), heads={6: [3]}, ffns=[2])
    expected = cx.ablate(expected, heads={1: [0]}, tower="text", to="mean")
    torch.testing.assert_close(cosines(seen), cosines(expected))
    torch.testing.assert_close(
        changed.empty_features, changed.with_texts([""]).text_features, rtol=1e-5, atol=1e-6
    )
    left = cx.word_relevance(changed, text="a dog")
    shorter = changed.with_texts([""])
    drop = cosines(changed)[0, 0] - cosines(shorter)[0, 0]
    assert left.scores[2] == pytest.approx(float(drop), abs=1e-5)
    bound = cx.ablate(cx.ablate(clean, words="dog"), patches=[3])
    with pytest.raises(ValueError, match="text tower was changed for its own texts only"):
        bound.with_texts(["a cat"])
    with pytest.raises(ValueError, match="image tower was changed for its own images only"):
        bound.with_images(prepared)


def test_a_mean_over_a_reference_is_the_mean_of_its_images(embedded, clean, other):
    many = cx.record(embedded, [other.images[0], clean.images[0]], TEXTS)
    changed = cx.ablate(clean, heads={3: [2]}, to="mean", reference=many)
    read = torch.stack([(t.attention(3) @ t.layers[3].v)[0, 2] for t in (other, clean)]).mean(0)
    block, tape = clean.model.visual.blocks[3], clean.layers[3]
    mixed = clean.attention(3) @ tape.v
    mixed[:, 2] = read
    expected = tape.residual + block.merge(mixed)
    torch.testing.assert_close(
        changed.layers[3].residual + changed.layers[3].attention, expected, rtol=1e-4, atol=1e-5
    )
    assert "over 2 images" in repr(changed)
    with pytest.raises(ValueError, match="takes apart what heads fetched"):
        cx.explain(changed, "decomposition")


def test_words_of_one_text_leave_the_empty_text_alone(clean):
    changed = cx.ablate(clean, words=["dog"])
    assert torch.equal(changed.empty_features, clean.empty_features)
    maps = [cx.explain(pass_).scores for pass_ in (changed, clean)]
    assert np.abs(maps[0][0] - maps[1][0]).max() > 0.01
    np.testing.assert_array_equal(maps[0][1], maps[1][1])
    labels = ["a car", "a tree"]
    assert torch.equal(changed.features_beside(labels), clean.features_beside(labels))


def test_words_of_one_text_leave_the_others_alone(clean):
    changed = cx.ablate(clean, words=["bicycle"], text=1, to="mean")
    assert torch.equal(changed.text_features[0], clean.text_features[0])
    residual = clean.text_layers[0].residual[1].clone()
    residual[2] = residual[[1, 3, 4]].mean(0)
    torch.testing.assert_close(changed.text_layers[0].residual[1], residual)


def test_it_says_what_was_done(clean, other):
    changed = cx.ablate(clean, heads={6: [3]}, patches=[0, 1], blocks=[2], to="mean")
    said = "head 3 of layer 6 to the mean; block 2 to the mean; patches 0, 1 entering layer 0 to"
    assert said in repr(changed)
    found = cx.explain(changed)
    assert "What if: head 3 of layer 6 to the mean; " in found.notes[0]
    assert "head 3 of layer 6" in found.provenance["changed"]
    assert "block 2" in cx.attention_maps(changed).picture.provenance["changed"]
    assert "block 2" in cx.patch_similarity(changed, (3, 7)).provenance["changed"]
    assert "changed" not in cx.explain(clean).provenance
    mask = np.zeros((197, 197), bool)
    mask[3, 4] = True
    assert "1 looks kept from layer 1" in repr(cx.ablate(clean, mask={1: mask}))
    assert "FFN of layer 7 at token 0 from another pass" in repr(
        cx.patch(clean, other, "ffn", layer=-1, tokens=[0])
    )


def test_the_model_stays_as_it_is(embedded, scene, clean):
    before = embedded.encode_image(clean.pixels)
    cx.ablate(clean, heads={6: [3]}, blocks=[2])
    assert torch.equal(embedded.encode_image(clean.pixels), before)
    assert not any(module._forward_hooks for module in embedded.modules())


LOOKS = np.zeros((197, 197), bool)
LOOKS[0, 5:9] = True
WRONG = {
    "nothing to take out": dict(),
    "nothing to take out: name": dict(to="mean"),
    "layer and text say where patches and words stand": dict(layer=3, heads={1: [0]}),
    "head number 4, but layer 6 of the image tower has 4": dict(heads={6: [4]}),
    "layer 8, but the image tower has 8": dict(ffns=[8]),
    "no head of layer 6 is named": dict(heads={6: []}),
    "a mask of layer 1 is bool of shape": dict(mask={1: np.ones((3, 3), bool)}),
    "token 0 could look at nothing in layer 1": dict(mask={1: np.ones((197, 197), bool)}),
    "false everywhere": dict(mask={1: np.zeros((197, 197), bool)}),
    "patch number 196, but the image has 196": dict(patches=[196]),
    "the mask covers no patch by more than half": dict(patches=np.zeros((14, 14), bool)),
    "no word 'cat' in 'a dog'": dict(words="cat"),
    "to='nothing', but 'zero' or 'mean'": dict(ffns=[1], to="nothing"),
    "reference is what a mean is over": dict(ffns=[1], reference=True),
    "tower='text' says": dict(patches=[3], tower="text"),
    "a mask only keeps tokens from looking": dict(mask={1: LOOKS}, to="mean"),
}


@pytest.mark.parametrize("said", WRONG)
def test_wrong_questions(clean, said):
    asked = WRONG[said]
    if "reference" in asked:
        asked = asked | dict(reference=clean)
    with pytest.raises((ValueError, IndexError, TypeError), match=said.replace("(", r"\(")):
        cx.ablate(clean, **asked)


def test_wrong_sources(embedded, clean, scene, golden_resnet):
    with pytest.raises(ValueError, match="belong together"):
        cx.patch(clean, clean, "head", layer=2)
    with pytest.raises(ValueError, match="not of the very model of this one"):
        cx.patch(clean, cx.record(cx.load(), scene.image, TEXTS), layer=2)
    with pytest.raises(ValueError, match="record images of the same size"):
        cx.patch(clean, cx.record(embedded, scene.image, TEXTS, size=56), layer=2)
    with pytest.raises(ValueError, match="record them as they are"):
        templated = cx.record(embedded, scene.image, ["dog"], templates="a {}")
        cx.ablate(templated, ffns=[1], tower="text")
    model, arrays, _ = golden_resnet
    with pytest.raises(ValueError, match="requires transformer blocks"):
        cx.ablate(cx.record(model, arrays["image"], arrays["tokens"], normalized=True), ffns=[0])
