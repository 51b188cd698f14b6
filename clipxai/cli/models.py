"""`clipxai models`: what can be loaded, and what can be asked of it."""

import argparse
from pathlib import Path
from textwrap import wrap

from ..explainers.applicable import applicable
from ..explainers.table import METHODS
from ..model.clip import CLIP
from ..model.files import hub
from ..model.files.describing import Description, describe
from ..model.files.families import families
from ..model.files.locating import EMBEDDED
from ..model.files.told import Told

INDENT = " " * 16
OTHERS = (
    "\nand any other of these families: a name on the hub, a folder, or a weights file "
    "(.safetensors, .pt, .bin, .ckpt;\n"
    "transformers', open_clip's or OpenAI's tensor names; OpenAI's own archives). "
    "`clipxai models NAME` says what one is,\n"
    "without its weights; `clipxai doctor NAME` whether it is read rightly"
)


def run(given: argparse.Namespace) -> int:
    """Print what one model is; or a table: name, short name, licence, size, whether it is here."""
    if given.model is not None:
        weights = Told(given.heads, given.activation, given.config)
        print("\n".join(told(describe(given.model, given.revision, weights))))
        return 0
    size = sum(file.stat().st_size for file in Path(str(EMBEDDED)).iterdir()) / 1e6
    here = "ships with clipxai (the default)"
    rows = [("Emoji World CLIP", "", "MIT", f"{size:.1f} MB", here)]
    heads = {0: ("the embedded model", "everything")}
    for family in families():
        heads[len(rows)] = (family.name, family.asked)
        for model in family.models:
            here = "on this disk" if hub.on_disk(model.id) else ""
            download = f"{model.megabytes:,} MB" if model.parameters else ""
            rows.append((model.id, model.short, model.licence, download, here))
    *left, right = (max(map(len, column)) for column in list(zip(*rows))[:4])
    for number, (*words, download, here) in enumerate(rows):
        if number in heads:
            family, asked = heads[number]
            print(f"{family}\n  can be asked: {asked}")
        cells = [word.ljust(width) for word, width in zip(words, left)]
        print(("  " + "  ".join([*cells, download.rjust(right), here])).rstrip())
    print(OTHERS)
    return 0


def told(found: Description) -> list[str]:
    """Lines that say what a model is, what it takes and what can be asked of it."""
    lines = [f"{found.source}: {found.kind}"]
    if found.file is not None:
        size = found.file.stat().st_size / 1e6
        lines.append(f"  file          {found.file} ({size:,.1f} MB)")
    else:
        lines.append("  file          not on this disk; load downloads it once")
    if found.parameters:
        memory = found.bytes_of_weights / 1e6
        lines.append(f"  parameters    {found.parameters:,}: {memory:,.0f} MB of memory in float32")
    if found.model is None:
        lines.append("  asked         another library builds a tower of it: load says what it has")
        return lines
    lines += _of_towers(found.model)
    if found.bytes_of_trace:
        lines.append(f"  a trace       {found.bytes_of_trace / 1e6:,.0f} MB an image, in float32")
    model = found.model
    able = [method.name for method in applicable(model)]
    able += [] if model.text.reads else ["patch_similarity"]
    unable = [name for name in METHODS if name not in able]
    for head, names in (("asked", able), ("not asked", unable)):
        lines += wrap(
            ", ".join(names), 100, initial_indent=f"  {head:<14}", subsequent_indent=INDENT
        )
    return lines


def _of_towers(model: CLIP) -> list[str]:
    visual, text = model.visual, model.text
    high, wide = visual.image_size
    grid = visual.grid(high, wide)
    blocks = f", {len(visual.blocks)} blocks" if "blocks" in visual.has else ""
    lines = [f"  images        {high}x{wide} pixels, {grid[0]}x{grid[1]} patches{blocks}"]
    if not text.reads:
        return [*lines, "  texts         none: an image tower alone"]
    words = "words too" if text.causal else "words by leaving them out"
    vocabulary = "" if model.tokenizer else "; no vocabulary beside the weights: token ids only"
    lines.append(
        f"  texts         up to {text.context} tokens of {text.vocabulary:,}, {words}{vocabulary}"
    )
    return lines
