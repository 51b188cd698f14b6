"""The same ids as transformers' tokenizer, words that know their pieces, and errors that say what
to do.
"""

import gzip
import html
import json
import random
import unicodedata

import ftfy
import pytest
from transformers import CLIPTokenizer

from clipxai.model.files.locating import EMBEDDED
from clipxai.model.words.tokenizer import (
    END,
    OPENAI_MERGES,
    START,
    Tokenizer,
    byte_alphabet,
    clean,
    vocabulary_of,
)

TEXTS = [
    "a photo of an owl.",
    "A Photo  of\ttwo CATS!",
    "",
    " ",
    "it's they've I'll we'd you're",
    "naïve café — œuvre",
    "日本語のテキスト",
    "dog 🐕 and 🚲",
    "abc123 4,567.89",
    "xylophone-playing zebras",
    "...!?",
    "line\nbreak",
    "Ünïcödé Straße",
    "a" * 15,
]


@pytest.fixture(scope="module")
def tokenizer():
    return Tokenizer.from_files(EMBEDDED / "vocab.json", EMBEDDED / "merges.txt", context=77)


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
    assert [word.text for word in words] == [
        "a",
        "photo",
        "of",
        "an",
        "ambulance",
        "and",
        "a",
        "xylophone",
        ".",
    ]
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
    with pytest.raises(
        ValueError, match=r"text of 202 tokens, but this model reads at most 77.*truncate=True"
    ):
        tokenizer.encode("dog " * 200)
    ids = tokenizer.encode("dog " * 200, truncate=True)
    assert len(ids) == 77 and ids[-1] == tokenizer.end
    assert tokenizer.words("dog " * 200, truncate=True)[-1].stop == 76
    with pytest.raises(TypeError, match="a text must be a string, not int"):
        tokenizer.encode(3)


def test_ten_megabytes_are_no_text(tokenizer):
    """Not even where they are to be cut: one word of so many letters takes minutes to spell."""
    for text in ("dog " * 2_500_000, "d" * 10_000_000, " " * 20_000):
        with pytest.raises(
            ValueError, match=r"text of .* characters, but at most 16,384 are spell"
        ):
            tokenizer.encode(text, truncate=True)
    assert len(tokenizer.encode("dog " * 4096, truncate=True)) == 77


def test_openai_file_gives_the_ids_openai_gives(tmp_path):
    """OpenAI's file has one header line, 48,894 merges in use, and more lines that are never
    read.
    """
    letters = list(byte_alphabet().values())
    merges = [(a, b) for a in letters for b in letters][: OPENAI_MERGES + 1000]
    file = tmp_path / "bpe_simple_vocab_16e6.txt.gz"
    file.write_bytes(
        gzip.compress(('"bpe_simple_vocab"\n' + "".join(f"{a} {b}\n" for a, b in merges)).encode())
    )
    tokenizer = Tokenizer.from_openai(file)
    assert len(tokenizer.vocabulary) == 49408
    assert (tokenizer.start, tokenizer.end) == (49406, 49407)
    assert tokenizer.vocabulary["!"] == 0 and tokenizer.vocabulary["a</w>"] == 256 + letters.index(
        "a"
    )


def test_broken_vocabularies_are_named(tmp_path):
    files = (tmp_path / "vocab.json", tmp_path / "merges.txt")
    files[0].write_text(json.dumps({START: 0}))
    files[1].write_text("#version: 0.2\n")
    with pytest.raises(ValueError, match=f"lacks 257 of the tokens.*{END}".replace("|", r"\|")):
        Tokenizer.from_files(*files)
    files[0].write_text(json.dumps(vocabulary_of([])))
    files[1].write_text("#version: 0.2\na b c\n")
    with pytest.raises(ValueError, match="pair of pieces, but one reads 'a b c'"):
        Tokenizer.from_files(*files)


def strings(count):
    """Every kind of text somebody may type, and kinds nobody would: seeded, so a failure comes
    back.
    """
    chance = random.Random(0)
    words = "a an the photo of dog owl clock, two-legged CATS! café naïve Straße 3.14".split()
    words += "日本語 привет עברית ہندی 🐕 🇨🇭 ½ Å ﬁ 2,000".split()
    words += [
        "👩\u200d👩\u200d👧",
        "&amp;",
        "&lt;b&gt;",
        "&#39;",
        "&eacute;",
        "it's",
        "we'll",
        f" {START} ",
        f" {END} ",
    ]
    words += [
        "</w>",
        "\u200b",
        "\u00a0",
        "e\u0301",
        "\U0001d54f",
        "\t",
        "\n",
        "'s",
        "''",
        "_",
        "<|",
        "Ǆ",
        "ẞ",
        "\u0378",
    ]
    planes = [
        (32, 127),
        (160, 0x250),
        (0x370, 0x600),
        (0x900, 0xE00),
        (0x2000, 0x2400),
        (0x3040, 0x9FFF),
        (0x1F300, 0x1FAFF),
    ]
    yield from ["", " ", "a" * 5000, "ab " * 3000, "&amp;" * 500, "é" * 400, "\U0001f415" * 300]
    for _ in range(count - 7):
        if chance.random() < 0.6:
            yield chance.choice(["", " ", "  "]).join(
                chance.choices(words, k=chance.randint(0, 12))
            )
        else:
            text = "".join(
                chr(chance.randrange(*chance.choice(planes))) for _ in range(chance.randint(0, 30))
            )
            # libraries know different Unicode versions; the lower case of İ is two characters,
            # which only transformers orders anew
            yield "".join(
                letter for letter in text if unicodedata.category(letter) != "Cn" and letter != "İ"
            )


def test_five_thousand_texts_have_transformers_ids(tokenizer):
    """Compared after OpenAI's cleaning (entities, mended Unicode), which transformers leaves out;
    what needs no cleaning also as it is.
    """
    theirs = CLIPTokenizer(vocab=str(EMBEDDED / "vocab.json"), merges=str(EMBEDDED / "merges.txt"))
    tokenizer.context, kept = 10**6, tokenizer.context
    try:
        texts = list(strings(5000))
        cleaned = [clean(text) for text in texts]
        mine, expected, raw = (
            [tokenizer.encode(t) for t in texts],
            theirs(cleaned)["input_ids"],
            theirs(texts)["input_ids"],
        )
    finally:
        tokenizer.context = kept
    different = [text for text, a, b in zip(texts, mine, expected) if a != b]
    assert not different, f"{len(different)} of {len(texts)}, such as {different[0]!r}"
    untouched = [n for n, (text, clear) in enumerate(zip(texts, cleaned)) if text.lower() == clear]
    assert len(untouched) > 1000 and all(mine[n] == raw[n] for n in untouched)


def test_tokenizer_json_holds_the_same_vocabulary(tokenizer, tmp_path):
    CLIPTokenizer(
        vocab=str(EMBEDDED / "vocab.json"), merges=str(EMBEDDED / "merges.txt")
    ).save_pretrained(tmp_path)
    again = Tokenizer.from_tokenizer_json(tmp_path / "tokenizer.json")
    assert again.vocabulary == tokenizer.vocabulary and again.merges == tokenizer.merges


def test_texts_that_ftfy_is_not_asked_about_are_those_it_would_leave_as_they_are():
    """Printable ASCII without `&`, drawn at random: quotes, brackets, backslashes and all."""
    letters = [chr(code) for code in range(32, 127) if chr(code) != "&"]
    chosen = random.Random(0)
    for _ in range(2000):
        text = "".join(chosen.choices(letters, k=chosen.randint(1, 40)))
        assert html.unescape(html.unescape(ftfy.fix_text(text))) == text, text
