"""How does a small CLIP learn? Phase by phase, on scenes that are composed while it learns.

In a notebook, `learn` takes a model of any size through one phase on a `SmallWorld`, and lets you
look after every step; `clipxai.scenes.train` takes the embedded model through all of its phases.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..model.clip import CLIP
from ..model.image import CLIP_MEAN, CLIP_STD
from ..model.towers.text import TextTransformer
from ..model.towers.vit import VisionTransformer
from ..model.words.tokenizer import Tokenizer, vocabulary_of
from .compose import Scene, sample
from .vocabulary import learn_merges

CONTEXT = 32
VOCABULARY_CAPTIONS, MERGES = 4000, 405
WARM_UP = 100  # steps
LARGEST_SCALE = math.log(100)  # OpenAI's cap on the logit scale


@dataclass(frozen=True)
class Phase:
    """One stage of training.

    Attributes
    ----------
    size : side of the images in pixels
    keep : share of the patches that are seen
    batch : images and captions that are compared with one another
    samples : how many are seen in all
    rate : learning rate from … to, along a cosine
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


class Captioned(Dataset):
    """Scenes of the training split as (image (3, size, size) uint8, token ids).

    Parameters
    ----------
    tokenizer : of the model that learns
    size : side of the images in pixels
    draw : `clipxai.scenes.sample`, or that of a smaller world
    """

    def __init__(self, tokenizer: Tokenizer, size: int, draw: Callable[..., Scene]) -> None:
        self.tokenizer, self.size, self.draw = tokenizer, size, draw

    def __getitem__(self, seed: int) -> tuple[Tensor, list[int]]:
        scene = self.draw(seed, split="train", size=self.size)
        return torch.from_numpy(scene.image).permute(2, 0, 1), self.tokenizer.encode(scene.caption)


def collate(items: list[tuple[Tensor, list[int]]]) -> tuple[Tensor, Tensor]:
    """Images stacked, texts padded with 0 behind [end]."""
    images, texts = zip(*items)
    ids = [torch.tensor(text) for text in texts]
    return torch.stack(images), nn.utils.rnn.pad_sequence(ids, batch_first=True)


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
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (CLIP_MEAN, CLIP_STD))
    seeds = range(first_seed, first_seed + steps * phase.batch)
    loader = DataLoader(
        Captioned(tokenizer, phase.size, draw),
        phase.batch,
        sampler=seeds,  # in order: a run that goes on composes the scenes that come next
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
    # a caption does not depend on the size, and small scenes are drawn sooner
    scenes = (sample(seed, "train", size=16) for seed in range(VOCABULARY_CAPTIONS))
    merges = learn_merges((scene.caption for scene in scenes), MERGES)
    return Tokenizer(vocabulary_of(merges), merges, CONTEXT)


def make_model(
    tokenizer: Tokenizer,
    size: int = 112,
    width: int = 128,
    blocks: int = 8,
    text_blocks: int = 3,
    name: str = "Emoji World CLIP",
) -> CLIP:
    """An untrained model; as it stands: 14x14 patches, 8 + 3 blocks of width 128, 2.4 million
    parameters.

    Parameters
    ----------
    tokenizer : from `make_tokenizer`, or of a model whose words it shall read
    size : side of the images in pixels; a patch has 8
    width : of both towers and of the joint space
    blocks, text_blocks : of the image tower and of the text tower
    name : what figures and files call it
    """
    tower = {
        "width": width,
        "heads": 4,
        "ffn_width": 4 * width,
        "joint": width,
        "activation": "gelu",
    }
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
    if keep < 1:  # FLIP: other patches for every image, each time it is seen
        patches = math.prod(model.visual.grid(*pixels.shape[-2:]))
        kept = torch.rand(len(pixels), patches).argsort(1)[:, : round(patches * keep)]
    class_token = model.visual(pixels, keep=kept, patches=False)[:, 0]
    image = F.normalize(model.visual.read_out(class_token), dim=-1)
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
    """AdamW; weight decay on matrices only. `improve` sets the learning rate at every step."""
    matrices = [parameter for parameter in model.parameters() if parameter.ndim >= 2]
    others = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    return torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": 0.1},
            {"params": others, "weight_decay": 0.0},
        ],
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
    """Train a model in memory through one phase; it may be explained between two steps.

    Parameters
    ----------
    model : from `make_model`; this very model learns
    phase : image size, batch, samples, learning rates
    draw : where scenes come from: `clipxai.scenes.sample`, or `SmallWorld.sample`

    Returns
    -------
    Iterator of (steps done, loss of the last)

    Examples
    --------
    >>> for step, loss in learn(model, phase, world.sample):
    ...     print(step)
    1
    2
    """
    optimizer = make_optimizer(model)
    for step, (pixels, ids) in enumerate(batches(model.tokenizer, phase, 0, phase.steps, draw)):
        torch.manual_seed(step)  # which patches are dropped
        rate = learning_rate(phase, step, warm_up=True)
        yield step + 1, improve(model, optimizer, pixels, ids, phase.keep, rate)
