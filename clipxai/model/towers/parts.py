"""What do the parts of a block compute that are the same everywhere? Activations and the FFN.

Axes: B batch, N tokens, D width.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def quick_gelu(x: Tensor) -> Tensor:
    """OpenAI's approximation x * sigmoid(1.702 x).

    A few per cent off GELU, so never interchangeable with it.
    """
    open_by = (1.702 * x).sigmoid_()
    # in place where no gradient needs it: fresh memory costs more than what is computed
    return x * open_by if open_by.requires_grad else open_by.mul_(x)


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "quick_gelu": quick_gelu,
    "gelu": F.gelu,
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
}


def random_parameter(*shape: int, std: float) -> nn.Parameter:
    """A normally distributed parameter; on torch's "meta" device, only its shape.

    A checkpoint's model is laid out there, and random numbers would load torch's compiler, which
    takes longer than loading a model.
    """
    parameter = nn.Parameter(torch.empty(*shape))
    return parameter if parameter.is_meta else nn.init.normal_(parameter, std=std)


def deviation(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    """(..., 1) what a layer norm divides each token (..., D) by, float32.

    Held at this value, the norm is linear.
    """
    return (x.float().var(-1, unbiased=False, keepdim=True) + norm.eps).sqrt()


@dataclass(frozen=True)
class MovedNeurons:
    """Neurons of an FFN that speak in registers instead of in patches: see `model.registers`.

    Attributes
    ----------
    neurons : their numbers
    registers : which tokens; the patches begin behind them
    """

    neurons: tuple[int, ...]
    registers: range

    def __call__(self, inside: Tensor) -> Tensor:
        """What neurons say (B, N, hidden), moved. A class token alone has nothing to be moved."""
        first, patches = self.registers.start, self.registers.stop
        if inside.shape[1] <= first:
            return inside
        at = torch.tensor(self.neurons, device=inside.device)
        loudest = inside[..., at].amax(1, keepdim=True)
        moved = inside.clone()
        moved[:, first:patches, at] = loudest.expand(-1, patches - first, -1)
        moved[:, patches:, at] = 0
        return moved


class FFN(nn.Module):
    """down(activation(up(x))), every token by itself unless neurons are `moved`.

    Parameters
    ----------
    width, hidden : D, and how wide it is inside
    activation : one of `ACTIVATIONS`
    norm : eps of a norm before `down`, where there is one (EVA02)

    Attributes
    ----------
    moved : what happens to some of the neurons of other tokens, if anything does
    """

    moved: MovedNeurons | None = None

    def __init__(
        self, width: int, hidden: int, activation: str, *, norm: float | None = None
    ) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.norm = nn.Identity() if norm is None else nn.LayerNorm(hidden, eps=norm)
        self.down = nn.Linear(hidden, width)
        self.activation = ACTIVATIONS[activation]

    def neurons(self, x: Tensor) -> Tensor:
        """What the neurons say of each token by itself, (..., hidden)."""
        return self.activation(self.up(x))

    def inside(self, x: Tensor) -> Tensor:
        """What `down` reads, (B, N, hidden)."""
        said = self.neurons(x)
        return self.norm(said if self.moved is None else self.moved(said))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)."""
        return self.down(self.inside(x))

    def sum_to_first_order(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, D) whose gradient by `x` is that of `self(x).sum(1)`; its value is not.

        `down` is linear, so the sum over tokens moves before it; with the activation's slope held
        fixed so is the rest, where no norm lies between. Going back, half of the FFN is then one
        token's work instead of N tokens'.
        """
        if not isinstance(self.norm, nn.Identity) or self.moved is not None:
            return self.down(self.inside(x).sum(1))
        up = self.up(x)
        at = up.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.activation(at).sum(), at)
        return self.down((slope * up).sum(1))


class GatedFFN(FFN):
    """down(activation(gate(x)) * up(x)): SwiGLU (Shazeer 2020, arXiv 2002.05202) with "silu"."""

    def __init__(
        self, width: int, hidden: int, activation: str, *, norm: float | None = None
    ) -> None:
        super().__init__(width, hidden, activation, norm=norm)
        self.gate = nn.Linear(width, hidden)

    def neurons(self, x: Tensor) -> Tensor:
        """What the neurons say of each token by itself, (..., hidden)."""
        return self.activation(self.gate(x)) * self.up(x)

    def sum_to_first_order(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, D), as in `FFN`; only `down` is one token's work."""
        return self.down(self.inside(x).sum(1))
