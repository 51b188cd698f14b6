"""What has to stand in the model card? Every figure about the embedded model, measured anew.

python -m clipxai.measure.card [CHECKPOINT]     # prints the tables of MODEL_CARD.md
"""

import argparse
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from tqdm import tqdm

from ..explainers.layers import contributions
from ..model.clip import CLIP
from ..model.files.checkpoints import load
from ..results.findings import on_patches, weights_of
from ..scenes import Scene, class_names, noun, sample
from ..trace.record import record
from ..trace.trace import Kind
from .emoji_world import PROMPT, localisations, zero_shot
from .layers import stays_on

SCENES = 1000  # held-out scenes, seeds 0 … 999 of the test split
LABELS = [PROMPT.format(noun(name)) for name in class_names()]
ROWS: dict[str, tuple[str, dict]] = {  # name in the table -> method and options
    "raw CLIP": ("clip", {}),
    "raw CLIP, minus the empty text": ("clip_surgery_features", {}),
    **{
        f"v-v, no FFN, last {n} block{'s' * (n > 1)}": ("clip_surgery_architecture", {"blocks": n})
        for n in range(1, 7)
    },
    "CLIP Surgery: 6 blocks, minus the empty text": ("clip_surgery", {}),
    "CLIP Surgery: 6 blocks, minus what all 110 objects share": (
        "clip_surgery",
        {"redundant": LABELS},
    ),
    "6 blocks with FFN on the new path": ("clip_surgery_architecture", {"ffn": True}),
    "6 blocks in a single path (no dual path)": ("clip_surgery_architecture", {"dual_path": False}),
    "identity attention, 6 blocks, minus the empty text": (
        "clip_surgery",
        {"attention": "identity"},
    ),
    "q-k attention without FFN, 6 blocks": ("clip_surgery_architecture", {"attention": "qk"}),
}
HEADINGS = (
    "map",
    "mSC",
    "upside down",
    "mIoU at 0.5",
    "mIoU at the best single threshold",
    "pointing game",
    "object contrast",
)


def figures(model: CLIP, scenes: int = SCENES) -> str:
    """The card's tables as Markdown, on `scenes` held-out scenes."""
    held_out = [sample(seed) for seed in range(scenes)]
    known = zero_shot(model, held_out)
    lines = [
        f"Zero-shot top-1 on {scenes} held-out scenes: **{known['object_top1']:.1f} %** over 110 "
        f"objects (scenes that show one kind), **{known['background_top1']:.1f} %** over 12 "
        "backgrounds (all scenes).",
        "",
        *_head(HEADINGS),
    ]
    for name, at in localisations(model, tqdm(held_out, "scenes"), ROWS).items():
        cells = (
            name,
            f"{at.msc:.1f}",
            f"{at.upside_down:.1f} %",
            f"{at.miou_half:.1f}",
            f"{at.miou_best:.1f} (at {at.best:.2f})",
            f"{at.pointing:.1f} %",
            f"{at.object_contrast:.1f}",
        )
        lines.append(_row(cells))
    return "\n".join([*lines, "", *inside(model, held_out)])


@torch.no_grad()
def inside(model: CLIP, held_out: list[Scene]) -> list[str]:
    """Two tables about single-object scenes: attention that stays on the object, and each module's
    agreement with the final feature.
    """
    stays: dict[Kind, list[np.ndarray]] = {"qk": [], "vv": []}
    alignment: dict[str, list[np.ndarray]] = {"attention": [], "FFN": []}
    for scene in (scene for scene in held_out if len(scene.objects) == 1):
        trace = record(model, scene.image, [PROMPT.format(noun(scene.objects[0]))])
        on_object = on_patches(scene.masks[0], trace.grids[0])
        if not on_object.any():  # too small to cover more than half of any patch
            continue
        for kind, values in stays.items():
            by_layer = (
                weights_of(trace, layer, kind, 0)[:, 1:, 1:] for layer in range(len(trace.layers))
            )
            values.append(np.array([stays_on(weights, on_object) for weights in by_layer]))
        parts = contributions(trace)
        alignment["attention"].append(parts.attention_alignment)
        alignment["FFN"].append(parts.ffn_alignment)
    head = _head(["block", *(str(n + 1) for n in range(len(model.visual.blocks)))])
    return [
        "Share of an object patch's attention that stays on the object:",
        "",
        *head,
        _means("q-k", stays["qk"]),
        _means("v-v", stays["vv"]),
        "",
        "Cosine of a module's class-token output with the final class token:",
        "",
        *head,
        _means("attention", alignment["attention"]),
        _means("FFN", alignment["FFN"]),
    ]


def _head(headings: Sequence[str]) -> list[str]:
    return [_row(headings), "|---" * len(headings) + "|"]


def _means(name: str, values: list[np.ndarray]) -> str:
    return _row([name, *(f"{mean:.2f}" for mean in np.mean(values, axis=0))])


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the tables of one model."""
    parser = argparse.ArgumentParser(
        "python -m clipxai.measure.card",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("checkpoint", nargs="?", help="as for `clipxai explain --model`")
    print(figures(load(parser.parse_args().checkpoint)))


if __name__ == "__main__":
    main()
