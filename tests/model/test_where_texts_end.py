"""Where a text ends is the model's knowledge; and tokens that somebody added are read like
transformers reads them.
"""

import json

import pytest
import torch
from tokenizers import AddedToken as Added
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

import clipxai as cx
from clipxai.model.files.locating import EMBEDDED
from clipxai.model.towers import text as text_tower
from clipxai.model.words.tokenizer import Tokenizer

WORDS = json.loads((EMBEDDED / "vocab.json").read_text(encoding="utf-8"))
END = max(WORDS.values())
NEW = ["<sks>", "zxqv", "New Word"]
TEXTS = [
    "a photo of <sks> on a table",
    "<sks>",
    "a<sks>b",
    "zxqv and <SKS> zxqvs",
    "a new word, a New Word; newword",
    "no such token",
]


@pytest.fixture(scope="module", params=[END, 2], ids=["told", "legacy 2"])
def theirs(request, tmp_path_factory):
    """(folder, transformers' model, its tokenizer) with tokens behind [end]."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("added")
    tokenizer = CLIPTokenizer(
        vocab=str(EMBEDDED / "vocab.json"), merges=str(EMBEDDED / "merges.txt")
    )
    tokenizer.add_tokens([*NEW[:2], Added(NEW[2], normalized=False)])
    tower = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2)
    config = CLIPConfig(
        projection_dim=16,
        vision_config=dict(image_size=32, patch_size=8, **tower),
        text_config=dict(
            vocab_size=len(WORDS) + len(NEW),
            eos_token_id=request.param,
            max_position_embeddings=32,
            **tower,
        ),
    )
    model = CLIPModel(config).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder, model, tokenizer, request.param


def test_added_tokens_are_read(theirs):
    folder, _, tokenizer, _ = theirs
    ours = cx.load(folder).tokenizer
    for text in TEXTS:
        assert ours.encode(text) == tokenizer(text)["input_ids"], text
    assert [word.text for word in ours.words("a photo of <sks>")][-1] == "<sks>"
    assert ours.decode(ours.encode("a photo of <sks> and a cat")) == "a photo of <sks> and a cat"


def test_the_text_is_read_at_its_end(theirs):
    folder, model, tokenizer, end = theirs
    ours = cx.load(folder)
    assert ours.text.end_id == (None if end == 2 else END)
    padded = tokenizer(TEXTS, padding=True, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        expected = model.get_text_features(padded)
        expected = getattr(expected, "pooler_output", expected)
    expected = torch.nn.functional.normalize(expected, dim=-1)
    if end == 2:  # transformers then reads at the largest id, which is no [end]: nobody means that
        for texts in (TEXTS, padded):
            with pytest.raises(ValueError, match="the vocabulary ends a text with token"):
                ours.encode_text(texts)
        torch.testing.assert_close(ours.encode_text(TEXTS[-1:]), expected[-1:], rtol=0, atol=1e-5)
        return
    torch.testing.assert_close(ours.encode_text(padded), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(ours.encode_text(TEXTS), expected, rtol=0, atol=1e-5)
    trace = cx.record(ours, torch.rand(3, 32, 32), padded)
    torch.testing.assert_close(trace.text_features, expected, rtol=0, atol=1e-5)
    assert trace.texts[0] == "a photo of <sks> on a table"
    torch.testing.assert_close(trace.empty_features, ours.encode_text([""]), rtol=0, atol=1e-5)


def test_in_memory_it_is_the_same(theirs):
    folder, model, tokenizer, end = theirs
    ours = cx.load(model, tokenizer=folder)
    assert ours.text.end_id == (None if end == 2 else END)
    assert ours.tokenizer.encode(TEXTS[0]) == tokenizer(TEXTS[0])["input_ids"]


def test_ids_without_an_end_are_refused(embedded, theirs):
    folder, _, _, end = theirs
    without = torch.tensor([[embedded.tokenizer.start, 5, END], [embedded.tokenizer.start, 5, 6]])
    for model in (embedded, cx.load(folder)):
        with pytest.raises(ValueError, match=rf"text 1 of these token ids has no \[end\].* {END}"):
            model.encode_text(without)
    ids = embedded.tokenize("a cat")
    for wrong, message in (
        (ids[:, 1:], r"text 0 .* does not begin with \[start\]"),
        (torch.cat([torch.zeros_like(ids), ids], 1), r"does not begin with \[start\]"),
        (torch.cat([torch.full_like(ids, END), ids], 1), r"text 0 .* begins with \[end\]"),
    ):
        with pytest.raises(ValueError, match=message):
            cx.record(embedded, torch.rand(3, 112, 112), wrong)
    lone = cx.load(folder)
    lone.tokenizer = None
    with pytest.raises(ValueError, match=r"text 0 .* begins with \[end\]"):
        lone.encode_text(torch.tensor([[END, lone.text.vocabulary - 9, END]]))
    if end == END:
        with pytest.raises(ValueError, match=r"text 1 of these token ids has no \[end\]"):
            lone.encode_text(without)


def test_an_end_beyond_the_vocabulary(theirs, tmp_path):
    folder, *_ = theirs
    for file in folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["text_config"]["eos_token_id"] = 50_000
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="texts end with token 50000, but the vocabulary has 0 to"):
        cx.load(tmp_path)


def test_added_tokens_of_older_files(theirs, tmp_path):
    """vocab.json, merges.txt and added_tokens.json, as slow tokenizers wrote them."""
    *_, tokenizer, _ = theirs
    added = tmp_path / "added_tokens.json"
    added.write_text(json.dumps({"<sks>": END + 1, "zxqv": END + 2}), encoding="utf-8")
    ours = Tokenizer.from_files(EMBEDDED / "vocab.json", EMBEDDED / "merges.txt", 77, added)
    for text in (TEXTS[0], TEXTS[1], TEXTS[2], TEXTS[3], TEXTS[5]):
        assert ours.encode(text) == tokenizer(text)["input_ids"], text


def test_added_tokens_that_are_damaged(tmp_path, theirs):
    folder, *_ = theirs
    described = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    for damage in (
        {"content": 3, "id": 4},
        {"content": "<x>", "id": -1},
        "x",
        {"content": " ", "id": 1},
    ):
        file = tmp_path / "tokenizer.json"
        file.write_text(json.dumps({**described, "added_tokens": [damage]}), encoding="utf-8")
        with pytest.raises(ValueError, match="describes an added token without text or number"):
            Tokenizer.from_tokenizer_json(file)


ALIKE = [
    "a photo of a cat and a dog",
    "a photo of a dog",
    "photo of",
    "a photo of a cat",
    "",
    "an owl",
]


@pytest.mark.parametrize("packed", [512, 16, 1])
def test_what_texts_begin_with_is_read_once(embedded, monkeypatch, packed):
    """Read where they end, they are what they are when each is read by itself; also where the first
    begins like another, equals it, or shares nothing with it.
    """
    monkeypatch.setattr(text_tower, "PACKED", packed)
    for texts in (ALIKE, [ALIKE[3], *ALIKE], ALIKE[-1:]):
        ids = embedded.tokenize(texts)
        one_by_one = torch.cat([embedded.text(row[None])[0, [row.argmax()]] for row in ids])
        torch.testing.assert_close(embedded.text.at_ends(ids), one_by_one, rtol=0, atol=1e-5)
    monkeypatch.setattr(embedded.text, "end_id", None)  # at the largest id, as OpenAI's code
    # behind where the first is read, it is not read, whatever another shares with it there
    ids = torch.tensor([[98, 97, 5, 3, 0], [98, 97, 5, 99, 0], [97, 97, 98, 3, 99]])
    one_by_one = torch.cat([embedded.text(row[None])[0, [row.argmax()]] for row in ids])
    torch.testing.assert_close(embedded.text.at_ends(ids), one_by_one, rtol=0, atol=1e-5)
