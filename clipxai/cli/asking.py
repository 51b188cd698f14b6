"""What do `explain`, `compare` and `segment` have in common? Maps of one image by some methods."""

import argparse
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image
from tqdm import tqdm

from .. import view
from ..explainers.explain import explain
from ..explainers.table import Method
from ..many.windows import explain_windows
from ..model.clip import CLIP
from ..model.files.checkpoints import load
from ..model.words.templates import ENSEMBLES
from ..results.explanation import Explanation
from ..trace.record import record


def loaded(given: argparse.Namespace) -> CLIP:
    """The model that was asked for; on an accelerator, that is said, and of pictures what the
    embedded one has never seen.
    """
    model = load(
        given.model,
        revision=given.revision,
        trust=given.trust,
        config=given.config,
        activation=given.activation,
        heads=given.heads,
        device=given.device,
        dtype=given.dtype,
    )
    if model.device.type != "cpu":
        print(f"clipxai: runs on {model.device}", file=sys.stderr)
    if given.model is None and hasattr(given, "image"):
        print(
            "by the embedded model, to which photographs mean nothing: --model names another CLIP"
        )
    return model


def expect_one(given: argparse.Namespace, done: str) -> None:
    """A ValueError of what goes with many images, where there is one; it is `done` anew."""
    for name in ("batch", "overwrite", "column", "texts_from", "dry_run"):
        if getattr(given, name):
            said = name.replace("_", "-")
            raise ValueError(f"--{said} is for folders: one image is always {done} anew")
    if not given.texts:
        raise ValueError('name a text to look for, such as "a dog"')


@contextmanager
def limited_pixels(given: argparse.Namespace) -> Iterator[None]:
    """Images of more pixels than were asked for are refused meanwhile, in one line."""
    usual = Image.MAX_IMAGE_PIXELS
    if given.max_pixels is not None:
        if given.max_pixels < 1:
            raise ValueError(f"--max-pixels {given.max_pixels}, but an image has at least one")
        Image.MAX_IMAGE_PIXELS = given.max_pixels
    try:
        with warnings.catch_warnings():
            # Pillow only warns of an image of up to twice its limit
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = usual


def of_texts(given: argparse.Namespace) -> dict[str, object]:
    """How texts are read: `record`'s templates and truncate."""
    return {
        "templates": ENSEMBLES[given.templates] if given.templates else None,
        "truncate": given.truncate,
    }


def options_of(given: argparse.Namespace, rows: list[Method]) -> list[dict[str, object]]:
    """What each method is told besides; what none of them understands is an error."""
    told = [
        {"redundant": given.redundant} if given.redundant and "redundant" in row.options else {}
        for row in rows
    ]
    if given.redundant and not any(told):
        names = " and ".join(row.name for row in rows)
        raise ValueError(
            f"--redundant {given.redundant}, but {names} subtracts nothing that texts share"
        )
    return told


def by_methods(given: argparse.Namespace, model: CLIP, rows: list[Method]) -> list[Explanation]:
    """One recorded pass, and the maps of every method."""
    told = options_of(given, rows)
    trace = record(
        model, given.image, given.texts, mode=given.mode, size=given.size, **of_texts(given)
    )
    # None: shown where stderr is a terminal
    shown = tqdm(rows, "explaining", disable=None if len(rows) > 1 else True, leave=False)
    return [explain(trace, row.name, **options) for row, options in zip(shown, told)]


def by_windows_or_whole(given: argparse.Namespace, model: CLIP, row: Method) -> Explanation:
    """The maps of one method, window by window where that was asked for."""
    if given.window is None and given.stride is None:
        return by_methods(given, model, [row])[0]
    if given.mode != "squash":
        raise ValueError(
            f"--mode {given.mode} does not go with windows: they cover the whole image and keep "
            "its ratio"
        )
    [options] = options_of(given, [row])
    return explain_windows(
        model,
        given.image,
        given.texts,
        row.name,
        window=given.window,
        stride=given.stride,
        size=given.size,
        **of_texts(given),
        **options,
    )


def write(given: argparse.Namespace, explanations: list[Explanation], outs: list[str]) -> None:
    """Save one explanation, or several side by side, and say what a reader has to know."""
    shown = explanations[0] if len(explanations) == 1 else view.MethodComparison(explanations)
    for out in outs:
        view.save(shown, out)
        print(out)
    for text, presence in zip(given.texts, explanations[0].presence):
        print(f"  {text!r}: cosine of the whole image with the text {presence:+.3f}")
    # a note that several methods share is said once
    for note in dict.fromkeys(note for explanation in explanations for note in explanation.notes):
        print(f"  note: {note}")
