"""Is this model read rightly? Checks that each find one kind of fault, on one page.

    file          what a publisher said of the file's SHA-256
    sizes         the config against the tensors
    library       features of images and texts against the library that the model comes from
    zero-shot     objects of Emoji World, and what a reader by chance gets
    ImageNet      a published score, of which it says how to measure it
    methods       every method that the model can be asked: it answers, with numbers that vary
    parts         what attention and FFNs added up, against the cosine
    bfloat16      features in half the digits against float32

A check that cannot be made says why, and counts as neither.
"""

import copy
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from ..explainers.applicable import applicable, options_for
from ..explainers.explain import explain
from ..explainers.layers import contributions
from ..explainers.table import METHODS
from ..model.clip import CLIP
from ..model.files import hub
from ..model.files.checkpoints import load
from ..model.files.library import NoLibrary, library_features, library_module, some_ids
from ..model.files.locating import locate
from ..model.files.untrusted import OPENAI_SHA256, sha256_of
from ..scenes import class_names, sample
from ..trace.record import record
from ..trace.trace import Trace
from .emoji_world import zero_shot
from .published import published

State = Literal["good", "off", "not known"]
ALIKE = 1e-4  # of features of unit length
CLOSED = 1e-3  # of a cosine, in float32
LEAST_IN_HALF = 0.99  # cosine of a feature in bfloat16 with itself in float32
TEXTS = ["a photo of a dog", "a red bicycle in the rain", "two cats"]
SCENES = 100
BLOB = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Check:
    """What one check found.

    Attributes
    ----------
    name, state, said : which it is, what came out, and a line for people
    """

    name: str
    state: State
    said: str


@dataclass(frozen=True)
class Report:
    """What the doctor found; printed, it is one page.

    Attributes
    ----------
    model : its name
    checks : in their order
    """

    model: str
    checks: tuple[Check, ...]

    @property
    def good(self) -> bool:
        """Whether nothing is off."""
        return all(check.state != "off" for check in self.checks)

    def __repr__(self) -> str:
        lines = [f"{check.name:<10} {check.state:<10} {check.said}" for check in self.checks]
        off = [check.name for check in self.checks if check.state == "off"]
        known = sum(check.state == "good" for check in self.checks)
        verdict = f"off: {', '.join(off)}" if off else f"nothing is off; {known} checks are good"
        return "\n".join([self.model, *lines, verdict])


def doctor(model: CLIP | nn.Module | str | Path | None = None) -> Report:
    """Is a model read rightly?

    Parameters
    ----------
    model : what `load` takes (a name, folder, file or module in memory; nothing: the embedded
        model), or a `CLIP` that it returned

    Returns
    -------
    A `Report`, whose `good` says whether nothing is off

    Raises
    ------
    FileNotFoundError, OSError : there is no such model

    Examples
    --------
    >>> report = doctor()
    >>> report.good
    True
    """
    source, library = model, model if isinstance(model, nn.Module) else None
    if isinstance(model, CLIP):
        loaded, library = model, None
        known = model.provenance.get("source", "")
        source = None if known == "embedded" else known
    else:
        try:
            loaded = load(model)
        except ValueError as error:
            return Report(str(model), (Check("sizes", "off", str(error)),))
    loaded = copy.deepcopy(loaded).to(torch.float32)  # whatever is done to it is undone
    checks: list[tuple[str, Callable[[], tuple[State, str]]]] = [
        ("file", lambda: _file(loaded, source)),
        ("sizes", lambda: ("good", "every tensor has its place, and every place its tensor")),
        ("library", lambda: _library(loaded, source, library)),
        ("zero-shot", lambda: _zero_shot(loaded)),
        ("ImageNet", lambda: _imagenet(loaded)),
        ("methods", lambda: _methods(loaded)),
        ("parts", lambda: _parts(loaded)),
        ("bfloat16", lambda: _half(loaded)),
    ]
    found = (Check(name, *check()) for name, check in checks)
    return Report(loaded.name, tuple(check for check in found if check.said))


def _file(model: CLIP, source: object) -> tuple[State, str]:
    """Its SHA-256 against a published one, or the one under which the hub announced it."""
    told = model.provenance.get("sha256")
    if told in OPENAI_SHA256:
        return "good", f"its SHA-256 is that of OpenAI's {OPENAI_SHA256[told]}"
    name = hub.SHORT_NAMES.get(str(source), str(source))
    if not isinstance(source, str) or Path(source).exists() or not hub.HUB_ID.fullmatch(name):
        return "not known", "nobody published a SHA-256 of it that is known here"
    blob = next(locate(source, model.provenance.get("revision"))).weights.resolve()
    if not BLOB.fullmatch(blob.name):
        return "not known", "the hub announced no SHA-256 of it"
    if sha256_of(blob) == blob.name:
        return "good", "its SHA-256 is the one that the hub announced"
    return "off", f"its SHA-256 is not the one that the hub announced: remove {blob}, load it again"


def _pixels(model: CLIP, count: int = 3) -> torch.Tensor:
    return model.preprocess([sample(seed).image for seed in range(count)])


def _library(model: CLIP, source: object, module: nn.Module | None) -> tuple[State, str]:
    try:
        if changed := model.provenance.get("since loading"):
            raise NoLibrary(f"the library has not what was changed after loading: {changed}")
        if module is None:
            if source in ("a module in memory", "this state dict", "", "state dict"):
                raise NoLibrary("it came from memory: pass the module that it was read from")
            module = library_module(source, model.provenance.get("revision"))
        pixels = _pixels(model)
        ids = some_ids(model, TEXTS) if model.text.reads else None
        images, texts = library_features(module, pixels, ids)
    except NoLibrary as error:
        return "not known", str(error)
    except (ValueError, RuntimeError, TypeError, AttributeError) as error:
        return "not known", f"the library could not be asked: {str(error).splitlines()[0][:120]}"
    found = {"images": (model.encode_image(pixels) - images).abs().max().item()}
    if texts is not None:
        found["texts"] = (model.encode_text(ids) - texts).abs().max().item()
    said = ", ".join(f"{name} differ by {apart:.1e}" for name, apart in found.items())
    alike = all(apart < ALIKE for apart in found.values())
    return (
        "good" if alike else "off"
    ), f"features of {said} at most from {type(module).__name__}'s"


def _zero_shot(model: CLIP) -> tuple[State, str]:
    if not model.text.reads or model.tokenizer is None:
        return "not known", "it reads no texts" if not model.text.reads else "it has no vocabulary"
    scenes = [sample(seed) for seed in range(SCENES)]
    single = sum(len(scene.objects) == 1 for scene in scenes)
    found, chance = zero_shot(model, scenes)["object_top1"], 100 / len(class_names())
    # two standard deviations above what a reader by chance gets
    bar = chance + 2 * math.sqrt(chance * (100 - chance) / single)
    said = (
        f"{found:.0f} % of {single} objects of Emoji World named; by chance {chance:.0f} % of "
        f"{len(class_names())}"
    )
    if found > bar:
        return "good", said
    return "off", f"{said}: read wrongly, or it knows nothing of such pictures"


def _imagenet(model: CLIP) -> tuple[State, str]:
    """What is published, if anything is: fifty thousand images take longer than a doctor has."""
    told, short = model.provenance, {name: known for known, name in hub.SHORT_NAMES.items()}
    name = told.get("source", "") if "revision" in told else ""  # a folder may be called anything
    archive = OPENAI_SHA256.get(told.get("sha256", ""), "")
    return "not known", published(archive, short.get(name, name)) or ""


def _trace(model: CLIP) -> Trace:
    if not model.text.reads:
        return record(model, _pixels(model, 1), normalized=True)
    texts = some_ids(model, TEXTS) if model.tokenizer is None else TEXTS
    return record(model, _pixels(model, 1), texts, normalized=True)


def _methods(model: CLIP) -> tuple[State, str]:
    trace, wrong, ran = _trace(model), [], 0
    able = applicable(model)
    quick = [m for m in able if m.needs == "forward"]
    for method in quick:
        try:
            scores = explain(trace, method.name, **options_for(method, model)).scores
            fault = None if np.isfinite(scores).all() and scores.std() > 0 else "says the same"
        except Exception as error:  # of any kind: that is what is asked here
            fault = str(error).splitlines()[0][:80]
        if fault:
            wrong.append(f"{method.name} ({fault})")
        ran += 1
    said = f"{ran} of {len(METHODS)} asked, which need only the recorded pass"
    said += f"; {len(able) - ran} more can be asked, {len(METHODS) - len(able)} cannot"
    return ("off", f"{said}; wrong: {', '.join(wrong)}") if wrong else ("good", said)


def _parts(model: CLIP) -> tuple[State, str]:
    if "blocks" not in model.visual.has or not model.text.reads:
        return "not known", f"a {model.visual.description}: no parts add up to a cosine"
    parts = contributions(_trace(model))
    apart, pool = abs(parts.residual), "" if parts.pool is None else ", and the pool's FFN,"
    said = f"attention, FFNs, embedding and bias{pool} add up to the cosine within {apart:.1e}"
    return ("good" if apart < CLOSED else "off"), said


@torch.no_grad()
def _half(model: CLIP) -> tuple[State, str]:
    pixels, half = _pixels(model), copy.deepcopy(model).to(torch.bfloat16)
    try:
        least = F.cosine_similarity(model.encode_image(pixels), half.encode_image(pixels)).min()
    except (RuntimeError, TypeError) as error:
        return "not known", f"it does not run so: {str(error).splitlines()[0][:120]}"
    said = f"cosine of an image's feature with itself in float32: {least:.4f} or more"
    return ("good" if least >= LEAST_IN_HALF else "off"), said
