"""What do the parts of a block compute that are the same everywhere? Activations and the FFN.

Axes: B batch, N tokens, D width.
"""

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def quick_gelu(x: Tensor) -> Tensor:
    """OpenAI's approximation x * sigmoid(1.702 x).

    A few per cent off GELU, so never interchangeable with it.
    """
    return x * (1.702 * x).sigmoid_()


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "quick_gelu": quick_gelu,
    "gelu": F.gelu,
    "gelu_pytorch_tanh": partial(F.gelu, approximate="tanh"),
}


def random_parameter(*shape: int, std: float) -> nn.Parameter:
    """A normally distributed parameter; on torch's "meta" device, only its shape.

    A checkpoint's model is laid out there, and random numbers would load torch's compiler, which
    takes longer than loading a model.
    """
    parameter = nn.Parameter(torch.empty(*shape))
    return parameter if parameter.is_meta else nn.init.normal_(parameter, std=std)


class FFN(nn.Module):
    """down(activation(up(x))), every token by itself."""

    def __init__(self, width: int, hidden: int, activation: str) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.activation = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, N, D)."""
        return self.down(self.activation(self.up(x)))

    def sum_to_first_order(self, x: Tensor) -> Tensor:
        """(B, N, D) -> (B, D) whose gradient by `x` is that of `self(x).sum(1)`; its value is not.

        With the activation's slope held fixed the rest is linear, so the sum over tokens moves
        before `down`: going back, half of the FFN is one token's work instead of N tokens'.
        """
        up = self.up(x)
        at = up.detach().requires_grad_()
        (slope,) = torch.autograd.grad(self.activation(at).sum(), at)
        return self.down((slope * up).sum(1))
