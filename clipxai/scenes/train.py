"""How is the embedded model made? A small CLIP trained from scratch on freshly composed scenes, on
two CPU cores.

    python -m clipxai.scenes.train --out runs/emoji-world

Three phases, as in FLIP (Li et al. 2023, arXiv 2212.00794) and in CLIP's own last epoch at a larger
size: small images, then large ones of which 60 % of the patches are dropped, then whole ones. Stop
it whenever you like; the same command goes on where it stopped.

In a notebook, `learn` takes a model of any size through one phase on a `SmallWorld`, and lets you
look after every step.
"""

import argparse
import json
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from ..measure import card, evaluate
from ..model.clip import CLIP
from ..model.files.checkpoints import load
from ..model.files.saving import save_folder
from ..model.image import CLIP_MEAN, CLIP_STD
from ..model.towers.text import TextTransformer
from ..model.towers.vit import VisionTransformer
from ..model.words.tokenizer import Tokenizer, vocabulary_of
from .compose import Scene, compose, sample
from .vocabulary import learn_merges

CONTEXT = 32
VOCABULARY_CAPTIONS, MERGES = 4000, 405
WARM_UP = 100  # steps
LARGEST_SCALE = math.log(100)  # OpenAI's cap on the logit scale
MOST_OBJECTS = 3  # in a scene


@dataclass(frozen=True)
class Phase:
    """One stage of training: image side in pixels, share of patches kept, batch, samples seen,
    learning rate from … to (cosine).
    """

    size: int
    keep: float
    batch: int
    samples: int
    rate: tuple[float, float]

    @property
    def steps(self) -> int:
        """Whole batches that fit."""
        return self.samples // self.batch


PHASES = (
    Phase(64, 1.0, 192, 180_000, (1.5e-3, 8e-4)),
    Phase(112, 0.4, 128, 80_000, (8e-4, 3e-4)),
    Phase(112, 1.0, 96, 20_000, (3e-4, 1e-5)),
)


@dataclass(frozen=True)
class SmallWorld:
    """A few of the objects on a few of the backgrounds: few enough to be learned in minutes.

    Attributes
    ----------
    objects : three or more of `clipxai.scenes.class_names()`
    backgrounds : some of `clipxai.scenes.backgrounds()`
    """

    objects: tuple[str, ...]
    backgrounds: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.objects) < MOST_OBJECTS:
            raise ValueError(
                f"a scene may show {MOST_OBJECTS} different objects, but this world has "
                f"{len(self.objects)}; name more"
            )

    def sample(self, seed: int, split: str = "test", size: int = 112) -> Scene:
        """A random scene of this world with one, two or three things; "train" and "test" never
        share one.
        """
        if split not in ("train", "test"):
            raise ValueError(f"split must be 'train' or 'test', not {split!r}")
        own = 2 * seed + (split == "test")
        rng = np.random.default_rng(own)
        count = rng.choice([1, 2, MOST_OBJECTS], p=[0.45, 0.35, 0.20])
        named = [str(name) for name in rng.choice(self.objects, count, replace=False)]
        return compose(named, str(rng.choice(self.backgrounds)), own, size)


class Captioned(Dataset):
    """Scenes of the training split as (image (3, size, size) uint8, token ids); `draw` is `sample`,
    or that of a smaller world.
    """

    def __init__(self, tokenizer: Tokenizer, size: int, draw: Callable[..., Scene]) -> None:
        self.tokenizer, self.size, self.draw = tokenizer, size, draw

    def __getitem__(self, seed: int) -> tuple[Tensor, list[int]]:
        scene = self.draw(seed, split="train", size=self.size)
        return torch.from_numpy(scene.image).permute(2, 0, 1), self.tokenizer.encode(scene.caption)


def collate(items: list[tuple[Tensor, list[int]]]) -> tuple[Tensor, Tensor]:
    """Images stacked, texts padded with 0 behind [end]."""
    images, texts = zip(*items)
    return torch.stack(images), nn.utils.rnn.pad_sequence(
        [torch.tensor(text) for text in texts], batch_first=True
    )


def leave_cores_to_training(worker: int) -> None:
    """The composing worker uses one thread, so that the training keeps the rest."""
    cv2.setNumThreads(1)


def batches(
    tokenizer: Tokenizer,
    phase: Phase,
    first_seed: int,
    steps: int,
    draw: Callable[..., Scene] = sample,
) -> Iterator[tuple[Tensor, Tensor]]:
    """`steps` batches of pixels (B, 3, s, s), normalised, and ids (B, S), composed by one worker
    beside the training.
    """

    mean, std = torch.tensor(CLIP_MEAN).view(3, 1, 1), torch.tensor(CLIP_STD).view(3, 1, 1)
    seeds = range(first_seed, first_seed + steps * phase.batch)
    loader = DataLoader(
        Captioned(tokenizer, phase.size, draw),
        phase.batch,
        sampler=seeds,
        num_workers=1,
        prefetch_factor=4,
        collate_fn=collate,
        # a fork would inherit locked thread pools
        worker_init_fn=leave_cores_to_training,
        multiprocessing_context="spawn",
    )
    for images, ids in loader:
        yield (images.float() / 255 - mean) / std, ids


def make_tokenizer() -> Tokenizer:
    """The vocabulary of the captions; the same on every machine."""
    merges = learn_merges(
        (sample(seed, "train", size=16).caption for seed in range(VOCABULARY_CAPTIONS)), MERGES
    )
    return Tokenizer(vocabulary_of(merges), merges, CONTEXT)


def make_model(
    tokenizer: Tokenizer,
    size: int = 112,
    width: int = 128,
    blocks: int = 8,
    text_blocks: int = 3,
    name: str = "Emoji World CLIP",
) -> CLIP:
    """An untrained model for images of `size` pixels; as it stands: 14x14 patches, 8 + 3 blocks of
    width 128, 2.4 million parameters.
    """
    tower = dict(width=width, heads=4, ffn_width=4 * width, joint=width, activation="gelu")
    visual = VisionTransformer(image_size=(size, size), patch=8, layers=blocks, **tower)
    text = TextTransformer(
        vocabulary=len(tokenizer.vocabulary), context=CONTEXT, layers=text_blocks, **tower
    )
    return CLIP(visual, text, tokenizer, name=name)


def contrastive_loss(model: CLIP, pixels: Tensor, ids: Tensor, keep: float) -> Tensor:
    """Symmetric InfoNCE over the batch (Radford et al. 2021, Figure 3), seeing a random share
    `keep` of the patches.
    """
    kept = None
    if keep < 1:
        patches = math.prod(model.visual.grid(*pixels.shape[-2:]))
        kept = torch.rand(len(pixels), patches).argsort(1)[:, : round(patches * keep)]
    image = F.normalize(model.visual.read_out(model.visual(pixels, keep=kept)[:, 0]), dim=-1)
    logits = model.logit_scale.exp() * image @ model.encode_text(ids).T
    target = torch.arange(len(pixels))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def learning_rate(phase: Phase, step: int, warm_up: bool) -> float:
    """Cosine from the phase's first rate to its last, after a linear warm-up at the very beginning
    of training.
    """
    high, low = phase.rate
    rate = low + (high - low) * 0.5 * (1 + math.cos(math.pi * step / max(1, phase.steps)))
    return rate * min(1.0, (step + 1) / WARM_UP) if warm_up else rate


def make_optimizer(model: CLIP) -> torch.optim.Optimizer:
    """AdamW; weight decay on matrices only."""
    parameters = list(model.parameters())
    return torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": 0.1},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ],
        lr=PHASES[0].rate[0],
        betas=(0.9, 0.98),
        fused=True,
    )


def improve(
    model: CLIP,
    optimizer: torch.optim.Optimizer,
    pixels: Tensor,
    ids: Tensor,
    keep: float,
    rate: float,
) -> float:
    """One step of training on one batch; the loss before it."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss = contrastive_loss(model, pixels, ids, keep)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    with torch.no_grad():
        model.logit_scale.clamp_(max=LARGEST_SCALE)
    return loss.item()


def learn(
    model: CLIP, phase: Phase, draw: Callable[..., Scene] = sample
) -> Iterator[tuple[int, float]]:
    """Train a model in memory through one phase, and say after every step how many were done and
    what the loss was.

    The model may be explained between two steps. `draw` is where scenes come from:
    `clipxai.scenes.sample`, or `SmallWorld.sample`.

    >>> for step, loss in learn(model, phase, world.sample):  # doctest: +SKIP
    ...     if step % 100 == 0:
    ...         print(step, loss)
    """
    optimizer = make_optimizer(model)
    for step, (pixels, ids) in enumerate(batches(model.tokenizer, phase, 0, phase.steps, draw)):
        torch.manual_seed(step)  # which patches are dropped
        yield (
            step + 1,
            improve(
                model, optimizer, pixels, ids, phase.keep, learning_rate(phase, step, warm_up=True)
            ),
        )


@dataclass
class Progress:
    """How far a run is: the phase, and the step within it."""

    phase: int = 0
    step: int = 0


class Run:
    """A training run in a folder: everything needed to go on is in `checkpoint.pt`, replaced in one
    go.
    """

    def __init__(self, out: Path, phases: tuple[Phase, ...] = PHASES) -> None:
        self.out, self.phases, self.at = out, phases, Progress()
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        self.model = make_model(make_tokenizer())
        self.optimizer = make_optimizer(self.model)
        if (out / "checkpoint.pt").exists():
            saved = torch.load(out / "checkpoint.pt", weights_only=True)
            if saved["phases"] != [asdict(phase) for phase in phases]:
                raise ValueError(
                    f"{out} holds a run with other phases; choose another --out or delete it"
                )
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.at = Progress(**saved["at"])

    def save(self) -> None:
        """Replace `checkpoint.pt` in one go."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "at": asdict(self.at),
            "phases": [asdict(phase) for phase in self.phases],
        }
        torch.save(state, self.out / "checkpoint.tmp")
        os.replace(self.out / "checkpoint.tmp", self.out / "checkpoint.pt")

    def train(self, save_every: int, report_every: int) -> None:
        """All phases that remain."""
        while self.at.phase < len(self.phases):
            self._train_phase(self.phases[self.at.phase], save_every, report_every)
            self.at = Progress(self.at.phase + 1)
            self.save()

    def _train_phase(self, phase: Phase, save_every: int, report_every: int) -> None:
        number, done = self.at.phase, self.at.step
        first_seed = sum(p.steps * p.batch for p in self.phases[:number]) + done * phase.batch
        bar = tqdm(
            batches(self.model.tokenizer, phase, first_seed, phase.steps - done),
            f"phase {number + 1} of {len(self.phases)}",
            phase.steps,
            initial=done,
            unit="step",
            mininterval=1,
        )
        for pixels, ids in bar:
            # which patches are dropped does not depend on where a run was interrupted
            torch.manual_seed(first_seed + self.at.step)
            rate = learning_rate(phase, self.at.step, warm_up=number == 0)
            loss = improve(self.model, self.optimizer, pixels, ids, phase.keep, rate)
            self.at.step += 1
            bar.set_postfix(loss=f"{loss:.3f}")
            if self.at.step % save_every == 0:
                self.save()
            if self.at.step % report_every == 0:
                self.log(phase, loss)

    def finish(self) -> Path:
        """Write the trained model as a checkpoint folder, in half precision, and return where."""
        folder = self.out / "emoji-world-vit"
        if not folder.exists():
            save_folder(self.model, folder)
        return folder

    def log(self, phase: Phase, loss: float) -> None:
        """One line of `log.jsonl`: where the run is, the loss, and how well the model does on a few
        held-out scenes.
        """
        self.model.eval()
        line = {
            **asdict(self.at),
            "samples": self.at.step * phase.batch,
            "loss": round(loss, 4),
            **evaluate(self.model, scenes=100),
        }
        self.model.train()
        with (self.out / "log.jsonl").open("a") as log:
            log.write(json.dumps(line) + "\n")
        tqdm.write("  ".join(f"{name} {value}" for name, value in line.items()))


def main() -> None:
    """Train, write the finished model, and print the figures of its model card."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/emoji-world"),
        help="folder for the checkpoint, log and finished model",
    )
    parser.add_argument("--save-every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--report-every", type=int, default=200, help="steps between reports")
    arguments = parser.parse_args()
    run = Run(arguments.out)
    run.train(arguments.save_every, arguments.report_every)
    finished = run.finish()
    print(f"finished model: {finished}")
    print(card.figures(load(finished)))


if __name__ == "__main__":
    main()
