"""What if the norms stand behind? EVA02-E's blocks (Sun et al. 2023, arXiv 2303.15389).

    z  =  x + LN(W_o mix(Q, K, V))          Q, K, V = W x
    x' =  z + LN(FFN(z))

Axes: as in `block`.
"""

from torch import Tensor

from .attention import LinearMerge, slope_through
from .block import Block, BlockTape
from .parts import deviation


class PostNormBlock(Block):
    """x + LN(Attention(x)), then x + LN(FFN(x))."""

    def norm(self, x: Tensor) -> Tensor:
        """The stream as the attention reads it: as it is."""
        return x

    def merge(self, mixed: Tensor) -> Tensor:
        """As in `Block`, with the norm behind it."""
        return self.ln_1(self.attn.merge(mixed))

    def ffn(self, x: Tensor) -> Tensor:
        """As in `Block`, with the norm behind it."""
        return self.ln_2(self.mlp(x))

    def neurons(self, x: Tensor) -> Tensor:
        """As in `Block`, of the stream as it is."""
        return self.mlp.neurons(x)

    def ffn_sum_to_first_order(self, x: Tensor) -> Tensor:
        """As in `Block`; nothing can be summed before the norm, so this has the value as well."""
        return self.ffn(x).sum(1)

    def linear_merge(self, read: Tensor) -> LinearMerge:
        """As in `Block`. What the norm divides by is in the bias as well, (B, N, D)."""
        before, gain = self.attn.linear_merge(read), self.ln_1.weight.float()
        divisor = deviation(self.ln_1, self.attn.merge(read))
        centred = before.matrices - before.matrices.mean(-1, keepdim=True)
        bias = (before.bias - before.bias.mean(-1, keepdim=True)) * gain / divisor
        return LinearMerge(
            centred * gain, before.deviation * divisor, bias + self.ln_1.bias.float()
        )

    def slope_by_heads(self, slope: Tensor, tape: BlockTape) -> Tensor:
        """As in `Block`, through the norm."""
        return slope_through(self.merge, tape.weights() @ tape.v, slope)
