"""Equal to transformers' SigLIP and SigLIP 2, and what a tower without a class token means for
maps.
"""

import json

import numpy as np
import pytest
import torch
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers import Tokenizer as Backend
from transformers import Siglip2Config, Siglip2Model, Siglip2Tokenizer, SiglipConfig, SiglipModel

import clipxai as cx
from clipxai.model.files.untrusted import no_panic
from clipxai.model.towers.siglip import SiglipVisionTransformer
from clipxai.model.words.growth import growth
from clipxai.model.words.piece_tokenizer import PieceTokenizer

CLOSE = dict(rtol=0, atol=1e-4)
SMALL = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=7, num_attention_heads=4)
TEXT = dict(**SMALL, vocab_size=120, max_position_embeddings=16, projection_size=64)


def shaken(model):
    """Biases, probes and scales start at or near zero, which would hide a forgotten term."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias") or "probe" in name or "position_embedding" in name:
                parameter.normal_(std=0.2)
        model.logit_scale.fill_(2.3)
        model.logit_bias.fill_(-5.0)
    return model.eval()


@pytest.fixture(scope="module")
def siglip():
    return shaken(
        SiglipModel(
            SiglipConfig(text_config=TEXT, vision_config=dict(**SMALL, image_size=32, patch_size=8))
        )
    )


@pytest.fixture(scope="module")
def siglip2():
    return shaken(
        Siglip2Model(
            Siglip2Config(
                text_config=TEXT, vision_config=dict(**SMALL, num_patches=16, patch_size=8)
            )
        )
    )


@pytest.fixture(scope="module")
def ours(siglip, tmp_path_factory):
    folder = tmp_path_factory.mktemp("siglip")
    siglip.save_pretrained(folder)
    (folder / "tokenizer.json").write_text(unigram().to_str())
    settings = {"tokenizer_class": "SiglipTokenizer", "eos_token": "</s>", "pad_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return cx.load(folder)


def unigram():
    """A SentencePiece vocabulary as SigLIP's: whole words for a few, letters for the rest."""
    words = ["▁a", "▁photo", "▁of", "▁dog", "▁cat", "▁two", "s", "▁"]
    vocabulary = [
        ("<unk>", 0.0),
        ("</s>", 0.0),
        *((w, -2.0) for w in words),
        *((c, -6.0) for c in "abcdefghijklmnopqrstuvwxyz0123456789"),
    ]
    backend = Backend(models.Unigram(vocabulary, unk_id=0))
    backend.normalizer = normalizers.Sequence(
        [normalizers.Lowercase(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    backend.decoder = decoders.Metaspace()
    return backend


IDS = torch.randint(2, 120, (3, 16), generator=torch.Generator().manual_seed(1))


def test_siglip_features_and_logits(siglip, ours):
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        expected = siglip(input_ids=IDS, pixel_values=pixels)
    torch.testing.assert_close(ours.encode_image(pixels), expected.image_embeds, **CLOSE)
    torch.testing.assert_close(ours.encode_text(IDS), expected.text_embeds, **CLOSE)
    torch.testing.assert_close(ours(pixels, IDS), expected.logits_per_image, **CLOSE)
    torch.testing.assert_close(
        ours.probabilities(pixels, IDS), expected.logits_per_image.sigmoid(), **CLOSE
    )


def test_siglip_at_another_size(siglip, ours):
    pixels = torch.randn(1, 3, 48, 48, generator=torch.Generator().manual_seed(3))
    ours.visual.positions.mode = "bicubic"  # as transformers interpolates
    try:
        mine = ours.encode_image(pixels, normalize=False)
    finally:
        ours.visual.positions.mode = "bilinear"
    with torch.no_grad():
        expected = siglip.vision_model(
            pixel_values=pixels, interpolate_pos_encoding=True
        ).pooler_output
    torch.testing.assert_close(mine, expected, **CLOSE)


def test_a_patch_says_what_the_head_says_to_it_alone(siglip, ours):
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    tokens = cx.record(ours, pixels, IDS, normalized=True).image_tokens(normalize=False)
    with torch.no_grad():
        stream = siglip.vision_model(pixel_values=pixels).last_hidden_state
        alone = torch.stack(
            [siglip.vision_model.head(stream[:, n : n + 1]) for n in range(16)], dim=1
        )
        torch.testing.assert_close(
            tokens[:, :1], siglip.vision_model.head(stream)[:, None], **CLOSE
        )
    torch.testing.assert_close(tokens[:, 1:], alone, **CLOSE)


def test_colours_are_siglips_unless_told(siglip, siglip2, ours, tmp_path):
    for model in (cx.load(siglip), cx.load(siglip2), ours):
        assert model.preprocessor.mean == model.preprocessor.std == (0.5, 0.5, 0.5)
    siglip.save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text('{"image_mean": [0.1, 0.2, 0.3]}')
    told = cx.load(tmp_path).preprocessor
    assert told.mean == (0.1, 0.2, 0.3) and told.std == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("size", [(32, 32), (24, 40)])
def test_siglip2_features(siglip2, size):
    ours = cx.load(siglip2)
    pixels = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(5))
    h, w = size[0] // 8, size[1] // 8
    # patches as transformers' processor cuts them
    rows = pixels.reshape(2, 3, h, 8, w, 8).permute(0, 2, 4, 3, 5, 1).reshape(2, h * w, 192)
    with torch.no_grad():
        expected = siglip2(
            input_ids=IDS,
            pixel_values=rows,
            pixel_attention_mask=torch.ones(2, h * w),
            spatial_shapes=torch.tensor([[h, w]] * 2),
        )
    torch.testing.assert_close(ours.encode_image(pixels), expected.image_embeds, **CLOSE)
    torch.testing.assert_close(ours.encode_text(IDS), expected.text_embeds, **CLOSE)
    torch.testing.assert_close(ours(pixels, IDS), expected.logits_per_image, **CLOSE)


def test_siglip2_saved_to_a_folder(siglip2, tmp_path):
    siglip2.save_pretrained(tmp_path)
    pixels = torch.randn(1, 3, 32, 32)
    torch.testing.assert_close(
        cx.load(tmp_path).encode_image(pixels), cx.load(siglip2).encode_image(pixels)
    )


def test_texts_are_padded_to_the_full_length_without_punctuation(ours):
    ids = ours.tokenize(["A photo, of: a DOG!", "two  cats"])
    assert ids.shape == (2, 16)
    assert ids[0].tolist() == [*unigram().encode("a photo of a dog").ids, *[1] * 10]
    assert ours.tokenizer.decode(ids[0].tolist()) == "a photo of a dog"
    with pytest.raises(ValueError, match=r"text of \d+ tokens, but this model reads at most 16"):
        ours.tokenize("dog " * 40)
    assert ours.tokenize("dog " * 40, truncate=True)[0, -1] == 1
    with pytest.raises(TypeError, match="a text must be a string, not int"):
        ours.tokenizer.encode(3)


def described(normalizer=None, decoder=None, added=()):
    """A `tokenizer.json` whose steps are given."""
    model = {"type": "WordLevel", "vocab": {"</s>": 0, "a": 1, "b": 2}, "unk_token": "</s>"}
    return json.dumps(
        {"version": "1.0", "added_tokens": list(added), "normalizer": normalizer,
         "pre_tokenizer": None, "post_processor": None, "decoder": decoder, "model": model}
    )  # fmt: skip


def replacing(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}


def sequence(*steps, kind="normalizers"):
    return {"type": "Sequence", kind: list(steps)}


SWELLING = [replacing({"String": "a"}, "a" * 32)] * 6  # a thousand million of one
TOKEN = {"id": 3, "content": "a", "normalized": True, "single_word": False, "lstrip": False,
         "rstrip": False, "special": False}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        described(sequence(*SWELLING)),
        described(sequence(sequence(*SWELLING[:3]), sequence(*SWELLING[3:]))),
        described(sequence(*SWELLING), added=[TOKEN]),  # which the library normalises at once
        described(sequence(*[replacing({"Regex": "x*"}, "abc")] * 7)),
        described(sequence(*[{"type": "Prepend", "prepend": "a" * 5000}])),
        described(decoder=sequence(*SWELLING, kind="decoders")),
    ],
    ids=["steps", "nested", "added token", "expression", "prepended", "decoder"],
)
def test_steps_that_multiply_are_refused(text, tmp_path):
    (tmp_path / "tokenizer.json").write_text(text)
    with pytest.raises(
        ValueError, match="tokenizer.json .* makes more than 4,096 characters of one"
    ):
        PieceTokenizer.from_files(tmp_path / "tokenizer.json", None, 16)


def test_what_steps_make_of_a_text_is_foreseen(tmp_path):
    """Each bound against what the library makes of the worst letters."""
    for steps, text in (
        ([replacing({"String": "ab"}, "xyz")], "ab" * 50),
        ([replacing({"Regex": "x*"}, "yz")], "q" * 50),
        ([{"type": "NFKD"}], "\ufdfa" * 20),
        ([{"type": "NFD"}], "\u1fa7" * 20),
        ([{"type": "NFC"}], "\U0001d160" * 20),
        ([{"type": "Lowercase"}], "\u0130" * 20),
        ([{"type": "ByteLevel"}], "\U0001f600" * 20),
        ([{"type": "Prepend", "prepend": "abc"}], "a"),
    ):
        parts = json.loads(described(sequence(*steps)))
        made = Backend.from_str(json.dumps(parts)).normalizer.normalize_str(text)
        assert len(text) < len(made) <= len(text) * growth(parts, "normalizer"), steps


def test_words_of_a_siglip_are_left_out_and_not_shown(ours):
    """Its tokens stand for no words: refused, with the way out, which is right."""
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    trace = cx.record(ours, image, "a cat")
    for asked in (cx.token_scores, cx.word_relevance):
        with pytest.raises(ValueError, match="clipxai.word_maps leaves words out of its texts too"):
            asked(trace)
    with pytest.raises(ValueError, match="reads a causal text tower"):
        cx.word_relevance(trace, "gradient_x_input")
    reading = cx.overview(trace).readings[0]
    assert reading.tokens == ("a", "cat", "[end]", *["[pad]"] * (ours.text.context - 3))
    found = cx.word_maps(trace, "clip_surgery_architecture")
    cosines = ours.encode_text(["a cat", "cat", ""]) @ trace.image_features[0]
    assert found.texts == ("a", "cat")
    np.testing.assert_allclose(found.presence, cosines[0] - cosines[1:], atol=1e-5)


def test_a_text_has_a_stated_length(ours, tmp_path):
    with pytest.raises(ValueError, match="text of 10,000,000 characters, but at most 16,384 are"):
        ours.tokenize("dog " * 2_500_000, truncate=True)
    steps = sequence(*[replacing({"String": "a"}, "b" * 64)] * 2)
    (tmp_path / "tokenizer.json").write_text(described(steps))
    tokenizer = PieceTokenizer.from_files(tmp_path / "tokenizer.json", None, 16)
    with pytest.raises(ValueError, match="text of 2,000 characters, but at most 1,024 are"):
        tokenizer.encode("c" * 2000, truncate=True)


def test_a_library_that_breaks_down_is_an_error_like_any_other(tmp_path):
    """Panics of Rust pass `except Exception`; an interruption has to."""
    (tmp_path / "tokenizer.json").write_text(
        described({"type": "Precompiled", "precompiled_charsmap": "AAAA"})
    )
    with pytest.raises(ValueError, match="a library broke down on it: Precompiled"):
        PieceTokenizer.from_files(tmp_path / "tokenizer.json", None, 16)
    steps = replacing({"Regex": "(a+)+$"}, "x")
    (tmp_path / "tokenizer.json").write_text(described(steps))
    tokenizer = PieceTokenizer.from_files(tmp_path / "tokenizer.json", None, 16)
    with pytest.raises(ValueError, match="a library broke down on it: .*retry-limit"):
        tokenizer.encode("a" * 40 + "b")
    with pytest.raises(KeyboardInterrupt), no_panic():
        raise KeyboardInterrupt


@pytest.mark.parametrize("side", ["left", "right"])
def test_siglip2_tokens_equal_transformers(tmp_path, side):
    vocabulary = {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "<mask>": 4, "▁": 5}
    vocabulary |= {letter: n for n, letter in enumerate("abcdefghijklmnop.,!?", 6)}
    vocabulary |= {f"<0x{byte:02X}>": 40 + byte for byte in range(256)} | {"ab": 300, "▁a": 301}
    theirs = Siglip2Tokenizer(
        vocab=vocabulary, merges=[("a", "b"), ("▁", "a")], add_eos_token=True, padding_side=side
    )
    theirs.add_eos_token = True
    theirs.save_pretrained(tmp_path)
    mine = PieceTokenizer.from_files(
        tmp_path / "tokenizer.json", tmp_path / "tokenizer_config.json", 64
    )
    for text in ("a cab, mad!", "", "ABBA.", "zebra é 🐕", "a  b"):
        assert (
            mine.encode(text) == theirs(text, padding="max_length", max_length=64)["input_ids"]
        ), text


@pytest.mark.parametrize(
    "name",
    [
        name
        for name, method in cx.METHODS.items()
        if SiglipVisionTransformer.has.issuperset(method.requires)
    ],
)
def test_methods_without_a_class_token(ours, name):
    trace = cx.record(
        ours,
        torch.randn(2, 3, 32, 48, generator=torch.Generator().manual_seed(6)),
        ["a dog", "two cats"],
        normalized=True,
    )
    assert trace.residual(0).shape == (2, 24, 64) and trace.attention(0).shape == (2, 4, 24, 24)
    for e in cx.explain_all(trace, name):
        assert e.scores.shape == (2, 4, 6) and np.isfinite(e.scores).all() and e.varies()
    torch.testing.assert_close(
        torch.tensor(e.presence), (trace.image_features @ trace.text_features.T)[1]
    )


def test_pixel_gradients_against_autograd_through_encode_image(ours):
    """Text by text through the model's own attention, the pooling head's included."""
    pixels = torch.randn(1, 3, 32, 48, generator=torch.Generator().manual_seed(8))
    trace = cx.record(ours, pixels, ["a dog", "two cats"], normalized=True)
    x = pixels.clone().requires_grad_()
    scores = ours.encode_image(x) @ trace.text_features.T
    for n, found in enumerate(cx.explain(trace, "gradient_x_input").scores):
        (slope,) = torch.autograd.grad(scores[0, n], x, retain_graph=True)
        expected = (slope * pixels)[0].sum(0).unflatten(1, (6, 8)).unflatten(0, (4, 8)).sum((1, 3))
        np.testing.assert_allclose(found, expected, atol=1e-3 * abs(expected).max())


def test_neighbourhood_has_no_row_for_a_class_token(ours):
    trace = cx.record(ours, torch.randn(1, 3, 32, 32), ["a dog"], normalized=True)
    assert cx.rewrite(trace, "naclip").shape == (1, 17, 64)


def test_what_needs_a_class_token_or_words_says_so(ours):
    trace = cx.record(ours, torch.randn(1, 3, 32, 32), ["a dog"], normalized=True)
    for name, method in cx.METHODS.items():
        if not SiglipVisionTransformer.has.issuperset(method.requires):
            with pytest.raises(
                ValueError, match=f"{name} cannot be asked of .* no class token: that requires "
            ):
                cx.explain(trace, name)
    with pytest.raises(ValueError, match="words need CLIP's text tower"):
        cx.token_scores(trace)


def seen_by(siglip, pixels):
    """transformers' attention of every layer (B, H, P, P), the streams behind them, and where the
    probe looks (B, H, P).
    """
    tower = siglip.vision_model
    siglip.set_attn_implementation("eager")
    with torch.no_grad():
        found = tower(pixels, output_attentions=True, output_hidden_states=True)
        x = tower.post_layernorm(found.hidden_states[-1])
        probe = tower.head.probe.expand(len(x), 1, -1)
        looked = tower.head.attention(probe, x, x, average_attn_weights=False)[1][:, :, 0]
    return found.attentions, found.hidden_states, looked


def test_attention_is_the_librarys_and_the_probe_reads_it(siglip, ours):
    """Every head of every layer; the row of the image by hand; rollout by a plain recursion."""
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(6))
    attentions, _, looked = seen_by(siglip, pixels)
    trace = cx.record(ours, pixels, normalized=True)
    maps = cx.attention_maps(trace, ("qk", "vv"), image=1).with_heads(trace, range(7))
    assert (maps.whole, maps.beside, maps.seen) == ("[pool]", "", 16)
    np.testing.assert_allclose(maps.pool, looked[1].numpy(), atol=1e-6)
    read, rolled = looked[1].mean(0).numpy(), np.eye(16)
    for layer, rows in enumerate(attentions):
        rows = rows[1].numpy()
        heads = maps.heads[layer]["qk"]
        np.testing.assert_allclose(heads[:, 1:, 1:], rows, atol=1e-6)
        assert not heads[..., 0].any() and not maps.mean["vv"][..., 0].any(), "of no token"
        of_image = np.einsum("n,hnm->hm", read, rows)
        np.testing.assert_allclose(heads[:, 0, 1:], of_image, atol=1e-6)
        np.testing.assert_allclose(maps.class_rows["qk"][layer][:, 1:], of_image, atol=1e-6)
        rolled = (rows.mean(0) + np.eye(16)) / 2 @ rolled
        np.testing.assert_allclose(maps.rollout[layer][1:], read @ rolled, atol=1e-6)
        bits = -(rows * np.log2(rows)).sum(-1).mean(-1)
        np.testing.assert_allclose(maps.entropy[layer], bits, rtol=1e-4)
    assert not maps.on_class.any()
    rollout, last = (cx.explain(trace, name, image=1) for name in ("rollout", "attention"))
    np.testing.assert_allclose(rollout.scores[0].ravel(), read @ rolled, atol=1e-6)
    np.testing.assert_allclose(last.scores[0].ravel(), read, atol=1e-6)


def read_by_hand(siglip, stream, leaf=False):
    """transformers' own pooling head, its attention written out: where its probe looks, as a leaf
    of the graph or not, and the feature (B, D) of unit length.
    """
    tower = siglip.vision_model
    head, x = tower.head, tower.post_layernorm(stream)
    weight, bias = head.attention.in_proj_weight.chunk(3), head.attention.in_proj_bias.chunk(3)
    q, k, v = (
        torch.nn.functional.linear(of, w, b).unflatten(-1, (4, -1)).transpose(1, 2)
        for of, w, b in zip((head.probe.expand(len(x), 1, -1), x, x), weight, bias)
    )
    looked = (q @ k.mT / 4).softmax(-1)  # B H 1 P, heads are 16 wide
    if leaf:
        looked = looked.detach().requires_grad_()
    answer = head.attention.out_proj((looked @ v).transpose(1, 2).flatten(2))
    feature = (answer + head.mlp(head.layernorm(answer)))[:, 0]
    return looked, torch.nn.functional.normalize(feature, dim=-1)


def test_legrad_is_the_gradient_by_where_the_probe_looks(siglip, ours):
    """By autograd over transformers' own head, its attention computed from a leaf."""
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(7))
    trace = cx.record(ours, pixels, IDS, normalized=True)
    _, streams, _ = seen_by(siglip, pixels)
    by_layer = []
    for stream in streams[1:]:
        looked, feature = read_by_hand(siglip, stream, leaf=True)
        (slope,) = torch.autograd.grad((feature @ trace.text_features[1]).sum(), looked)
        by_layer.append(slope[:, :, 0].clamp(min=0).mean(1))
    for last, name in ((7, "legrad"), (2, "legrad_released")):
        expected = torch.stack(by_layer[-last:]).mean(0)[1].unflatten(0, (4, 4))
        found = torch.tensor(cx.explain(trace, name, image=1).scores[1])
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-7)


def test_bimodal_begins_with_what_the_probe_read(siglip, ours):
    """By autograd through transformers' own layers and head."""
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(7))
    trace = cx.record(ours, pixels, IDS, normalized=True)
    _, streams, _ = seen_by(siglip, pixels)
    x, weights = streams[-3].clone().requires_grad_(), []
    for layer in siglip.vision_model.encoder.layers[-2:]:
        hook = layer.self_attn.register_forward_hook(lambda *called: weights.append(called[-1][1]))
        x = layer(x, None)
        hook.remove()
    looked, feature = read_by_hand(siglip, x)
    logit = (feature @ trace.text_features[1]).sum() * siglip.logit_scale.exp()
    first, second, own = (
        (weight * slope).clamp(min=0).mean(1)
        for weight, slope in zip(
            [*weights, looked], torch.autograd.grad(logit, [*weights, looked]), strict=True
        )
    )
    one = torch.eye(16)
    for blocks, expected in ((2, own @ (one + second) @ (one + first)), (1, own @ (one + second))):
        found = torch.tensor(cx.explain(trace, "bimodal", image=1, blocks=blocks).scores[1])
        torch.testing.assert_close(found, expected[1, 0].unflatten(0, (4, 4)), rtol=1e-3, atol=1e-7)


def test_words_are_left_out_between_blanks(ours):
    pixels = torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(4))
    trace = cx.record(ours, pixels, ["a photo of two dogs, a cat"], normalized=True)
    found = cx.word_maps(trace, "clip")
    assert found.texts == ("a (1)", "photo", "of", "two", "dogs,", "a (6)", "cat")
    image = ours.visual.tokens(ours.visual(pixels))[0]
    image = torch.nn.functional.normalize(image, dim=-1)[1:]
    whole, shorter = ours.encode_text(["a photo of two dogs, a cat", "a photo of two dogs,"])
    expected = (image @ (whole - shorter)).detach().reshape(found.scores[6].shape)
    np.testing.assert_allclose(found.scores[6], expected, atol=1e-5)
    phrase = cx.word_maps(trace, "clip", words=["a cat"])
    np.testing.assert_allclose(phrase.scores, found.scores[6:], atol=1e-6)
    with pytest.raises(ValueError, match="read again is not what was recorded"):
        cx.word_maps(cx.record(ours, pixels, IDS, normalized=True), "clip")


def test_without_a_tokenizer(siglip):
    model = cx.load(siglip)
    trace = cx.record(model, torch.randn(1, 3, 32, 32), IDS, normalized=True)
    with pytest.raises(ValueError, match="the empty text of this model needs its tokenizer"):
        cx.explain(trace, "clip_surgery")
    assert cx.explain(trace, "clip_surgery", redundant="labels").varies()
