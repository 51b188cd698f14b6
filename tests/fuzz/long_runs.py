"""What is interrupted: runs that write files, each a function of the folder it writes into, and how
what it wrote is compared.
"""

import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader

import clipxai as cx
from clipxai.cli import main
from clipxai.measure import bench, report
from clipxai.model.towers.text import TextTransformer
from clipxai.model.towers.vit import VisionTransformer
from clipxai.scenes import learning, train
from clipxai.view import MethodComparison, viewer

SIZE = (24, 32)
ROUNDING = 1e-5  # of scores: batches differ after an interruption
# they grow line by line; several processes have one each
JOURNALS = ("clipxai-explain*.jsonl", "log.jsonl", "[0-9].jsonl")
DRAFT = ".clipxai-"


@dataclass(frozen=True)
class LongRun:
    """One that can be interrupted.

    Attributes
    ----------
    run : (out) does all of it or what is left, and returns its exit code
    prepare : (out) writes what was there before
    """

    run: Callable[[Path], int]
    prepare: Callable[[Path], None] = lambda out: None


def explain(photos: Path, out: Path) -> int:
    """`clipxai explain FOLDER`."""
    asked = [str(photos), "a dog", "--size", "32", "--method", "clip", "--format", "npz"]
    asked += ["--batch", "2"]
    return main(["explain", *asked, "--out", str(out)])


def benchmark(out: Path) -> int:
    """`clipxai bench`; by a clock that is the same for all, or no two runs were equal, and without
    the pictures of its report, which take long.
    """
    report.gallery = report.trade_off = report.strips = lambda *_: ""
    bench.time = SimpleNamespace(perf_counter=count().__next__)
    sys.argv = ["clipxai", "bench"]
    asked = ["--limit", "5", "--methods", "clip,clip_surgery", "--size", "64"]
    return main(["bench", *asked, "--out", str(out)])


def training(out: Path) -> int:
    """`python -m clipxai.scenes.train` of a tiny model, which composes its scenes by itself."""
    train.make_model = _tiny
    train.evaluate = lambda model, scenes: {}
    train.card = SimpleNamespace(figures=lambda model: "")
    train.make_tokenizer = _tokenizer
    learning.DataLoader = lambda data, batch, sampler, collate_fn, **beside: DataLoader(
        data, batch, sampler=sampler, collate_fn=collate_fn
    )
    phases = (
        learning.Phase(32, 1.0, 4, 4 * 6, (1e-3, 5e-4)),
        learning.Phase(48, 0.5, 4, 4 * 4, (5e-4, 1e-5)),
    )
    train.Run.__init__.__defaults__ = (phases,)
    sys.argv = ["train", "--out", str(out), "--save-every", "2", "--report-every", "1"]
    return train.main() or 0


def saving(shown: MethodComparison, out: Path) -> int:
    """`cx.save` in every format, and a mask; an error is one line, as the command line has it."""
    (e,) = shown.explanations
    try:
        cx.save(e, out / "map.npz")
        for suffix in ("png", "svg", "pdf", "html"):
            cx.save(shown, out / f"map.{suffix}")
        cx.segment(e, of="map", threshold=0.5).save_mask(out / "mask.png")
    except (ValueError, OSError) as error:
        print(f"clipxai: {error}", file=sys.stderr)
        return 2
    return 0


@cache
def _tokenizer() -> object:
    learning.VOCABULARY_CAPTIONS = 50
    return learning.make_tokenizer()


def _tiny(tokenizer: object) -> cx.CLIP:
    size = dict(width=32, heads=2, ffn_width=64, joint=32, activation="gelu")
    visual = VisionTransformer(image_size=(48, 48), patch=16, layers=2, **size)
    text = TextTransformer(vocabulary=len(tokenizer.vocabulary), context=32, layers=2, **size)
    return cx.CLIP(visual, text, tokenizer)


def long_runs(root: Path) -> dict[str, LongRun]:
    """All of them; what they read lies in `root`."""
    photos, before = root / "photos", root / "before"
    photos.mkdir(), before.mkdir()
    noise = np.random.default_rng(0)
    for name in "abcde":
        pixels = noise.integers(0, 256, (*SIZE, 3), np.uint8)
        Image.fromarray(pixels).save(photos / f"{name}.png")
    model = cx.load()
    viewer._render, viewer.page = cache(viewer._render), cache(viewer.page)  # drawn once
    first, second = (
        MethodComparison(cx.explain(cx.record(model, photos / f"{n}.png", ["a dog"]))) for n in "ab"
    )
    for shown in (first, second):
        shown.figure = cache(shown.figure)
    assert saving(second, before) == 0
    assert saving(first, before) == 0
    old = partial(shutil.copytree, before, dirs_exist_ok=True)
    _tokenizer()
    return {
        "explain": LongRun(partial(explain, photos)),
        "bench": LongRun(benchmark),
        "train": LongRun(training),
        "save": LongRun(partial(saving, second), old),
    }


def half_written(out: Path, *whole: Path) -> list[str]:
    """Files under a final name that are in none of these folders as they are here."""
    found = []
    for file in _files(out):
        name = file.relative_to(out)
        if any(map(file.match, JOURNALS)) or any(part.startswith(DRAFT) for part in name.parts):
            continue
        if file.name == "checkpoint.pt":  # of any step
            with suppress(Exception):
                torch.load(file, weights_only=True)
                continue
        if not any(same(file, folder / name) for folder in whole):
            found.append(f"half-written {name}")
    models = [folder for folder in whole if (folder / "emoji-world-vit").exists()]
    if models and (out / "emoji-world-vit").exists():
        there, wanted = (
            {file.name for file in (folder / "emoji-world-vit").iterdir()}
            for folder in (out, models[0])
        )
        found += [f"half a model: no {name}" for name in wanted - there]
    return found


def differences(out: Path, expected: Path) -> list[str]:
    """What is other than in `expected`; drafts too, which are not there."""
    ours, theirs = (
        {file.relative_to(folder) for file in _files(folder)} for folder in (out, expected)
    )
    found = [f"left {name}" for name in sorted(ours - theirs)]
    found += [f"no {name}" for name in sorted(theirs - ours)]
    found += [f"empty {path.name}" for path in out.rglob(f"{DRAFT}*") if path.is_dir()]
    both = sorted(ours & theirs)
    return found + [f"another {name}" for name in both if not same(out / name, expected / name)]


def same(one: Path, other: Path) -> bool:
    """Byte for byte; a checkpoint number for number, scores of an .npz to a rounding, a journal in
    any order: processes do not come in turn.
    """
    if not other.exists():
        return False
    ours, theirs = one.read_bytes(), other.read_bytes()
    if ours == theirs:
        return True
    if one.suffix == ".jsonl":
        return sorted(ours.splitlines()) == sorted(theirs.splitlines())
    try:
        if one.suffix == ".pt":
            return _equal(*(torch.load(file, weights_only=True) for file in (one, other)))
        if one.suffix == ".npz":
            a, b = map(cx.Explanation.from_npz, (one, other))
            return (a.texts, a.method) == (b.texts, b.method) and all(
                np.allclose(x, y, rtol=0, atol=ROUNDING)
                for x, y in ((a.scores, b.scores), (a.image, b.image), (a.presence, b.presence))
            )
    except ValueError:
        return False
    return False


def _equal(a: object, b: object) -> bool:
    """To the last bit, whatever they hold."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_equal, a, b))
    return a == b


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
