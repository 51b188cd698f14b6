"""Which pieces does SigLIP read a text in? SentencePiece's, run by the `tokenizers` library from
the checkpoint's `tokenizer.json`, or read from its `spiece.model` (see `sentencepiece`).

Every text is padded to the full context, because the text tower is read at its last place.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ...checks import visible
from ..files.untrusted import VOCABULARY_BYTES, no_panic, read_bytes, read_json, read_text, unique
from .cleaning import NO_PUNCTUATION
from .growth import MOST_ON_THE_WAY, growth
from .sentencepiece import SentencePiece
from .tokenizer import WordSpan, expect_short, too_long

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


class PieceTokenizer:
    """SigLIP's and SigLIP 2's tokenizer.

    Parameters
    ----------
    described : the text of a `tokenizer.json`, or a `SentencePiece`
    context : length of every text, padding included
    end, pad : the tokens that end a text and fill the rest
    punctuation : whether punctuation is read; SigLIP drops it, SigLIP 2 keeps it (both read lower
        case only)
    pad_left : whether the filling stands before the text; both were trained with it behind
    """

    def __init__(
        self,
        described: str | SentencePiece,
        context: int,
        end: str = "</s>",
        pad: str = "</s>",
        *,
        punctuation: bool = False,
        pad_left: bool = False,
    ) -> None:
        if isinstance(described, SentencePiece):
            self.backend, self.grown = described, described.grown
        else:
            self.backend, self.grown = backend_of(described)
        self.context, self.punctuation, self.pad_left = context, punctuation, pad_left
        for token in (end, pad):
            if self.backend.token_to_id(token) is None:
                raise ValueError(f"the vocabulary lacks {token!r}, which should end or fill a text")
        self.end, self.pad = self.backend.token_to_id(end), self.backend.token_to_id(pad)
        self.around = {self.end, self.pad}

    @property
    def size(self) -> int:
        """How many tokens there are, added ones too."""
        return self.backend.get_vocab_size()

    @classmethod
    def from_files(cls, tokenizer: Path, settings: Path | None, context: int) -> "PieceTokenizer":
        """Read `tokenizer.json`, or `spiece.model`, and, where there is one,
        `tokenizer_config.json`.

        Raises
        ------
        ValueError : not a tokenizer, or one that lacks its end or padding token
        """
        told = read_json(settings) if settings else {}
        # SigLIP 2 uses another class, Gemma's
        first = str(told.get("tokenizer_class", "SiglipTokenizer")) == "SiglipTokenizer"
        lone = tokenizer.suffix == ".model"
        try:
            return cls(
                SentencePiece(read_bytes(tokenizer, VOCABULARY_BYTES))
                if lone
                else read_text(tokenizer, VOCABULARY_BYTES),
                context,
                end=content(told.get("eos_token"), "</s>"),
                pad=content(told.get("pad_token"), "</s>"),
                punctuation=not first,
                pad_left=told.get("padding_side") == "left",
            )
        except Exception as error:  # the library raises plain Exception
            reason = visible(str(error).splitlines()[0][:200])
            raise ValueError(
                f"{tokenizer} holds no tokenizer that can be read: {reason}"
                + ("; put tokenizer.json beside it" if lone else "")
            ) from error

    def clean(self, text: str) -> str:
        """Lower case; for SigLIP also without punctuation and with single spaces (as its training
        did).
        """
        text = text.lower()
        if self.punctuation:
            return text
        return re.sub(r"\s+", " ", text.translate(NO_PUNCTUATION)).strip()

    def encode(self, text: str, truncate: bool = False) -> list[int]:
        """Token ids of a text, end and padding included: always `context` of them.

        Raises
        ------
        ValueError : the text is longer than the context and `truncate` is False
        """
        ids = self._whole(text)
        if len(ids) >= self.context and not truncate:
            raise too_long(text, len(ids) + 1, self.context)
        ids = [*ids[: self.context - 1], self.end]
        filling = [self.pad] * (self.context - len(ids))
        return filling + ids if self.pad_left else ids + filling

    def _whole(self, text: str) -> list[int]:
        """All ids of a text, however many, without the end."""
        if not isinstance(text, str):
            raise TypeError(f"a text must be a string, not {type(text).__name__}: {text!r}")
        expect_short(text, MOST_ON_THE_WAY // self.grown["normalizer"])
        with no_panic():
            return self.backend.encode(self.clean(text), add_special_tokens=False).ids

    def part_read(self, text: str) -> str | None:
        """What a model reads of a text that is too long; None if all."""
        ids = self._whole(text)
        return self.decode(ids[: self.context - 1]) if len(ids) >= self.context else None

    def words(self, text: str, truncate: bool = False) -> list[WordSpan]:
        """There are none: such a text tower reads all pieces at once, so no token stands for a
        word.

        Raises
        ------
        ValueError : always
        """
        raise ValueError(
            "words need CLIP's text tower, which reads from left to right; this one mixes all "
            "pieces of a text from the start. clipxai.word_maps leaves words out of its texts too, "
            "and its presence says what each adds to the cosine"
        )

    def decode(self, ids: list[int]) -> str:
        """Text of token ids, without what stands around it and fills it up."""
        inside = [n for n in ids if n not in self.around]
        pieces = "".join(self.backend.id_to_token(n) or "" for n in dict.fromkeys(inside))
        expect_short(pieces, MOST_ON_THE_WAY // self.grown["decoder"] // max(1, len(inside)))
        with no_panic():
            return self.backend.decode(inside).strip()


def around(backend: "Backend") -> list[int]:
    """What a tokenizer puts around a text: the ids of the empty one.

    ValueError: nothing.
    """
    with no_panic():
        empty = backend.encode("").ids
    if not empty:
        raise ValueError("it puts nothing at the end of a text, so nobody knows where one ends")
    return empty


def backend_of(described: str) -> "tuple[Backend, dict[str, int]]":
    """The library's tokenizer of the text of a `tokenizer.json`, and how many characters its
    normalizer and its decoder can make of one.
    """
    from tokenizers import Tokenizer as Backend  # only for those who need it

    parts = json.loads(described, object_pairs_hook=unique)
    # first: added tokens go through these steps while the library reads them
    grown = {part: growth(parts, part) for part in ("normalizer", "decoder")}
    with no_panic():
        backend = Backend.from_str(described)
    backend.no_padding()
    backend.no_truncation()
    return backend, grown


def content(token: object, default: str) -> str:
    """A token as `tokenizer_config.json` gives it: a string, or an object with a `content`."""
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else default
