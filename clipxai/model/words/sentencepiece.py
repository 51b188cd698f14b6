"""Which pieces does SentencePiece cut a text into? Read from its own file, `spiece.model`, where a
checkpoint has no `tokenizer.json`: those whose scores add up to most (a unigram model).

`tokenizers` normalises some combined letters otherwise than SentencePiece, so it is not asked.
Refused is what SigLIP's file has not: byte pairs, bytes for what is unknown, pieces of a user's.

Reference: Kudo 2018 (arXiv 1804.10959); Kudo and Richardson 2018 (arXiv 1808.06226), whose
`sentencepiece_model.proto`, `normalizer.cc` and `unigram_model.cc` these functions follow.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

NORMAL, UNKNOWN, CONTROL = 1, 2, 3  # types of pieces
SPACE = "\u2581"  # what stands for a blank in a piece
PENALTY = np.float32(10)  # of what is unknown, below the worst piece
LONGEST = 256  # characters of a piece; SigLIP's have 16 at most


class Encoded(NamedTuple):
    """The ids of a text, as the `tokenizers` library hands them on."""

    ids: list[int]


class SentencePiece:
    """A unigram model, with what `tokenizers` is asked for.

    Parameters
    ----------
    model : the bytes of a `spiece.model`

    Attributes
    ----------
    grown : how many characters of one normalising, or a token, can make

    Raises
    ------
    ValueError : no such file, or a model of another kind
    """

    def __init__(self, model: bytes) -> None:
        pieces, trainer, norm = _parts(model)
        self.names = [name for name, _, _ in pieces]
        kinds = {kind for _, _, kind in pieces}
        if trainer.get(3, 1) != 1 or trainer.get(35) or trainer.get(24) or norm.get(5, 1) != 1:
            raise ValueError("it is a SentencePiece model of another kind than SigLIP's unigrams")
        if not kinds <= {NORMAL, UNKNOWN, CONTROL} or len({*self.names}) != len(pieces):
            raise ValueError("it has pieces of a kind that SigLIP's SentencePiece has not")
        longest = max(map(len, self.names), default=0)
        unknown = [n for n, (_, _, kind) in enumerate(pieces) if kind == UNKNOWN]
        if len(unknown) != 1 or not 0 < longest <= LONGEST:
            raise ValueError(
                f"it has {len(unknown)} pieces for what is unknown, and one of {longest} letters: "
                f"one is expected, and at most {LONGEST}"
            )
        self.unknown, self.longest = unknown[0], longest
        self.pieces = {
            name: (n, score) for n, (name, score, kind) in enumerate(pieces) if kind == NORMAL
        }
        scores = [score for _, score in self.pieces.values()]
        if not np.isfinite(scores).all() or not scores:
            raise ValueError("its pieces have no scores, or none that are numbers")
        self.unlikely = min(scores) - PENALTY
        self.ids = {name: n for n, name in enumerate(self.names)}
        self.prefix, self.single = bool(norm.get(3, 1)), bool(norm.get(4, 1))
        self.table = Table(norm.get(2, b""))
        self.grown = {"normalizer": self.table.growth, "decoder": longest}

    def encode(self, text: str, add_special_tokens: bool = False) -> Encoded:
        """The pieces of a text; nothing is put around it."""
        normal, found = self.normalised(text), []
        for number in self._best(normal):
            # neighbours that are unknown are one
            if number != self.unknown or not found or found[-1] != number:
                found.append(number)
        return Encoded(found)

    def normalised(self, text: str) -> str:
        """A text as it is cut: letters exchanged, single blanks, one before it."""
        made = "".join(self.table.replaced(text))
        if self.single:
            made = " ".join(part for part in made.split(" ") if part)
        if made and self.prefix:
            made = " " + made
        return made.replace(" ", SPACE)

    def _best(self, text: str) -> list[int]:
        """Pieces that a text is made of, of the highest sum of scores: Viterbi's path, in single
        precision, as the order of two that are as good hangs on the last digit.
        """
        zero = np.float32(0)
        best: list[tuple[np.float32, int, int] | None] = [(zero, 0, -1)] + [None] * len(text)
        for start in range(len(text)):
            here, single = best[start][0], False
            for stop in range(start + 1, min(start + self.longest, len(text)) + 1):
                if found := self.pieces.get(text[start:stop]):
                    single |= stop == start + 1
                    _keep(best, stop, (found[1] + here, start, found[0]))
            if not single:
                _keep(best, start + 1, (self.unlikely + here, start, self.unknown))
        path, stop = [], len(text)
        while stop:
            _, stop, number = best[stop]
            path.append(number)
        return path[::-1]

    def get_vocab_size(self) -> int:
        """How many pieces there are."""
        return len(self.names)

    def token_to_id(self, token: str) -> int | None:
        """Number of a piece, None for no piece."""
        return self.ids.get(token)

    def id_to_token(self, number: int) -> str | None:
        """A piece by its number, None for none."""
        return self.names[number] if 0 <= number < len(self.names) else None

    def decode(self, ids: Iterable[int]) -> str:
        """What pieces spell."""
        return "".join(self.id_to_token(n) or "" for n in ids).replace(SPACE, " ").lstrip(" ")


class Table:
    """SentencePiece's table of letters that become others: a tree of bytes, and what its leaves
    point at.

    Parameters
    ----------
    charsmap : the length of the tree, the tree (a double array as in darts-clone), and texts that
        end in zeros; nothing where letters stay as they are
    """

    def __init__(self, charsmap: bytes) -> None:
        size = int.from_bytes(charsmap[:4], "little")
        if size % 4 or (charsmap and not 4 <= size <= len(charsmap) - 4):
            raise ValueError("its table of letters is cut off")
        self.tree = np.frombuffer(charsmap[4 : 4 + size], "<u4").tolist()
        self.texts = charsmap[4 + size :]
        self.growth = max(1, *map(len, self.texts.split(b"\0")))

    def replaced(self, text: str) -> Iterator[str]:
        """A text piece by piece, the longest that the table knows first."""
        data, at = text.encode("utf-8", errors="replace"), 0
        while at < len(data):
            length, leaf = self._longest(data, at)
            if length:
                end = self.texts.find(b"\0", leaf)
                yield self.texts[leaf : end if end >= 0 else None].decode(errors="replace")
            else:
                # one character, which begins where the last one ended
                length = _length(data[at])
                yield data[at : at + length].decode(errors="replace")
            at += length

    def _longest(self, data: bytes, at: int) -> tuple[int, int]:
        """How many bytes of a text from there on the table knows, and where it points at."""
        found, node, tree = (0, 0), 0, self.tree
        if not tree:
            return found
        node ^= _offset(tree[0])
        for n in range(at, len(data)):
            node ^= data[n]
            # the highest bit is set in no label
            if node >= len(tree) or tree[node] & 0x800000FF != data[n]:
                break
            leaf = tree[node] >> 8 & 1
            node ^= _offset(tree[node])
            if leaf and node < len(tree):
                found = n + 1 - at, tree[node] & 0x7FFFFFFF
        return found


def _offset(unit: int) -> int:
    return unit >> 10 << ((unit & 1 << 9) >> 6)


def _length(first: int) -> int:
    """How many bytes a character has that begins with that one."""
    return 1 if first < 0xC0 else 2 if first < 0xE0 else 3 if first < 0xF0 else 4


def _keep(best: list, stop: int, candidate: tuple[np.float32, int, int]) -> None:
    """Keep the better way to a place; the first of two as good."""
    if best[stop] is None or candidate[0] > best[stop][0]:
        best[stop] = candidate


Fields = dict[int, int | bytes]


def _parts(model: bytes) -> tuple[list[tuple[str, np.float32, int]], Fields, Fields]:
    """Pieces with score and type, what the trainer was told, and how texts are normalised."""
    pieces: list[tuple[str, np.float32, int]] = []
    trainer: Fields = {}
    norm: Fields = {}
    try:
        for number, value in _fields(model):
            if number == 1:
                piece = dict(_fields(value))
                score = np.float32(struct.unpack("<f", piece.get(2, bytes(4)))[0])
                pieces.append((piece[1].decode("utf-8"), score, piece.get(3, NORMAL)))
            elif number == 2:
                trainer = dict(_fields(value))
            elif number == 3:
                norm = dict(_fields(value))
    except (IndexError, KeyError, TypeError, AttributeError, struct.error, UnicodeError) as error:
        raise ValueError("it is no model of SentencePiece") from error
    return pieces, trainer, norm


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The numbered fields of a protocol buffer: whole numbers, or bytes."""
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _number(data, at)
        elif kind in (1, 2, 5):
            length, at = _number(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            if at + length > len(data):
                raise IndexError("cut off")
            value, at = data[at : at + length], at + length
        else:
            raise KeyError(kind)
        yield key >> 3, value


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A whole number of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        value |= (data[at] & 127) << shift
        at += 1
        if data[at - 1] < 128:
            return value, at
    raise IndexError("a number without an end")
