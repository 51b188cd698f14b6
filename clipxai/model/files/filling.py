"""How do the tensors of a file get into an empty model? Every one is checked by name and shape
before a single one is copied.
"""

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import torch
from torch import Tensor

from ...checks import visible
from ..clip import CLIP
from ..towers.hosted import HostedImageTower, HostedTextTower
from .tensor_names import Names
from .untrusted import Weights

PIECE = 1 << 21  # numbers: 8 MB stay in the cache; of less, threads would wait for one another
READERS = 4  # at most: more do not make memory quicker
# beyond any weight there is, and small enough that float32 holds what a block makes of it: a layer
# norm's weight times a linear map's, and the product of two such rows, stay below 1e38
LARGEST = 1e6
LARGEST_LOGARITHM = 20.0  # of the scale of logits, which is e to this
NOT_WEIGHTS = (  # carried along by files of all kinds
    "position_ids",
    "input_resolution",
    "context_length",
    "vocab_size",
    "attn_mask",
    "num_batches_tracked",
)


def fill(model: CLIP, weights: Weights, names: Names, dtype: torch.dtype, where: object) -> None:
    """Put every tensor where it belongs. First all are checked: each is there, fits, and none is
    left over; then all are copied.

    Raises
    ------
    ValueError : a tensor that is missing, of another shape, without a place, no floating-point
        numbers, or not finite, by name
    """
    hosted = _settle_hosted(model, dtype, where)
    state = {ours: t for ours, t in model.state_dict().items() if not ours.startswith(hosted)}
    wanted = {ours: tensor for ours, tensor in state.items() if "num_batches" not in ours}
    theirs = {ours: names.theirs(ours) for ours in wanted}
    scales = {ours: scale for ours in wanted if (scale := names.scale(ours))}
    parts = {
        ours: [
            None if name is None else _oriented(ours, name, weights.tensors, names, where)
            for name in theirs[ours]
        ]
        for ours in wanted
    }
    for ours, tensor in wanted.items():
        _expect_shapes(ours, tensor, dict(zip(theirs[ours], parts[ours])), weights.tensors, where)
    for ours, scale in scales.items():
        rows = _oriented(ours, scale, weights.tensors, names, where)
        each = wanted[ours].flatten(1)[:, 0] if wanted[ours].ndim > 1 else wanted[ours]
        _expect_shapes(ours, each, {scale: rows}, weights.tensors, where)
    used = {*scales.values(), *(name for found in theirs.values() for name in found)}
    _expect_no_other(weights.tensors, used, names.unread, where)

    # counters nobody reads, but `load_state_dict` wants them
    on = torch.device("cpu")  # whatever a caller's own default may be
    counters = [ours for ours in state if ours not in wanted]
    filled = {ours: torch.zeros((), dtype=torch.long, device=on) for ours in counters}
    filled |= {ours: torch.empty(t.shape, dtype=dtype, device=on) for ours, t in wanted.items()}
    lying = []  # in a file, in the order in which they are wanted
    for ours, found in theirs.items():
        places = torch.atleast_1d(filled[ours]).split(_rows(wanted[ours], len(found)))
        for name, place, part in zip(found, places, parts[ours]):
            into = None if name is None else weights.into(name)
            if name is None:
                place.zero_()
            elif into and part.is_contiguous():
                lying.append((ours, name, place, (into, part.dtype, place.view(-1))))
            else:
                # read one by one: what was read before is free again
                source = _oriented(ours, name, {name: weights.read(name)}, names, where)
                _expect_sound(ours, name, place, _copy(source, place), where)
    with _Readers([job for *_, job in lying]) as readers:
        # assign: the empty model has no memory that could be copied to
        model.load_state_dict(filled, assign=True, strict=not hosted)
        for (ours, name, place, _), squares in zip(lying, readers.squares()):
            _expect_sound(ours, name, place, squares, where)
    for ours, name in scales.items():
        scale = torch.empty(len(filled[ours]), dtype=dtype, device="cpu")
        _expect_sound(ours, name, scale, _copy(weights.read(name), scale), where)
        filled[ours] *= scale[:, None] if filled[ours].ndim > 1 else scale


class _Readers:
    """Threads that read numbers from a file to where they are wanted. Most of their time goes into
    memory that is touched for the first time, which one core at a time would do.
    """

    def __init__(
        self, jobs: Sequence[tuple[Callable[[Tensor, int], None], torch.dtype, Tensor]]
    ) -> None:
        """
        Parameters
        ----------
        jobs : what fills a tensor (count,) from one of its numbers on, the kind of those that it
            reads, and the tensor where they are wanted
        """
        self.sums: list[list[float]] = [[] for _ in jobs]
        self.todo = deque(
            (into, kind, place[first : first + PIECE], first, sums)
            for (into, kind, place), sums in zip(jobs, self.sums)
            for first in range(0, len(place), PIECE)
        )

    def __enter__(self) -> "_Readers":
        others = min(READERS, torch.get_num_threads()) - 1  # this one reads when it waits
        self.pool = ThreadPoolExecutor(max(1, others))
        self.others: list[Future[None]] = []
        with suppress(RuntimeError):  # where no thread can be started, this one reads alone
            while len(self.others) < others:
                self.others.append(self.pool.submit(self._work))
        return self

    def __exit__(self, *failure: object) -> None:
        self.todo.clear()
        self.pool.shutdown()
        self.others.clear()  # an error knows who waited for it: the file would stay open

    def squares(self) -> list[float]:
        """The sum of squares of every tensor, once all are read; NaN where one is among them.

        Raises
        ------
        ValueError : the file ends before
        """
        self._work()
        while self.others:
            self.others.pop().result()
        return [sum(sums) for sums in self.sums]

    def _work(self) -> None:
        buffer = torch.empty(0, device="cpu")
        while self.todo:
            try:
                into, kind, piece, first, sums = self.todo.popleft()
            except IndexError:  # another thread was quicker
                return
            if kind == piece.dtype:
                into(piece, first)
            else:
                if buffer.dtype != kind or len(buffer) < len(piece):
                    buffer = torch.empty(len(piece), dtype=kind, device="cpu")
                into(buffer[: len(piece)], first)
                piece.copy_(buffer[: len(piece)])
            sums.append(torch.dot(piece, piece).item())


def _settle_hosted(model: CLIP, dtype: torch.dtype, where: object) -> tuple[str, ...]:
    """How the names of towers begin that came with their numbers; these are made `dtype`."""
    towers = {"visual.module.": model.visual, "text.module.": model.text}
    kinds = (HostedImageTower, HostedTextTower)
    hosted = {start: tower for start, tower in towers.items() if isinstance(tower, kinds)}
    for start, tower in hosted.items():
        for name, weight in tower.module.to(dtype).state_dict().items():
            if weight.is_floating_point() and not bool(weight.isfinite().all()):
                raise ValueError(
                    f"tensor {start.split('.')[0]}.{name} of {where} holds NaN, or numbers that "
                    f"are not finite as {dtype}"
                )
    return tuple(hosted)


def expect_whole(tensors: Mapping[str, Tensor], where: object) -> None:
    """A ValueError for parts that a module makes a weight of whenever it is used."""
    for name in tensors:
        if (
            name.endswith((".weight_g", ".weight_v", ".weight_orig"))
            or ".parametrizations." in name
        ):
            way_out = (
                "call torch.nn.utils.parametrize.remove_parametrizations (of old: "
                "remove_weight_norm, …) before it is saved"
            )
        elif ".lora_" in name or ".base_layer." in name:
            way_out = (
                "call peft's merge_and_unload() before it is saved, or pass its adapter's folder"
            )
        else:
            continue
        raise ValueError(
            f"{where} holds {visible(name)!r}, a part of a weight: {way_out}; or pass the module"
        )


def _expect_sound(ours: str, name: str, read: Tensor, squares: float, where: object) -> None:
    """Numbers that a model can be run with; written so that NaN fails as well."""
    narrower = ours == "logit_scale" or ours.endswith("running_var")
    if not narrower and squares <= LARGEST**2:
        return  # no number is larger than the root of what all squares add up to
    least, most = read.amin().item(), read.amax().item()
    if not (math.isfinite(least) and math.isfinite(most)):
        raise ValueError(
            f"tensor {name!r} of {where} holds NaN, or numbers that are not finite as {read.dtype}"
        )
    low, high = -LARGEST, LARGEST
    if ours == "logit_scale":
        low, high = -LARGEST_LOGARITHM, LARGEST_LOGARITHM
    elif ours.endswith("running_var"):
        low = 0.0
    if not low <= least <= most <= high:
        raise ValueError(
            f"tensor {name!r} of {where} holds numbers from {least:.3g} to {most:.3g}, but weights "
            f"of a model lie in {low:g}…{high:g}"
        )


def _expect_shapes(
    ours: str,
    wanted: Tensor,
    found: Mapping[str | None, Tensor | None],
    tensors: Mapping[str, Tensor],
    where: object,
) -> None:
    """One of our tensors is theirs, or theirs below one another; None stands for zeros."""
    for height, (name, tensor) in zip(_rows(wanted, len(found)), found.items()):
        each = (height, *wanted.shape[1:])[: wanted.ndim]
        if tensor is not None and tuple(tensor.shape) != each:
            raise ValueError(
                f"tensor {name!r} of {where} has shape {tuple(tensors[name].shape)}, but the other "
                f"sizes of this model ask for {each} as {ours!r}"
            )


def _rows(tensor: Tensor, parts: int) -> list[int]:
    """How many rows each part has: all; q, k and v; or q, and k and v together."""
    rows = len(tensor) if tensor.ndim else 1
    if parts == 1:
        return [rows]
    third = rows // 3
    return [third] * 3 if parts == 3 else [third, 2 * third]


def _expect_no_other(
    tensors: Mapping[str, Tensor], used: set[str], unread: tuple[str, ...], where: object
) -> None:
    """A tensor without a place is of a part that this model lacks: its answers would differ."""
    unknown = [
        name
        for name in tensors
        if name not in used and not name.endswith(NOT_WEIGHTS) and not name.startswith(unread)
    ]
    if unknown:
        raise ValueError(
            f"{len(unknown)} tensor(s) in {where} have no place in this model, such as "
            f"{unknown[0]!r}"
        )


def _oriented(
    ours: str, name: str, tensors: Mapping[str, Tensor], names: Names, where: object
) -> Tensor:
    """A tensor of theirs the way round that ours is (a view: nothing is copied)."""
    if name not in tensors:
        raise ValueError(f"tensor {name!r} is missing in {where}")
    tensor = tensors[name]
    if not tensor.is_floating_point() or tensor.element_size() < 2:
        raise ValueError(
            f"tensor {name!r} of {where} holds {tensor.dtype} (quantised?), but weights are "
            "floating-point numbers: load the checkpoint as it was before"
        )
    if ours in names.transposed and tensor.ndim == 2:
        return tensor.T
    # SigLIP keeps a number as (1,), and its probe as (1, 1, D); timm its positions as (1, P, D)
    number = ours in ("logit_scale", "logit_bias") and tensor.shape == (1,)
    probe = ours == "visual.head.probe" and tensor.shape[:-1] == (1, 1)
    if number or probe:
        return tensor.squeeze()
    if ours in ("visual.positions.table", "visual.registers") and tensor.ndim == 3:
        return tensor[0] if len(tensor) == 1 else tensor
    if ours == "visual.class_embedding" and tensor.shape[:1] == (1,):
        return tensor.flatten()
    if ours == "visual.patch_embedding.weight" and tensor.ndim == 2:
        return _convolution(tensor)
    return tensor


def _convolution(linear: Tensor) -> Tensor:
    """SigLIP 2's linear map of rows, columns, colours as the convolution that it is."""
    side = math.isqrt(linear.shape[1] // 3)
    if side * side * 3 != linear.shape[1]:
        return linear  # whose shape the check will refuse
    return linear.view(len(linear), side, side, 3).permute(0, 3, 1, 2)


def _copy(tensor: Tensor, place: Tensor) -> float:
    """Copy piece by piece, each small enough to be looked at while it is in the processor's cache;
    the largest sum of a piece's squares, NaN if there is one: quicker than its extremes.
    """
    tensor, place = torch.atleast_1d(tensor, place)
    rows = max(1, PIECE * len(place) // place.numel())
    squares = []
    for source, target in zip(tensor.split(rows), place.split(rows)):
        target.copy_(source)
        squares.append(torch.dot(target.view(-1), target.view(-1)))
    return torch.stack(squares).amax().item()
