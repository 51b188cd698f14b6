"""How many pictures go back through the graph together? As many as fit into a bound, by what one of
them took.

What a graph holds depends on the method, its options, the model and the number of texts, and no
formula of ours would stay true to all of them. So the first picture of a kind goes alone, and what
its tensors take at most is counted; the next go together, as many as the bound has room for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from weakref import WeakKeyDictionary, ref

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ..model.clip import CLIP
from ..trace.trace import Trace
from .method import Method
from .scores import Scores

MOST_MEMORY = 1 << 30  # bytes, where it is the computer's
SHARE_OF_CARD = 4  # a quarter of a card's, which holds the weights and the trace as well
# of each model: what a picture took, by what was asked
_TAKEN: WeakKeyDictionary[CLIP, dict[tuple, int]] = WeakKeyDictionary()


def in_parts(
    trace: Trace, method: Method, options: Mapping[str, object]
) -> Iterator[tuple[Trace, Scores]]:
    """A method's scores of neighbours, in order: the trace of some images, and theirs.

    All of them at once where the method keeps no graph.
    """
    count = len(trace.images)
    if method.needs != "gradient" or count == 1:
        yield trace, method.function(trace, **options)
        return
    taken, first = _TAKEN.setdefault(trace.model, {}), 0
    asked = method.name, repr(sorted(options.items())), trace.pixels.shape[1:], trace.pixels.device
    asked = *asked, trace.model.dtype, trace.text_features.shape[-2], bool(trace.edits)
    if asked not in taken:
        alone, first = some_of(trace, range(1)), 1
        with Meter() as meter:
            scores = method.function(alone, **options)
        taken[asked] = meter.most
        yield alone, scores
    together = max(1, _room(trace.pixels.device) // max(1, taken[asked]))
    for start in range(first, count, together):
        few = some_of(trace, range(start, min(start + together, count)))
        yield few, method.function(few, **options)


def some_of(trace: Trace, images: Sequence[int]) -> Trace:
    """The same pass of images of these numbers; neighbours share memory, others are copied."""
    numbers, near = list(images), range(images[0], images[-1] + 1)
    some = slice(near.start, near.stop) if numbers == [*near] else numbers
    listed = {name: getattr(trace, name) for name in ("images", "grids", "notes")}
    parts = {name: [part[n] for n in numbers] for name, part in listed.items()}
    parts |= dict(pixels=trace.pixels[some], stream=trace.stream[some], edits=trace.edits.of(some))
    if trace.text_features.ndim == 3:  # each image has its own: `own_texts`
        parts |= dict(text_features=trace.text_features[some])
    return replace(trace, **parts, layers=tuple(tape.of(some) for tape in trace.layers))


def _room(device: torch.device) -> int:
    if device.type != "cuda":
        return MOST_MEMORY
    return torch.cuda.get_device_properties(device).total_memory // SHARE_OF_CARD


class Meter(TorchDispatchMode):
    """Counts what tensors that are made within it hold, on whichever device.

    Attributes
    ----------
    now, most : bytes at the moment, and at most until now
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._held: dict[int, ref] = {}

    def __torch_dispatch__(
        self, run: Callable[..., Any], types: object, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        """Run an operation, and count the memory that is new behind what it gives."""
        given = kwargs or {}
        found = run(*args, **given)
        # a view of what was there before is nothing new
        before = {id(one.untyped_storage()) for one in _tensors((args, given))}
        for one in _tensors(found):
            storage = one.untyped_storage()
            if id(storage) not in before and id(storage) not in self._held:
                self._hold(storage)
        return found

    def _hold(self, storage: torch.UntypedStorage) -> None:
        name, size = id(storage), storage.nbytes()

        def gone(_: object) -> None:
            if self._held.pop(name, None) is not None:
                self.now -= size

        self._held[name] = ref(storage, gone)
        self.now += size
        self.most = max(self.most, self.now)


def _tensors(tree: object) -> list[Tensor]:
    return [one for one in tree_leaves(tree) if isinstance(one, Tensor)]
