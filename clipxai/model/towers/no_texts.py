"""What stands in for the text tower of an image tower alone? Nothing that could be asked."""

from typing import NoReturn

from torch import Tensor, nn

from .block import BlockTape, LayerEdit
from .tower import TextTower


class NoTexts(TextTower):
    """The text tower of a model that has none; whatever it is asked is a ValueError."""

    reads = False
    causal = full = read_at_end = False
    context = vocabulary = pad_id = 0

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()

    def forward(
        self,
        ids: Tensor,
        tape: list[BlockTape] | None = None,
        *,
        edit: LayerEdit | None = None,
    ) -> NoReturn:
        """Nothing."""
        raise ValueError("an image tower alone reads no texts")

    embed = read_out = end = empty = forward
