"""Which pieces does a text encoder of another kind read a text in? Those of its own tokenizer,
BERT's or XLM-R's or whichever the checkpoint holds, run by the `tokenizers` library.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...checks import visible
from ..files.untrusted import VOCABULARY_BYTES, no_panic, read_text
from .growth import MOST_ON_THE_WAY
from .piece_tokenizer import around, backend_of
from .tokenizer import WordSpan, expect_short, too_long


class LibraryTokenizer:
    """A tokenizer that is none of ours.

    Parameters
    ----------
    described : the text of a `tokenizer.json`
    context : most tokens of a text, those that begin and end it included
    clean : what is done to a text first; nothing in transformers

    Attributes
    ----------
    end : the token that ends every text
    begins : whether another token begins it; mT5's have none

    Raises
    ------
    ValueError : one that ends no text
    """

    def __init__(self, described: str, context: int, clean: Callable[[str], str] = str) -> None:
        self.backend, self.grown = backend_of(described)
        self.context, self.clean = context, clean
        empty = around(self.backend)
        self.end, self._around, self.begins = empty[-1], set(empty), len(empty) > 1

    @property
    def size(self) -> int:
        """How many tokens there are, added ones too."""
        return self.backend.get_vocab_size()

    @classmethod
    def from_file(cls, tokenizer: Path, context: int) -> "LibraryTokenizer":
        """Read `tokenizer.json`.

        Raises
        ------
        ValueError : not a tokenizer
        """
        return cls._read(read_text(tokenizer, VOCABULARY_BYTES), context, tokenizer)

    @classmethod
    def from_folder(cls, folder: Path, context: int) -> "LibraryTokenizer | None":
        """Of older files, such as vocab.txt: see `older_files`; None if it cannot be made."""
        made = older_files(folder)
        return None if made is None else cls._read(made[0], context, folder)

    @classmethod
    def _read(cls, described: str, context: int, where: Path) -> "LibraryTokenizer":
        with read_from(where):
            return cls(described, context)

    def encode(self, text: str, truncate: bool = False) -> list[int]:
        """Token ids of a text, those around it included.

        Raises
        ------
        ValueError : the text is longer than the context and `truncate` is False
        """
        return self._encode(text, truncate)[0]

    def part_read(self, text: str) -> str | None:
        """What a model reads of a text that is too long; None if all."""
        ids = self._encode(text, truncate=True)[0]
        with no_panic():
            whole = len(self.backend.encode(self.clean(text)).ids)
        return self.decode(ids) if whole > self.context else None

    def words(self, text: str | Iterable[int], truncate: bool = False) -> list[WordSpan]:
        """The words of a text, or of token ids as it spells them, as the library cuts it, with the
        tokens of each.

        Raises
        ------
        ValueError : a text that is too long, unless `truncate`; ids that it would not make of
            their own text
        """
        if isinstance(text, str):
            return self._encode(text, truncate)[1]
        ids = list(text)
        ids = ids[: ids.index(self.end, 1) + 1] if self.end in ids[1:] else ids
        again, words = self._encode(self.decode(ids), truncate=True)
        if again != ids:
            raise ValueError(
                "these token ids are not what this tokenizer makes of their text, so nobody knows "
                "where words begin: record the text itself"
            )
        return words

    def _encode(self, text: str, truncate: bool) -> tuple[list[int], list[WordSpan]]:
        if not isinstance(text, str):
            raise TypeError(f"a text must be a string, not {type(text).__name__}: {text!r}")
        expect_short(text, MOST_ON_THE_WAY // self.grown["normalizer"])
        text = self.clean(text)
        with no_panic():
            found = self.backend.encode(text)
        ids, words = found.ids, []
        for number in dict.fromkeys(n for n in found.word_ids if n is not None):
            tokens = [n for n, word in enumerate(found.word_ids) if word == number]
            first, last = found.offsets[tokens[0]][0], found.offsets[tokens[-1]][1]
            words.append(WordSpan(text[first:last].strip(), tokens[0], tokens[-1] + 1))
        if len(ids) > self.context:
            if not truncate:
                raise too_long(text, len(ids), self.context)
            ids = [*ids[: self.context - 1], self.end]
            words = [word for word in words if word.stop < self.context]  # whole ones
        return ids, words

    def decode(self, ids: Iterable[int]) -> str:
        """Text of token ids, without what stands around it and what follows its end."""
        inside: list[int] = []
        for number in ids:
            if number == self.end and inside:
                break
            if number not in self._around:
                inside.append(number)
        pieces = "".join(self.backend.id_to_token(n) or "" for n in dict.fromkeys(inside))
        expect_short(pieces, MOST_ON_THE_WAY // self.grown["decoder"] // max(1, len(inside)))
        with no_panic():
            return self.backend.decode(inside).strip()


def older_files(folder: Path) -> tuple[str, dict[str, object]] | None:
    """What transformers makes of older files, such as vocab.txt, as `tokenizer.json` and
    `tokenizer_config.json` would say it; None if it cannot, or is not installed.
    """
    try:
        from transformers import AutoTokenizer

        made = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        asked = ("pad_token", "sep_token", "padding_side")
        settings = {name: getattr(made, name, None) for name in asked}
        return made.backend_tokenizer.to_str(), settings
    except Exception:  # of any kind, from files of strangers: then ids are all it takes
        return None


@contextmanager
def read_from(where: Path) -> Iterator[None]:
    """Whatever goes wrong, as a ValueError of one line that names the file."""
    try:
        yield
    except Exception as error:  # the library raises plain Exception
        reason = visible(str(error).splitlines()[0][:200])
        raise ValueError(f"{where} holds no tokenizer that can be read: {reason}") from error
