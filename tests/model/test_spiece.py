"""SigLIP's `spiece.model` without a `tokenizer.json`: the same pieces as SentencePiece's own."""

import io
import random
import string
import struct

import pytest
from test_siglip import IDS, ours, siglip  # noqa: F401

import clipxai as cx
from clipxai.model.words.sentencepiece import SPACE, SentencePiece


def field(number, value):
    """A field of a protocol buffer."""
    if isinstance(value, float):
        return number_of(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return number_of(number << 3) + number_of(value)
    return number_of(number << 3 | 2) + number_of(len(value)) + value


def number_of(value):
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


PIECES = [("<pad>", 0.0, 3), ("</s>", 0.0, 3), ("<unk>", 0.0, 2)]
PIECES += [(SPACE, -3.0, 1), (SPACE + "a", -1.0, 1), ("ca", -4.0, 1), ("cat", -6.0, 1)]
PIECES += [(letter, -5.0, 1) for letter in "cat"]


def model(pieces=PIECES, trainer=b"", norm=b""):
    """A `spiece.model` by hand."""
    each = (field(1, n.encode()) + field(2, score) + field(3, kind) for n, score, kind in pieces)
    return b"".join(field(1, piece) for piece in each) + field(2, trainer) + field(3, norm)


def test_the_best_pieces_by_hand():
    """cat costs 6, ca t 9, c a t 15; two that are unknown are one piece."""
    found = SentencePiece(model())
    names = [found.id_to_token(n) for n in found.encode("a  cat caxyt ").ids]
    assert names == [SPACE + "a", SPACE, "cat", SPACE, "ca", "<unk>", "t"]
    assert found.encode("").ids == [] == found.encode("   ").ids
    assert found.decode(found.encode("a cat").ids) == "a cat"
    assert found.token_to_id("</s>") == 1 and found.id_to_token(99) is None


def test_a_folder_with_a_spiece_alone(siglip, tmp_path):  # noqa: F811
    siglip.save_pretrained(tmp_path)
    (tmp_path / "spiece.model").write_bytes(model())
    ids = cx.load(tmp_path).tokenize(["A cat!"])
    assert ids.tolist() == [[4, 3, 6, *[1] * 13]]
    (tmp_path / "spiece.model").write_bytes(model(trainer=field(3, 2)))
    with pytest.raises(ValueError, match="spiece.model holds no tokenizer .* put tokenizer.json"):
        cx.load(tmp_path)


@pytest.mark.parametrize(
    "data",
    [
        model(trainer=field(35, 1)),  # bytes for what is unknown
        model([*PIECES, ("user", 0.0, 4)]),
        model([*PIECES, ("a", 0.0, 1)]),  # twice
        model([*PIECES, ("x" * 300, 0.0, 1)]),
        model([*PIECES, ("x", float("nan"), 1)]),
        model(PIECES[:2]),
        model(norm=field(2, b"\xff\xff\0\0")),
        model()[:-3] + b"\xff",
        b"\xff" * 20,
        b"",
    ],
)
def test_files_that_are_not_read(data):
    with pytest.raises(ValueError, match="it (has|is)|its (pieces|table)"):
        SentencePiece(data)


def test_two_thousand_texts_as_sentencepiece_cuts_them():
    """A vocabulary that SentencePiece trains here, with its table of letters."""
    sentencepiece = pytest.importorskip("sentencepiece")
    draw = random.Random(0)
    words = (
        "a photo of two dogs and the cat on wooden table guitar café crème ﬁne Ⅳ ① 文 naïve".split()
    )
    words += ["".join(draw.choices(string.ascii_lowercase, k=6)) for _ in range(2000)]
    lines = (" ".join(draw.choices(words, k=8)) for _ in range(2000))
    made = io.BytesIO()
    ends = dict(pad_id=0, eos_id=1, unk_id=2, bos_id=-1, minloglevel=2)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=lines, model_writer=made, vocab_size=400, character_coverage=0.99, **ends
    )
    theirs = sentencepiece.SentencePieceProcessor(model_proto=made.getvalue())
    ours = SentencePiece(made.getvalue())  # noqa: F811
    odd = [chr(n) for n in (*range(1, 0x250), *range(0x300, 0x330), 0x2581, 0x200D, 0x1F600)]
    odd += ["\u1100\u1161", "\uff76\uff9e", "\u0915\u094d", "  "]
    for _ in range(2000):
        text = "".join(draw.choice(draw.choice((words, odd, [" "]))) for _ in range(20))
        assert ours.encode(text).ids == theirs.encode(text), ascii(text)
