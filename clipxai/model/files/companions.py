"""What lies beside the weights? The vocabulary, and how the colours of images are normalised."""

import os
from dataclasses import replace
from pathlib import Path

from ...checks import shown
from ..clip import CLIP
from ..image import Preprocessor
from ..words.library_tokenizer import LibraryTokenizer
from ..words.sentencepiece import PieceTokenizer
from ..words.tokenizer import Tokenizer
from . import hub
from .locating import Files, beside
from .sizes import section
from .untrusted import VOCABULARY_BYTES, read_json

LEAST_DEVIATION = 1e-3  # of colours in 0…1, a quarter of a step of eight bits; CLIP's is 0.26


Vocabulary = Tokenizer | PieceTokenizer | LibraryTokenizer
# what transformers makes a tokenizer of where there is no tokenizer.json
OLDER = ("vocab.txt", "sentencepiece.bpe.model", "spiece.model")


def vocabulary_beside(at: Files, model: CLIP) -> Vocabulary | None:
    """The tokenizer that belongs to a model, from the files beside its weights; None without."""
    context = model.text.context
    described = at("tokenizer.json")
    if _is_siglip(at):
        settings = at("tokenizer_config.json")
        return PieceTokenizer.from_files(described, settings, context) if described else None
    of_transformers = at("config.json") is not None and at("open_clip_config.json") is None
    if described and _is_another(described):
        # open_clip cleans texts before it hands them on, each model in its own way
        if of_transformers:
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


def told_vocabulary(told: str | Path | Vocabulary, model: CLIP) -> Vocabulary:
    """The vocabulary that the caller named: itself, a folder, or a name on the hub."""
    if isinstance(told, Vocabulary):
        return told
    if os.path.isdir(told):
        at = beside(Path(told))
    else:
        at = hub.file_getter(hub.SHORT_NAMES.get(str(told), str(told)), None)
    found = vocabulary_beside(at, model)
    if found is None:
        raise FileNotFoundError(
            f"no vocabulary in {told}: vocab.json and merges.txt, or tokenizer.json, are looked for"
        )
    return found


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
