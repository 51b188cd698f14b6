"""What do others call our tensors?"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TensorNames:
    """Someone's names for our tensors.

    Attributes
    ----------
    names : our name, or how it starts -> theirs
    block : the same for what is inside a transformer block
    qkv : how the three parts of our q-k-v projection are named where they are kept apart
    letters : what stands in it for each of the three
    qv_bias : how the biases of q and v are named where k has none
    transposed : ours that they keep the other way round
    scaled : parts of our blocks -> the layer scale that multiplies what comes out of them, which
        is the same as multiplying their weights
    unread : how names begin of what they keep for a part that is no part of ours
    """

    names: Mapping[str, str | tuple[str, str]]
    block: Mapping[str, str]
    qkv: str | None = None
    letters: tuple[str, str, str] = ("q", "k", "v")
    qv_bias: str | None = None
    transposed: tuple[str, ...] = ()
    scaled: Mapping[str, str] = field(default_factory=dict)
    unread: tuple[str, ...] = ()

    def theirs(self, ours: str) -> list[str | None]:
        """The tensor that one of our parameters is made of, or several below one another: q, k and
        v, or q and what k and v share. None stands for zeros.
        """
        # a ResNet, in OpenAI's names only
        if stage := re.match(r"visual\.stages\.(\d+)\.(.*)", ours):
            inside = stage[2].replace("shortcut", "downsample")
            return [f"visual.layer{int(stage[1]) + 1}.{inside}"]
        starts = (start for start in self.names if ours == start or ours.startswith(start + "."))
        start = next(starts, None)
        if start is None:
            return [ours]
        named, rest = self.names[start], ours[len(start) :]
        if isinstance(named, tuple):
            return [name + rest for name in named]
        theirs = named + rest
        if not start.endswith(".blocks"):
            return [theirs]
        if self.qv_bias and theirs.endswith(".attn.qkv.bias"):
            start = theirs.removesuffix("attn.qkv.bias")
            return [start + self.qv_bias.format("q"), None, start + self.qv_bias.format("v")]
        if self.qkv and ".attn.qkv." in theirs:
            return [theirs.replace("attn.qkv", self.qkv.format(letter)) for letter in self.letters]
        for part, their_part in self.block.items():
            if f".{part}" in theirs:
                return [theirs.replace(f".{part}", f".{their_part}", 1)]
        return [theirs]

    def scale(self, ours: str) -> str | None:
        """The layer scale that the rows of one of our parameters are multiplied with."""
        found = re.match(r"((?:visual|text)\.blocks)(\.\d+)\.(.+)\.(?:weight|bias)$", ours)
        if found is None or found[3] not in self.scaled:
            return None
        return f"{self.names[found[1]]}{found[2]}.{self.scaled[found[3]]}"


@dataclass(frozen=True)
class TowersNames:
    """Names of two towers that come from different places."""

    visual: TensorNames
    text: TensorNames

    def _of(self, ours: str) -> TensorNames:
        return self.visual if ours.startswith("visual.") else self.text

    def theirs(self, ours: str) -> list[str | None]:
        """As `TensorNames.theirs`."""
        return self._of(ours).theirs(ours)

    def scale(self, ours: str) -> str | None:
        """As `TensorNames.scale`."""
        return self._of(ours).scale(ours)

    @property
    def transposed(self) -> tuple[str, ...]:
        """Of both."""
        return (*self.visual.transposed, *self.text.transposed)

    @property
    def unread(self) -> tuple[str, ...]:
        """Of both."""
        return (*self.visual.unread, *self.text.unread)


Names = TensorNames | TowersNames
