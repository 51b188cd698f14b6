"""Which pieces does CLIP read a text in? Lower-cased byte-level BPE, the same as OpenAI's.

A word is spelled in bytes (each byte shown as one printable character, so any text can be encoded)
and its bytes are merged, pair by pair, in the order of a learned list. The last piece of a word
carries `</w>`. Reference: Sennrich et al. 2016 (arXiv 1508.07909); Radford et al. 2019 for the byte
alphabet.
"""

import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import regex

from ...checks import shown
from ...results.writing import remember_input
from ..files.untrusted import VOCABULARY_BYTES, read_json, read_text
from .cleaning import clean

START, END = "<|startoftext|>", "<|endoftext|>"
WORD = regex.compile(
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+",
    regex.IGNORECASE,
)
MOST_CHARACTERS = 1 << 14  # of one text; to spell a single word of so many takes seconds
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


def split_words(text: str) -> list[str]:
    """The words BPE works on, after cleaning: letters, single digits, runs of punctuation."""
    return WORD.findall(clean(text))


@dataclass(frozen=True)
class AddedToken:
    """A token that somebody taught a model besides; it is cut out of a text before all else.

    Attributes
    ----------
    text : how it is written
    id : its number
    cleaned : whether it is looked for in the cleaned text, lower-cased like that, or as written
    whole_word : whether it counts only where no letter touches it
    """

    text: str
    id: int
    cleaned: bool = True
    whole_word: bool = False

    @property
    def pattern(self) -> str:
        """A regular expression that finds it."""
        written = regex.escape(clean(self.text) if self.cleaned else self.text)
        return rf"(?<!\w){written}(?!\w)" if self.whole_word else written


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
    added : tokens besides, such as "<sks>"
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        merges: Iterable[tuple[str, str]],
        context: int = 77,
        added: Iterable[AddedToken] = (),
    ) -> None:
        _expect_ids(vocabulary)
        self.vocabulary = vocabulary
        self.context = context
        self.added = tuple(added)
        self.start, self.end = vocabulary[START], vocabulary[END]
        self.merges = [tuple(pair) for pair in merges]
        _expect_pieces(vocabulary, self.merges)
        self._rank = {pair: n for n, pair in enumerate(self.merges)}
        self._piece = {n: piece for piece, n in vocabulary.items()}
        self._added = {token.id: token.text for token in self.added}
        self._cache: dict[str, tuple[str, ...]] = {}

    @property
    def size(self) -> int:
        """How many tokens there are, added ones too."""
        return 1 + max(*self.vocabulary.values(), *self._added)

    @classmethod
    def from_files(
        cls, vocabulary: Path, merges: Path, context: int = 77, added: Path | None = None
    ) -> "Tokenizer":
        """Read a `vocab.json`, the `merges.txt` that belongs to it, and an `added_tokens.json`."""
        besides = read_json(added, VOCABULARY_BYTES) if added else {}
        described = [
            {"content": text, "id": number, "normalized": True} for text, number in besides.items()
        ]
        return cls(
            read_json(vocabulary, VOCABULARY_BYTES),
            _read_merges(read_text(merges, VOCABULARY_BYTES)),
            context,
            _read_added(described, added),
        )

    @classmethod
    def from_tokenizer_json(cls, path: Path, context: int = 77) -> "Tokenizer":
        """Read the vocabulary out of a `tokenizer.json`, the only file that newer versions of
        transformers write.
        """
        file = read_json(path, VOCABULARY_BYTES)
        model = file.get("model")
        described = model if isinstance(model, dict) else {}
        vocabulary, merges = described.get("vocab"), described.get("merges")
        if not isinstance(vocabulary, dict) or not isinstance(merges, list):
            raise ValueError(
                f"{path} describes no byte-pair encoding (vocab and merges), which CLIP's "
                "tokenizer is"
            )
        # newer files keep a pair as a list, older ones as a line of merges.txt
        lines = [" ".join(map(str, pair if isinstance(pair, list) else [pair])) for pair in merges]
        merges = _read_merges("\n".join(["#version", *lines]))
        return cls(vocabulary, merges, context, _read_added(file.get("added_tokens"), path))

    @classmethod
    def from_openai(cls, path: str | Path, context: int = 77) -> "Tokenizer":
        """Read OpenAI's `bpe_simple_vocab_16e6.txt[.gz]`; the ids follow from the order of the
        merges.
        """
        remember_input(path)
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
        ids = self._whole(text)
        if len(ids) <= self.context:
            return ids
        if not truncate:
            raise too_long(text, len(ids), self.context)
        return [*ids[: self.context - 1], self.end]

    def _whole(self, text: str) -> list[int]:
        """All ids of a text, however many."""
        if not isinstance(text, str):
            raise TypeError(f"a text must be a string, not {type(text).__name__}: {text!r}")
        expect_short(text)
        return [self.start, *(n for _, pieces in self._spelled(text) for n in pieces), self.end]

    def part_read(self, text: str) -> str | None:
        """What a model reads of a text that is too long, or has [end] in it; None if all."""
        ids, whole = self.encode(text, truncate=True), self._whole(text)
        return self.decode(ids) if ids.index(self.end) < len(whole) - 1 else None

    def words(self, text: str | Iterable[int], truncate: bool = False) -> list[WordSpan]:
        """The words of a text, or of token ids however they spell them, with the tokens of each;
        pieces of one word belong together. What a cut, or [end], leaves of a word is none.
        """
        ids = self.encode(text, truncate) if isinstance(text, str) else text
        return [
            WordSpan(spelled.decode("utf-8", "replace"), start, stop)
            for spelled, start, stop, whole in self._put_together(ids)
            if whole
        ]

    def _spelled(self, text: str) -> Iterator[tuple[str, list[int]]]:
        """The words of a text, in its order, with the ids of each."""
        for part, token in _cut(text, [token for token in self.added if not token.cleaned]):
            if token is not None:
                yield token.text, [token.id]
                continue
            for rest, known in _cut(clean(part), [token for token in self.added if token.cleaned]):
                if known is not None:
                    yield known.text, [known.id]
                    continue
                for word in WORD.findall(rest):
                    yield word, [self.vocabulary[piece] for piece in self.pieces(word)]

    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids, without [start], [end] and what follows [end]; words are joined by
        single spaces. An id that this vocabulary does not hold is shown as <its number>.
        """
        words = [spelled for spelled, *_ in self._put_together(ids)]
        # replace: ids that nobody encoded need not spell whole characters
        return " ".join(word.decode("utf-8", "replace") for word in words)

    def _put_together(self, ids: Iterable[int]) -> Iterator[tuple[bytes, int, int, bool]]:
        """What pieces up to [end] spell together, where they stand, and whether a word ends there;
        [start] is none.
        """
        back = {shown: byte for byte, shown in byte_alphabet().items()}
        spelled, begun = b"", 0
        for at, n in enumerate(map(int, ids)):
            piece = self._piece.get(n)
            alone = piece is None or n in self._added or n in (self.start, self.end)
            if spelled and alone:
                yield spelled, begun, at, False
                spelled = b""
            if n == self.end:
                return
            if n == self.start:
                continue
            if alone:  # a word by itself
                yield (self._added.get(n) or f"<{n}>").encode(), at, at + 1, True
                continue
            begun = begun if spelled else at
            spelled += bytes(back[c] for c in piece.removesuffix("</w>"))
            if piece.endswith("</w>"):
                yield spelled, begun, at + 1, True
                spelled = b""
        if spelled:
            yield spelled, begun, at + 1, False


def _cut(text: str, tokens: list[AddedToken]) -> Iterator[tuple[str, AddedToken | None]]:
    """A text in parts: added tokens, the longer first where two begin, and what lies between."""
    if tokens:
        longest = sorted(tokens, key=lambda token: len(token.text), reverse=True)
        found = regex.compile("|".join(f"({token.pattern})" for token in longest))
        done = 0
        for match in found.finditer(text):
            yield text[done : match.start()], None
            yield match.group(), longest[match.lastindex - 1]
            done = match.end()
        text = text[done:]
    yield text, None


def _read_added(described: object, path: Path | None) -> list[AddedToken]:
    """Tokens of a `tokenizer.json` besides its vocabulary; [start] and [end] are known anyway."""
    added = []
    for token in described if isinstance(described, list) else ():
        text, number = (
            (token.get("content"), token.get("id")) if isinstance(token, dict) else 2 * (0,)
        )
        # type(), since Python counts True as a whole number
        if not isinstance(text, str) or not text.strip() or type(number) is not int or number < 0:
            raise ValueError(
                f"{path} describes an added token without text or number: {shown(token)}"
            )
        if text not in (START, END):
            cleaned, whole = bool(token.get("normalized")), bool(token.get("single_word"))
            added.append(AddedToken(text, number, cleaned, whole))
    return added


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


def expect_short(text: str, most: int = MOST_CHARACTERS) -> None:
    """A ValueError for a text that would take minutes to spell, or more memory than it is worth."""
    if len(text) > min(most, MOST_CHARACTERS):
        raise ValueError(
            f"text of {len(text):,} characters, but at most {min(most, MOST_CHARACTERS):,} are "
            f"spelled, of which a model reads a few hundred: shorten it (text: {text[:60]!r}…)"
        )


def too_long(text: str, tokens: int, context: int) -> ValueError:
    """The error for a text of more tokens than the model reads."""
    quoted = f"{text[:60]!r}{'…' if len(text) > 60 else ''}"
    return ValueError(
        f"text of {tokens} tokens, but this model reads at most {context}: shorten it or pass "
        f"truncate=True (--truncate on the command line; text: {quoted})"
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
