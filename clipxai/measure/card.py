"""What has to stand in the model card? Every figure about the embedded model, measured anew.

python -m clipxai.measure.card [CHECKPOINT]         # prints the tables of MODEL_CARD.md
"""

import sys

import numpy as np
import torch
from tqdm import tqdm

from ..explainers.layers import contributions
from ..model.clip import CLIP
from ..model.files.checkpoints import load
from ..results.findings import on_patches, weights_of
from ..scenes import class_names, noun, sample
from ..trace.record import record
from ..trace.trace import Kind
from .emoji_world import PROMPT, localisations, zero_shot
from .layers import stays_on

SCENES = 1000  # held-out scenes, seeds 0 … 999 of the test split


LABELS = [PROMPT.format(noun(name)) for name in class_names()]
ROWS: dict[str, tuple[str, dict]] = {
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


def figures(model: CLIP, scenes: int = SCENES) -> str:
    """The card's tables as Markdown, on `scenes` held-out scenes."""
    held_out = [sample(seed) for seed in range(scenes)]
    known = zero_shot(model, held_out)
    lines = [
        f"Zero-shot top-1 on {scenes} held-out scenes: **{known['object_top1']:.1f} %** over 110 "
        "objects (scenes that show one kind), "
        f"**{known['background_top1']:.1f} %** over 12 backgrounds (all scenes).",
        "",
        "| map | mSC | upside down | mIoU at 0.5 | mIoU at the best single threshold | pointing "
        "game | object contrast |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, at in localisations(model, tqdm(held_out, "scenes"), ROWS).items():
        lines.append(
            f"| {name} | {at.msc:.1f} | {at.upside_down:.1f} % | {at.miou_half:.1f} | "
            f"{at.miou_best:.1f} (at {at.best:.2f}) "
            f"| {at.pointing:.1f} % | {at.object_contrast:.1f} |"
        )
    return "\n".join([*lines, "", *inside(model, held_out)])


@torch.no_grad()
def inside(model: CLIP, held_out: list) -> list[str]:
    """Two tables about single-object scenes: attention that stays on the object, and each module's
    agreement with the final feature.
    """
    consistency: dict[Kind, list[np.ndarray]] = {"qk": [], "vv": []}
    alignment: dict[str, list[np.ndarray]] = {"attention": [], "FFN": []}
    for scene in (scene for scene in held_out if len(scene.objects) == 1):
        trace = record(model, scene.image, [PROMPT.format(noun(scene.objects[0]))])
        on_object = on_patches(scene.masks[0], trace.grids[0])
        if not on_object.any():
            continue
        layers = range(len(trace.layers))
        for kind, values in consistency.items():
            values.append(
                np.array(
                    [
                        stays_on(weights_of(trace, layer, kind, 0)[:, 1:, 1:], on_object)
                        for layer in layers
                    ]
                )
            )
        parts = contributions(trace)
        alignment["attention"].append(parts.attention_alignment)
        alignment["FFN"].append(parts.ffn_alignment)
    head = "| block | " + " | ".join(str(n + 1) for n in range(len(model.visual.blocks))) + " |"
    rule = "|---" * (1 + len(model.visual.blocks)) + "|"

    def row(name: str, values: list[np.ndarray]) -> str:
        return f"| {name} | " + " | ".join(f"{x:.2f}" for x in np.mean(values, axis=0)) + " |"

    return [
        "Share of an object patch's attention that stays on the object:",
        "",
        head,
        rule,
        row("q-k", consistency["qk"]),
        row("v-v", consistency["vv"]),
        "",
        "Cosine of a module's class-token output with the final class token:",
        "",
        head,
        rule,
        row("attention", alignment["attention"]),
        row("FFN", alignment["FFN"]),
    ]


if __name__ == "__main__":
    print(figures(load(sys.argv[1] if len(sys.argv) > 1 else None)))
