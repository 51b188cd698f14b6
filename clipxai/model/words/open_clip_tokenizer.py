"""What does open_clip do with a tokenizer that is not CLIP's own? It cleans a text as the model's
config says, lets transformers cut it, and fills it up: SigLIP's, SigLIP 2's, CLIPA's, MetaCLIP 2's
and those of text encoders from elsewhere.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from ...checks import visible
from ..towers.tower import TextTower
from .cleaning import CLEANING, canonical, mended
from .library_tokenizer import LibraryTokenizer, read_from
from .piece_tokenizer import PieceTokenizer, around, backend_of, content

READ = {"clean", "strip_sep_token"}  # of a config's tokenizer_kwargs


class Unread(Exception):
    """A setting of open_clip's tokenizers that is not read here, and which."""


class FilledTokenizer(PieceTokenizer):
    """A tokenizer whose texts are filled up, as the text tower reads what fills them, too.

    Parameters
    ----------
    described, context, pad, pad_left : see `PieceTokenizer`; what begins and ends a text is
        described as well
    clean : what is done to a text first, see `cleaning`
    begun : whether what is described as the beginning of a text stands there
    blanked : a token that becomes a 0 wherever it stands; so CLIPA's texts lose their [SEP]

    Raises
    ------
    ValueError : a vocabulary without these tokens, or one that ends no text
    """

    def __init__(
        self,
        described: str,
        context: int,
        *,
        pad: str,
        clean: Callable[[str], str],
        pad_left: bool = False,
        begun: bool = True,
        blanked: str | None = None,
    ) -> None:
        backend, _ = backend_of(described)
        *before, end = around(backend)
        super().__init__(described, context, backend.id_to_token(end), pad, pad_left=pad_left)
        self.before, self._clean = before if begun else [], clean
        self.blanked = None if blanked is None else backend.token_to_id(blanked)
        self.around |= {*before, *(() if blanked is None else (0,))}

    def clean(self, text: str) -> str:
        """As the model's config says."""
        return self._clean(text)

    def encode(self, text: str, truncate: bool = False) -> list[int]:
        """Token ids of a text, all that stands around it included: always `context` of them.

        Raises
        ------
        ValueError : the text is longer than the context and `truncate` is False
        """
        return [0 if n == self.blanked else n for n in super().encode(text, truncate)]

    def _whole(self, text: str) -> list[int]:
        return [*self.before, *super()._whole(text)]


def cleaning_of(text: Mapping[str, object], usual: str) -> Callable[[str], str]:
    """How texts are cleaned, of what an `open_clip_config.json` says of them.

    Raises
    ------
    Unread : another setting than is read
    """
    told = text.get("tokenizer_kwargs") or {}
    unread = {key: value for key, value in told.items() if key not in READ}
    if text.get("tokenizer_mode"):
        unread["tokenizer_mode"] = text["tokenizer_mode"]
    name = told.get("clean", usual)
    if name not in CLEANING:
        unread["clean"] = name
    if unread:
        raise Unread(", ".join(f"{key}={visible(str(unread[key]))!r}" for key in sorted(unread)))
    return CLEANING[name]


def expect_own(text: Mapping[str, object]) -> None:
    """`Unread`, unless CLIP's own tokenizer does what open_clip would do with its vocabulary."""
    by_transformers = bool(text.get("hf_tokenizer_name"))  # which makes lower case by itself
    clean = cleaning_of(text, "whitespace" if by_transformers else "lower")
    told = text.get("tokenizer_kwargs") or {}
    if clean is canonical or (clean is mended and not by_transformers):
        raise Unread(f"clean={told['clean']!r}")
    if told.get("strip_sep_token"):
        raise Unread("strip_sep_token")


def open_clip_tokenizer(
    described: str,
    settings: Mapping[str, object],
    text: Mapping[str, object],
    tower: TextTower,
    where: Path,
) -> FilledTokenizer | LibraryTokenizer:
    """A model's tokenizer, as open_clip has it.

    Parameters
    ----------
    described, settings : what `tokenizer.json` and `tokenizer_config.json` say
    text : what the model's `open_clip_config.json` says of texts
    tower : which reads them
    where : what errors call the tokenizer

    Raises
    ------
    Unread : as `cleaning_of`
    ValueError : not a tokenizer, or one that lacks its end or padding token
    """
    clean = cleaning_of(text, "whitespace")
    blank = (text.get("tokenizer_kwargs") or {}).get("strip_sep_token")
    with read_from(where):
        if not tower.full and not blank:
            return LibraryTokenizer(described, tower.context, clean)
        return FilledTokenizer(
            described,
            tower.context,
            pad=content(settings.get("pad_token"), "<pad>"),
            clean=clean,
            pad_left=settings.get("padding_side") == "left",
            begun=settings.get("add_bos_token") is not False,
            blanked=content(settings.get("sep_token"), "[SEP]") if blank else None,
        )
