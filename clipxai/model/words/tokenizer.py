"""Which pieces does CLIP read a text in? Lower-cased byte-level BPE, the same as OpenAI's.

A word is spelled in bytes (each byte shown as one printable character, so any text can be encoded)
and its bytes are merged, pair by pair, in the order of a learned list. The last piece of a word
carries `</w>`. Reference: Sennrich et al. 2016 (arXiv 1508.07909); Radford et al. 2019 for the byte
alphabet.
"""

import gzip
import html
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import regex

from ..files.untrusted import VOCABULARY_BYTES, read_json, read_text

START, END = "<|startoftext|>", "<|endoftext|>"
WORD = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+",
    regex.IGNORECASE,
)
WORDS_KEPT = 1 << 16  # words whose pieces are remembered
# how many lines of its file OpenAI uses; the rest of the file is never read
OPENAI_MERGES = 49152 - 256 - 2


@lru_cache
def byte_alphabet() -> dict[int, str]:
    """Each of the 256 bytes as one visible character: itself where printable, else a stand-in from
    U+0100 on.
    """
    printable = [
        *range(ord("!"), ord("~") + 1),
        *range(ord("¡"), ord("¬") + 1),
        *range(ord("®"), ord("ÿ") + 1),
    ]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {
        byte: chr(256 + n) for n, byte in enumerate(hidden)
    }


def clean(text: str) -> str:
    """Mended Unicode, HTML entities resolved (twice, as OpenAI does), single spaces, lower case.

    Examples
    --------
    >>> clean("A  caf\\u00c3\\u00a9 &amp;amp; a dog")
    'a café & a dog'
    """
    if not (text.isascii() and text.isprintable() and "&" not in text):
        # takes longer to load than the rest of this package together, so it waits until a text
        # comes in which it could find something to mend
        import ftfy

        text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split()).lower()


def split_words(text: str) -> list[str]:
    """The words BPE works on, after cleaning: letters, single digits, runs of punctuation."""
    return WORD.findall(clean(text))


@dataclass(frozen=True)
class WordSpan:
    """A word and the tokens that spell it.

    Attributes
    ----------
    text : the word
    start, stop : its tokens are `ids[start:stop]` of the encoded text ([start] is token 0)
    """

    text: str
    start: int
    stop: int


class Tokenizer:
    """CLIP's tokenizer.

    Parameters
    ----------
    vocabulary : piece -> id
    merges : pairs of pieces, most wanted first
    context : most tokens of a text, [start] and [end] included (77 for OpenAI's models)
    """

    def __init__(
        self, vocabulary: dict[str, int], merges: Iterable[tuple[str, str]], context: int = 77
    ) -> None:
        _expect_ids(vocabulary)
        self.vocabulary = vocabulary
        self.context = context
        self.start, self.end = vocabulary[START], vocabulary[END]
        self.merges = [tuple(pair) for pair in merges]
        _expect_pieces(vocabulary, self.merges)
        self._rank = {pair: n for n, pair in enumerate(self.merges)}
        self._piece = {n: piece for piece, n in vocabulary.items()}
        self._cache: dict[str, tuple[str, ...]] = {}

    @classmethod
    def from_files(cls, vocabulary: Path, merges: Path, context: int = 77) -> "Tokenizer":
        """Read a `vocab.json` and the `merges.txt` that belongs to it."""
        return cls(
            read_json(vocabulary, VOCABULARY_BYTES),
            _read_merges(read_text(merges, VOCABULARY_BYTES)),
            context,
        )

    @classmethod
    def from_tokenizer_json(cls, path: Path, context: int = 77) -> "Tokenizer":
        """Read the vocabulary out of a `tokenizer.json`, the only file that newer versions of
        transformers write.
        """
        model = read_json(path, VOCABULARY_BYTES).get("model")
        described = model if isinstance(model, dict) else {}
        vocabulary, merges = described.get("vocab"), described.get("merges")
        if not isinstance(vocabulary, dict) or not isinstance(merges, list):
            raise ValueError(
                f"{path} describes no byte-pair encoding (vocab and merges), which CLIP's "
                "tokenizer is"
            )
        # newer files keep a pair as a list, older ones as a line of merges.txt
        lines = [" ".join(pair) if isinstance(pair, list) else str(pair) for pair in merges]
        return cls(vocabulary, _read_merges("\n".join(["#version", *lines])), context)

    @classmethod
    def from_openai(cls, path: str | Path, context: int = 77) -> "Tokenizer":
        """Read OpenAI's `bpe_simple_vocab_16e6.txt[.gz]`; the ids follow from the order of the
        merges.
        """
        with open(path, "rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"  # gzip, whatever the suffix says
        with (gzip.open if packed else open)(path, "rb") as file:
            raw = file.read(VOCABULARY_BYTES + 1)  # a small file may unpack to a huge one
        if len(raw) > VOCABULARY_BYTES:
            raise ValueError(
                f"{path} holds more than {VOCABULARY_BYTES:,} bytes; OpenAI's vocabulary has 3 "
                "million: it is not read"
            )
        merges = _read_merges(raw.decode("utf-8"))[:OPENAI_MERGES]
        return cls(vocabulary_of(merges), merges, context)

    def pieces(self, word: str) -> tuple[str, ...]:
        """BPE pieces of one word of `split_words`, the last one ending in `</w>`."""
        if word not in self._cache:
            if len(self._cache) >= WORDS_KEPT:
                self._cache.clear()
            self._cache[word] = self._merge(word)
        return self._cache[word]

    def _merge(self, word: str) -> tuple[str, ...]:
        if word in (START, END):
            return (word,)
        alphabet = byte_alphabet()
        pieces = [alphabet[byte] for byte in word.encode("utf-8")]
        pieces[-1] += "</w>"
        while len(pieces) > 1:
            pairs = zip(pieces, pieces[1:])
            pair = min(pairs, key=lambda pair: self._rank.get(pair, len(self._rank)))
            if pair not in self._rank:  # nor is any other
                break
            pieces = merge_pair(pieces, pair)
        return tuple(pieces)

    def encode(self, text: str, truncate: bool = False) -> list[int]:
        """Token ids of a text, [start] and [end] included.

        Raises
        ------
        ValueError : the text is longer than the context and `truncate` is False
        """
        return self._encode(text, truncate)[0]

    def words(self, text: str, truncate: bool = False) -> list[WordSpan]:
        """The words of a text with the tokens of each; pieces of one word belong together."""
        return self._encode(text, truncate)[1]

    def _encode(self, text: str, truncate: bool) -> tuple[list[int], list[WordSpan]]:
        if not isinstance(text, str):
            raise TypeError(f"a text must be a string, not {type(text).__name__}: {text!r}")
        ids, words = [self.start], []
        for word in split_words(text):
            first = len(ids)
            ids += [self.vocabulary[piece] for piece in self.pieces(word)]
            words.append(WordSpan(word, first, len(ids)))
        ids.append(self.end)
        if len(ids) > self.context:
            if not truncate:
                raise too_long(text, len(ids), self.context)
            ids = [*ids[: self.context - 1], self.end]
            words = [word for word in words if word.stop < self.context]  # whole ones
        return ids, words

    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids, without [start], [end] and what follows [end]; words are joined by
        single spaces.
        """
        pieces: list[str] = []
        for n in ids:
            if n == self.end:
                break
            if n != self.start:
                pieces.append(self._piece[int(n)])
        back = {shown: byte for byte, shown in byte_alphabet().items()}
        spelled = "".join(pieces).split("</w>")
        # replace: ids that nobody encoded need not spell whole characters
        words = (bytes(back[c] for c in word).decode("utf-8", "replace") for word in spelled)
        return " ".join(words).strip()


def _expect_ids(vocabulary: dict[str, int]) -> None:
    """A file of a stranger: every piece has an id, and every byte can be spelled."""
    # type(), since Python counts True as a whole number
    if not all(type(n) is int and n >= 0 for n in vocabulary.values()):
        raise ValueError("a vocabulary maps every piece to a whole number, its id")
    needed = (START, END, *byte_alphabet().values())
    missing = [token for token in needed if token not in vocabulary]
    if missing:
        raise ValueError(
            f"vocabulary lacks {len(missing)} of the tokens every CLIP vocabulary has, such as "
            f"{missing[0]!r}"
        )


def _expect_pieces(vocabulary: dict[str, int], merges: list[tuple[str, ...]]) -> None:
    """Whatever merging can leave of a word has an id; else a text fails long after loading."""
    single = (shown + "</w>" for shown in byte_alphabet().values())
    made = (piece for pair in merges for piece in (*pair, "".join(pair)))
    lost = next((piece for piece in (*single, *made) if piece not in vocabulary), None)
    if lost is not None:
        raise ValueError(
            f"the piece {lost!r}, which merging can leave, has no id: vocabulary and merges do "
            "not belong together"
        )


def too_long(text: str, tokens: int, context: int) -> ValueError:
    """The error for a text of more tokens than the model reads."""
    shown = f"{text[:60]!r}{'…' if len(text) > 60 else ''}"
    return ValueError(
        f"text of {tokens} tokens, but this model reads at most {context}: shorten it or pass "
        f"truncate=True (text: {shown})"
    )


def merge_pair(pieces: list[str], pair: tuple[str, str]) -> list[str]:
    """`pieces` with every occurrence of `pair` joined, left to right."""
    merged, n = [], 0
    while n < len(pieces):
        joined = tuple(pieces[n : n + 2]) == pair
        merged.append("".join(pair) if joined else pieces[n])
        n += 2 if joined else 1
    return merged


def vocabulary_of(merges: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Ids in OpenAI's order: bytes, bytes that end a word, one piece per merge, [start], [end]."""
    symbols = list(byte_alphabet().values())
    pieces = [
        *symbols,
        *(shown + "</w>" for shown in symbols),
        *("".join(pair) for pair in merges),
        START,
        END,
    ]
    return {piece: n for n, piece in enumerate(pieces)}


def _read_merges(text: str) -> list[tuple[str, str]]:
    lines = text.split("\n")
    # a heading: of merges.txt, or of OpenAI's file, where it is a line in quotes
    if lines and (lines[0].startswith("#version") or lines[0].startswith('"')):
        lines = lines[1:]
    merges = [tuple(line.split()) for line in lines if line.strip()]
    odd = next((pair for pair in merges if len(pair) != 2), None)
    if odd:
        raise ValueError(
            f"every line of a merges file is a pair of pieces, but one reads {' '.join(odd)!r}"
        )
    return merges
