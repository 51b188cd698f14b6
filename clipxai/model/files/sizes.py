"""Which sizes may a config ask for? Whole numbers that are not beyond belief: a config is a file
from a stranger, and a model of the size it asks for is laid out before a single tensor is read.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch.overrides import TorchFunctionMode

from ..towers.parts import ACTIVATIONS

MOST = {  # beyond the largest CLIP there is; a config that asks for more is not believed
    "hidden_size": 1 << 14,
    "num_hidden_layers": 256,
    "num_attention_heads": 256,
    "intermediate_size": 1 << 17,
    "image_size": 1 << 13,
    "patch_size": 512,
    "vocab_size": 1 << 21,
    "max_position_embeddings": 1 << 14,
    "projection_dim": 1 << 14,
    "num_patches": 1 << 16,
}
WIDEST_FFN = 64  # times the width of its tower


@contextmanager
def empty_modules() -> Iterator[None]:
    """Modules made within have sizes and no memory: torch's "meta" device, nothing initialised."""
    with torch.device("meta"), _Blank():
        yield


class _Blank(TorchFunctionMode):
    """Modules made within keep whatever their memory holds: random numbers for weights that are
    about to be replaced take time.
    """

    def __torch_function__(
        self, function: Callable, types: object, arguments: tuple = (), options: dict | None = None
    ) -> object:
        """Run everything but `torch.nn.init`."""
        if getattr(function, "__module__", None) == "torch.nn.init":
            return arguments[0] if arguments else options["tensor"]
        return function(*arguments, **(options or {}))


def section(config: dict, name: str, where: object) -> dict:
    """An object within a config; empty where it is left out."""
    part = config.get(name) or {}
    if not isinstance(part, dict):
        raise ValueError(f"{name} of {where} must be an object, but is {str(part)[:40]!r}")
    return part


def size_of(part: dict, name: str, default: int, where: object, limit: str | None = None) -> int:
    """A size of a config: a whole number of at least 1, and at most `MOST[limit or name]`."""
    value, most = part.get(name, default), MOST[limit or name]
    # type(), since Python counts True as a whole number
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(
            f"{where} gives {name}={repr(value)[:40]}, but a whole number from 1 to {most} is "
            "expected"
        )
    return value


def ffn_width(part: dict, width: int, where: object) -> int:
    """Width of an FFN that is given as a multiple, `mlp_ratio`, of the tower's."""
    ratio = part.get("mlp_ratio", 4.0)
    if not isinstance(ratio, (int, float)) or not 0 < ratio <= WIDEST_FFN:
        raise ValueError(
            f"{where} gives mlp_ratio={repr(ratio)[:40]}, but a number above 0 and at most "
            f"{WIDEST_FFN} is expected"
        )
    return max(1, int(width * ratio))


def layer_norm_eps(part: dict, default: float, where: object) -> float:
    """What layer norms add to the variance."""
    eps = part.get("layer_norm_eps", default)
    if not isinstance(eps, float) or not 0 < eps < 1:
        raise ValueError(
            f"{where} gives layer_norm_eps={repr(eps)[:40]}, but a number between 0 and 1 is "
            "expected"
        )
    return eps


def known_activation(name: object) -> str:
    """The name of an activation, if it is one of ours; transformers has two for one of them."""
    name = "gelu_pytorch_tanh" if name == "gelu_new" else name
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise ValueError(f"unknown activation {name!r}; known: {', '.join(ACTIVATIONS)}")
    return name


def square_side(patches: int) -> int:
    """Side of a square grid of that many patches."""
    side = math.isqrt(max(0, patches))
    if side * side != patches or not side:
        raise ValueError(f"{patches} positions make no square grid")
    return side
