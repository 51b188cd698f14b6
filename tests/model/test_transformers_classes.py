"""transformers' models for images and texts, built small by the library with random weights: what
opens gives its features, in memory and from a folder, and what does not is refused in one sentence.
"""

import json
import re

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer as Backend
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors
from transformers_examples import (
    ALL,
    CLIP_SHAPED,
    HOSTED_TEXTS,
    REFUSED,
    built,
    features,
    ids_of,
)

import clipxai as cx
from clipxai.model.words.library_tokenizer import LibraryTokenizer

CLOSE = dict(rtol=0, atol=1e-5)


@pytest.fixture(autouse=True)
def loud():
    """Silence of what the library says to small configs; what it is set to stays."""
    before = hf.utils.logging.get_verbosity()
    hf.utils.logging.set_verbosity_error()
    yield
    hf.utils.logging.set_verbosity(before)


def same(module, ours):
    pixels = torch.randn(2, 3, *ours.visual.image_size)
    ids = ids_of(module)
    images, texts = features(module, pixels, ids)
    torch.testing.assert_close(ours.encode_image(pixels), images, **CLOSE)
    torch.testing.assert_close(ours.encode_text(ids), texts, **CLOSE)
    return ours


@pytest.mark.filterwarnings("ignore:.*left out")
@pytest.mark.parametrize("name", ALL)
def test_features_are_the_librarys(name, tmp_path):
    module = built(name)
    same(module, cx.load(module))
    module.save_pretrained(tmp_path)
    ours = same(module, cx.load(tmp_path))
    inner = getattr(module, "clip", getattr(module, "owlvit", getattr(module, "flava", module)))
    if hasattr(inner, "temperature"):
        assert ours.logit_scale.exp() == pytest.approx(1 / inner.temperature.item())
    elif hasattr(inner, "logit_scale"):
        assert float(ours.logit_scale) == pytest.approx(inner.logit_scale.item())
    else:
        assert float(ours.logit_scale) == 0  # the library multiplies cosines with nothing


@pytest.mark.parametrize("name", [*CLIP_SHAPED, *HOSTED_TEXTS])
@pytest.mark.filterwarnings("ignore:.*left out")
def test_what_can_be_asked(name):
    """Wherever the image tower is CLIP's, everything; words are left out where texts are hosted."""
    module = built(name)
    ours = cx.load(module)
    assert {"blocks", "class_token"} <= ours.visual.has
    trace = cx.record(ours, torch.randn(1, 3, 32, 32), ids_of(module), normalized=True)
    for method in ("clip_surgery", "decomposition", "rollout", "grad_cam"):
        options = {"redundant": "labels", "blocks": 1} if method == "clip_surgery" else {}
        assert cx.explain(trace, method, **options).scores.std() > 0
    with torch.no_grad():
        theirs = module.vision_model if hasattr(module, "vision_model") else None
        if theirs is not None and hasattr(theirs, "set_attn_implementation"):
            theirs.set_attn_implementation("eager")
            rows = theirs(trace.pixels, output_attentions=True).attentions
            assert len(rows) == 2
            torch.testing.assert_close(trace.attention(1), rows[1], **CLOSE)


SETTINGS = [
    ("vision", {"hidden_act": "gelu"}),
    ("vision", {"hidden_act": "quick_gelu"}),
    ("vision", {"layer_norm_eps": 0.03}),
    ("vision", {"num_attention_heads": 2}),
    ("vision", {"image_size": 36}),
    ("vision", {"patch_size": 16}),
    ("vision", {"intermediate_size": 40}),
    ("text", {"hidden_act": "gelu_pytorch_tanh"}),
    ("text", {"layer_norm_eps": 0.03}),
    ("text", {"num_attention_heads": 2}),
    ("text", {"eos_token_id": 7}),
    ("text", {"eos_token_id": 2}),
    ("text", {"pad_token_id": 1}),
    ("text", {"max_position_embeddings": 12}),
    ("both", {"projection_dim": 12}),
]


@pytest.mark.filterwarnings("ignore:.*left out")
@pytest.mark.parametrize("name", [n for n in ALL if "For" not in n and n != "AlignModel"])
def test_every_setting_is_honoured(name, tmp_path):
    """Turned one by one: equal features, or an error that says why not."""
    for number, (part, change) in enumerate(SETTINGS):
        more = change if part == "both" else {part: change}
        module = built(name, **more)
        folder = tmp_path / str(number)
        module.save_pretrained(folder)
        for source in (module, folder):
            try:
                ours = cx.load(source)
            except ValueError as error:
                # 36 pixels are no whole patches of 8, and a hosted encoder takes no less
                assert "image_size" in change, (name, change)
                assert "squares" in str(error)
                continue
            if "image_size" in change:
                assert ours.visual.image_size == (32, 32)  # the rest is never read
                full = torch.randn(2, 3, 36, 36)
                images, _ = features(module, full, ids_of(module))
                torch.testing.assert_close(ours.encode_image(full), images, **CLOSE)
            else:
                same(module, ours)


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_open_says_why(name, tmp_path):
    module = REFUSED[name]().eval()
    module.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"groups|videos|share no space"):
        cx.load(module)
    with pytest.raises(ValueError, match=r"groups|videos|share no space"):
        cx.load(tmp_path)


@pytest.mark.parametrize(
    ("kind", "way_out"),
    [("llava", "openai/clip-vit-large-patch14-336"), ("clap", "sounds"), ("bert", "'altclip'")],
)
def test_configs_of_other_models(kind, way_out, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": kind}))
    save_file({"x": torch.zeros(1)}, tmp_path / "model-of-theirs.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "another.safetensors")
    with pytest.raises(ValueError, match=re.escape(way_out)):
        cx.load(tmp_path)


def test_a_hosted_model_with_a_tensor_missing_or_too_many(tmp_path):
    module = built("ChineseCLIPModel")
    module.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    tensors = load_file(file)
    save_file(tensors | {"something.weight": torch.zeros(2)}, file)
    with pytest.warns(UserWarning, match="something.weight"):
        same(module, cx.load(tmp_path))
    del tensors["text_model.encoder.layer.0.output.dense.bias"]
    save_file(tensors, file)
    with pytest.raises(ValueError, match=r"missing in .*encoder.layer.0.output.dense.bias"):
        cx.load(tmp_path)


def test_without_transformers_the_error_names_the_command(tmp_path, monkeypatch):
    built("ChineseCLIPModel").save_pretrained(tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(ImportError, match="pip install transformers"):
        cx.load(tmp_path)


WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "dog", "cat", "##s", ",", "and", "猫", "狗"]


@pytest.fixture
def bert():
    """A WordPiece tokenizer of few words, as BERT has it."""
    backend = Backend(models.WordPiece({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.decoder = decoders.WordPiece()
    return backend


def test_its_own_tokenizer_and_words_left_out(bert, tmp_path):
    """Ids are the library's; leaving a word out is the text without its pieces."""
    module = built("ChineseCLIPModel")
    module.save_pretrained(tmp_path)
    bert.save(str(tmp_path / "tokenizer.json"))
    ours = cx.load(tmp_path)
    texts = ["A dog, and cats", "猫"]
    reader = hf.PreTrainedTokenizerFast(tokenizer_object=bert, pad_token="[PAD]")
    told = reader(texts, padding="max_length", max_length=16, return_tensors="pt")
    assert torch.equal(ours.tokenize(texts), told["input_ids"])
    with torch.no_grad():
        theirs = module.get_text_features(
            input_ids=told["input_ids"], attention_mask=told["attention_mask"]
        ).pooler_output
    unit = torch.nn.functional.normalize(theirs, dim=-1)
    torch.testing.assert_close(ours.encode_text(texts), unit, **CLOSE)
    assert [w.text for w in ours.tokenizer.words(texts[0])] == ["A", "dog", ",", "and", "cats"]
    assert ours.tokenizer.decode(ours.tokenize(texts)[0].tolist()) == "a dog, and cats"

    trace = cx.record(ours, torch.randn(1, 3, 32, 32), texts, normalized=True)
    found = cx.word_relevance(trace, text=0)
    shorter = ours.encode_text(["A dog, and"])
    drop = float((trace.image_features @ (trace.text_features[0] - shorter[0])).squeeze())
    word, first, stop = found.words[-1]
    assert (word, stop - first) == ("cats", 2)
    assert float(found.scores[first:stop].sum()) == pytest.approx(drop, abs=1e-6)
    with pytest.raises(ValueError, match="causal"):
        cx.word_relevance(trace, "bimodal", text=0)


def test_older_files_of_a_tokenizer(tmp_path):
    """vocab.txt alone, as Chinese-CLIP's repositories have it: transformers reads it."""
    built("ChineseCLIPModel").save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    ours = cx.load(tmp_path)
    assert isinstance(ours.tokenizer, LibraryTokenizer)
    reader = hf.BertTokenizer.from_pretrained(tmp_path)
    for text in ("a dog", "Dogs and 猫狗, cats!", ""):
        assert ours.tokenizer.encode(text) == reader(text)["input_ids"]


def test_a_text_that_is_too_long(bert):
    reader = LibraryTokenizer(bert.to_str(), 6)
    with pytest.raises(ValueError, match=r"text of 8 tokens, but this model reads at most 6"):
        reader.encode("a dog and a cat a")
    assert reader.encode("a dog and a cat a", truncate=True) == [2, 4, 5, 9, 4, 3]
    assert [w.text for w in reader.words("a dog and dogs", truncate=True)] == ["a", "dog", "and"]


def test_a_tokenizer_that_ends_no_text_is_refused(tmp_path):
    backend = Backend(models.WordPiece({w: n for n, w in enumerate(WORDS)}, unk_token="[UNK]"))
    built("ChineseCLIPModel").save_pretrained(tmp_path)
    backend.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(ValueError, match=r"tokenizer.json .*nothing at the end"):
        cx.load(tmp_path)
