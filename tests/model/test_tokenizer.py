"""The same ids as transformers' tokenizer, words that know their pieces, and errors that say what to do."""

import gzip
import json

import pytest
from transformers import CLIPTokenizer

from clipxai.model.checkpoints import EMBEDDED
from clipxai.model.tokenizer import END, OPENAI_MERGES, START, Tokenizer, byte_alphabet, vocabulary_of

TEXTS = [
    "a photo of an owl.", "A Photo  of\ttwo CATS!", "", " ", "it's they've I'll we'd you're", "naïve café — œuvre", "日本語のテキスト",
    "dog 🐕 and 🚲", "abc123 4,567.89", "xylophone-playing zebras", "...!?", "line\nbreak", "Ünïcödé Straße", "a" * 15,
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_folder(str(EMBEDDED), context=77)


@pytest.mark.parametrize("text", TEXTS)
def test_ids_equal_transformers(tokenizer, text):
    theirs = CLIPTokenizer(vocab=str(EMBEDDED / "vocab.json"), merges=str(EMBEDDED / "merges.txt"))
    assert tokenizer.encode(text) == theirs(text)["input_ids"]


def test_html_entities_and_mojibake_are_mended_as_openai_does(tokenizer):
    assert tokenizer.encode("a &amp;amp; b") == tokenizer.encode("a & b")
    assert tokenizer.encode("schÃ¶n") == tokenizer.encode("schön")


def test_pieces_merge_back_to_words(tokenizer):
    text = "a photo of an ambulance and a xylophone."
    ids, words = tokenizer.encode(text), tokenizer.words(text)
    assert [word.text for word in words] == ["a", "photo", "of", "an", "ambulance", "and", "a", "xylophone", "."]
    assert words[0].start == 1 and words[-1].stop == len(ids) - 1
    assert all(before.stop == after.start for before, after in zip(words, words[1:]))
    for word in words:
        assert tokenizer.decode(ids[word.start : word.stop]) == word.text
    assert words[7].stop - words[7].start > 1, "a word the captions never had is spelled in pieces"


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_survives_the_round_trip(tokenizer, text):
    decoded = tokenizer.decode(tokenizer.encode(text))
    assert decoded.replace(" ", "") == " ".join(text.lower().split()).replace(" ", "")


def test_too_long(tokenizer):
    with pytest.raises(ValueError, match=r"text of 202 tokens, but this model reads at most 77.*truncate=True"):
        tokenizer.encode("dog " * 200)
    ids = tokenizer.encode("dog " * 200, truncate=True)
    assert len(ids) == 77 and ids[-1] == tokenizer.end
    assert tokenizer.words("dog " * 200, truncate=True)[-1].stop == 76
    with pytest.raises(TypeError, match="a text must be a string, not int"):
        tokenizer.encode(3)


def test_openai_file_gives_the_ids_openai_gives(tmp_path):
    """OpenAI's file has one header line, 48,894 merges in use, and more lines that are never read."""
    letters = list(byte_alphabet().values())
    merges = [(a, b) for a in letters for b in letters][: OPENAI_MERGES + 1000]
    file = tmp_path / "bpe_simple_vocab_16e6.txt.gz"
    file.write_bytes(gzip.compress(('"bpe_simple_vocab"\n' + "".join(f"{a} {b}\n" for a, b in merges)).encode()))
    tokenizer = Tokenizer.from_openai(file)
    assert len(tokenizer.vocabulary) == 49408
    assert (tokenizer.start, tokenizer.end) == (49406, 49407)
    assert tokenizer.vocabulary["!"] == 0 and tokenizer.vocabulary["a</w>"] == 256 + letters.index("a")


def test_broken_vocabularies_are_named(tmp_path):
    (tmp_path / "vocab.json").write_text(json.dumps({START: 0}))
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    with pytest.raises(ValueError, match=f"lacks 257 of the tokens.*{END}".replace("|", r"\|")):
        Tokenizer.from_folder(tmp_path)
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary_of([])))
    (tmp_path / "merges.txt").write_text("#version: 0.2\na b c\n")
    with pytest.raises(ValueError, match="pair of pieces, but one reads 'a b c'"):
        Tokenizer.from_folder(tmp_path)
