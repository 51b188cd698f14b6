"""What do others call our tensors?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class TensorNames:
    """Someone's names for our tensors.

    Attributes
    ----------
    names : our name, or how it starts -> theirs
    block : the same for what is inside a transformer block
    qkv : how the three parts of our q-k-v projection are named where they are kept apart
    transposed : ours that they keep the other way round
    """

    names: Mapping[str, str]
    block: Mapping[str, str]
    qkv: str | None = None
    transposed: tuple[str, ...] = ()

    def theirs(self, ours: str) -> list[str]:
        """The tensor, or the three, that one of our parameters is made of."""
        # a ResNet, in OpenAI's names only
        if stage := re.match(r"visual\.stages\.(\d+)\.(.*)", ours):
            inside = stage[2].replace("shortcut", "downsample")
            return [f"visual.layer{int(stage[1]) + 1}.{inside}"]
        starts = (start for start in self.names if ours == start or ours.startswith(start + "."))
        start = next(starts, None)
        if start is None:
            return [ours]
        theirs = self.names[start] + ours[len(start) :]
        if not start.endswith(".blocks"):
            return [theirs]
        if self.qkv and ".attn.qkv." in theirs:
            return [theirs.replace("attn.qkv", self.qkv.format(letter)) for letter in "qkv"]
        for part, their_part in self.block.items():
            if f".{part}" in theirs:
                return [theirs.replace(f".{part}", f".{their_part}", 1)]
        return [theirs]
