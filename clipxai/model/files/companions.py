"""What lies beside the weights? The vocabulary, and how the colours of images are normalised."""

import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...checks import shown
from ..clip import CLIP
from ..image import Preprocessor
from ..words.library_tokenizer import LibraryTokenizer, older_files
from ..words.open_clip_tokenizer import Unread, expect_own, open_clip_tokenizer
from ..words.piece_tokenizer import PieceTokenizer
from ..words.tokenizer import Tokenizer
from . import hub
from .locating import Files, beside
from .sizes import section
from .untrusted import VOCABULARY_BYTES, read_json, read_text

LEAST_DEVIATION = 1e-3  # of colours in 0…1, a quarter of a step of eight bits; CLIP's is 0.26
MOST_ROUNDED = 1.02  # times the tokens that a vocabulary has; mT5 and NLLB have less than 1 %

Vocabulary = Tokenizer | PieceTokenizer | LibraryTokenizer
# what transformers makes a tokenizer of where there is no tokenizer.json
OLDER = ("vocab.txt", "sentencepiece.bpe.model", "spiece.model")


def vocabulary_beside(
    at: Files, model: CLIP, text: Mapping[str, object] | None = None
) -> Vocabulary | None:
    """The tokenizer that belongs to a model, from the files beside its weights; None without.

    `text` is what the model's `open_clip_config.json` says of texts, if that lies elsewhere.
    """
    text = text or text_of(at("open_clip_config.json"))
    try:
        if text.get("hf_tokenizer_name") and (files := _not_of_clip(at)):
            described, settings, where = files
            return open_clip_tokenizer(described, settings, text, model.text, where)
        found = _of_transformers(at, model.text.context)
        if isinstance(found, Tokenizer):
            expect_own(text)
        return found
    except Unread as setting:
        warnings.warn(
            f"this model takes token ids only: its open_clip_config.json asks for {setting} of the "
            "tokenizer, which is not read",
            stacklevel=2,
        )
        return None


def text_of(config: object) -> dict[str, object]:
    """What a config of open_clip's says of texts, if it is one: a dict, its file, or None."""
    if isinstance(config, (str, Path)):
        config = read_json(Path(config))
    described = config.get("model_cfg", config) if isinstance(config, Mapping) else None
    text = described.get("text_cfg") if isinstance(described, Mapping) else None
    return dict(text) if isinstance(text, Mapping) else {}


def _not_of_clip(at: Files) -> tuple[str, dict, Path] | None:
    """What `tokenizer.json` and `tokenizer_config.json` say, or older files do, and where they are;
    None for CLIP's byte pairs, or without any.
    """
    settings = at("tokenizer_config.json")
    if described := at("tokenizer.json"):
        if not _is_another(described):
            return None
        told = read_json(settings) if settings else {}
        return read_text(described, VOCABULARY_BYTES), told, described
    older = next(filter(None, map(at, OLDER)), None)
    if older is None:
        return None
    at("special_tokens_map.json")  # fetched beside it
    made = older_files(older.parent)
    return made and (*made, older)


def _of_transformers(at: Files, context: int) -> Vocabulary | None:
    """The tokenizer of these files as transformers reads them, or OpenAI's."""
    described = at("tokenizer.json")
    if _is_siglip(at):
        settings, pieces = at("tokenizer_config.json"), described or at("spiece.model")
        return PieceTokenizer.from_files(pieces, settings, context) if pieces else None
    of_transformers = at("config.json") is not None and at("open_clip_config.json") is None
    if described and _is_another(described):
        if of_transformers:  # nobody says how open_clip would clean texts for it
            return LibraryTokenizer.from_file(described, context)
    elif described:
        # first, as it is what transformers reads, and knows of tokens that somebody added
        return Tokenizer.from_tokenizer_json(described, context)
    elif of_transformers and (older := next(filter(None, map(at, OLDER)), None)):
        at("tokenizer_config.json"), at("special_tokens_map.json")  # fetched beside it
        return LibraryTokenizer.from_folder(older.parent, context)
    if (vocabulary := at("vocab.json")) and (merges := at("merges.txt")):
        return Tokenizer.from_files(vocabulary, merges, context, at("added_tokens.json"))
    openai = at("bpe_simple_vocab_16e6.txt.gz") or at("bpe_simple_vocab_16e6.txt")
    return Tokenizer.from_openai(openai, context) if openai else None


def _is_siglip(at: Files) -> bool:
    """Whether the checkpoint is SigLIP's in transformers' layout; open_clip cleans texts for the
    same vocabulary in another way.
    """
    config = at("config.json") if at("open_clip_config.json") is None else None
    return config is not None and read_json(config).get("model_type") in ("siglip", "siglip2")


def _is_another(described: Path) -> bool:
    """Whether a tokenizer is none of CLIP's byte pairs: what a text is to it is not known here, and
    ids are all that such a model takes.
    """
    cut = read_json(described, VOCABULARY_BYTES).get("model")
    return not (isinstance(cut, dict) and cut.get("end_of_word_suffix") == "</w>")


def told_vocabulary(
    told: str | Path | Vocabulary, model: CLIP, text: Mapping[str, object]
) -> Vocabulary:
    """The vocabulary that the caller named: itself, a folder, or a name on the hub; `text` is that
    of `vocabulary_beside`.
    """
    if isinstance(told, Vocabulary):
        return _expect_of(model, told, f"this {type(told).__name__}")
    if os.path.isdir(told):
        at = beside(Path(told))
    else:
        at = hub.file_getter(hub.SHORT_NAMES.get(str(told), str(told)), None)
    found = vocabulary_beside(at, model, text)
    if found is None:
        raise FileNotFoundError(
            f"no vocabulary in {told}: vocab.json and merges.txt, or tokenizer.json, are looked for"
        )
    return _expect_of(model, found, told)


def _expect_of(model: CLIP, told: Vocabulary, where: object) -> Vocabulary:
    """A ValueError for a vocabulary whose ids mean other words to the model; a model may have some
    more than there are, as sizes are rounded up and tokens were kept for later.
    """
    if not model.text.reads:
        raise ValueError(f"tokenizer={where} does nothing: this model has no text tower")
    count = told.size
    if not count <= model.text.vocabulary <= MOST_ROUNDED * count:
        raise ValueError(
            f"tokenizer={where} has {count:,} tokens, but this model knows "
            f"{model.text.vocabulary:,}: pass the tokenizer that it was trained with"
        )
    return told


def preprocessor_beside(at: Files, model: CLIP, told: dict | None = None) -> Preprocessor:
    """Mean and deviation of the colours as the checkpoint says, or the config that the caller told,
    else what is usual for its kind.
    """
    usual = model.preprocessor
    described, names, file = {}, ("image_mean", "image_std"), None
    if told and "preprocess_cfg" in told:
        file, names = "config=", ("mean", "std")
        described = section(told, "preprocess_cfg", file)
    elif file := at("preprocessor_config.json"):
        described = read_json(file)
    elif file := at("open_clip_config.json"):
        described, names = section(read_json(file), "preprocess_cfg", file), ("mean", "std")
    mean = _colour(described.get(names[0]) or usual.mean, names[0], file)
    std = _colour(described.get(names[1]) or usual.std, names[1], file)
    if min(std) < LEAST_DEVIATION:
        raise ValueError(
            f"{file} gives {names[1]}={std}, but a deviation of colours is at least "
            f"{LEAST_DEVIATION}"
        )
    return replace(usual, mean=mean, std=std)


def _colour(given: object, name: str, file: object) -> tuple[float, float, float]:
    """Three numbers within ±1; what a config of a stranger may say besides is an error."""
    # type(), since Python counts True as a whole number
    if (
        not isinstance(given, (list, tuple))
        or len(given) != 3
        or not all(type(value) in (int, float) and abs(value) <= 1 for value in given)
    ):
        raise ValueError(
            f"{file} gives {name}={shown(given)}, but three numbers, one for each colour, are "
            "expected"
        )
    red, green, blue = map(float, given)
    return red, green, blue
