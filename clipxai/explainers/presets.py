"""Which other ways through the last blocks are there? A `Rewrite` each, by the method's name.

References: CLIP Surgery (arXiv 2304.05653), MaskCLIP (2112.01071), GEM (2312.00878), SCLIP
(2312.01597), NACLIP (2404.08181), ClearCLIP (2407.12442). How a rewrite runs stands in `surgery`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Literal, get_type_hints

from ..checks import Factor, Reach, Within, expect_kind, plain
from ..model.towers.tower import ImageTower

AttentionKind = Literal["qk", "vv", "qq", "kk", "qq+kk", "gem", "identity"]


@dataclass(frozen=True)
class Rewrite:
    """Another way through the last blocks. Every field is a switch of its own; one that could do
    nothing beside the others is a ValueError.

    Attributes
    ----------
    attention : which similarity decides who attends to whom; "qq+kk" adds two attentions (SCLIP),
        "gem" averages three iterated ones, "identity" lets every token read only itself; another
        name is a ValueError
    blocks : how many of the last blocks are rewritten (a ResNet has one attention, which any number
        above 0 means); below 0, or more than a ViT has when used, is a ValueError
    dual_path : values come from the original stream; without it the new path feeds on itself and,
        deep enough, collapses
    residual : keep the stream and add to it; without it only the last attention's output remains
    ffn : run the FFN on the new path too
    neighbourhood : standard deviation, in patches, of a Gaussian bonus for near patches (NACLIP),
        or None (near patches get no bonus)
    normalize, sharpen : unit-length queries and keys, factor on 1/sqrt(d); None means the
        architecture's own (ViT: no, 1; ResNet: yes, 8)
    iterations : times "gem" refines its tokens by their own attention, at most 100
    class_token : "original" as in the paper, or "rewritten"; another is a ValueError
    """

    attention: AttentionKind = "vv"
    blocks: Annotated[int, Within(0)] = 6
    dual_path: bool = True
    residual: bool = True
    ffn: bool = False
    neighbourhood: Reach | None = None
    normalize: bool | None = None
    sharpen: Factor | None = None
    iterations: Annotated[int, Within(0, 100)] = 1
    class_token: Literal["original", "rewritten"] = "original"

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self), include_extras=True).items():
            object.__setattr__(self, name, plain(getattr(self, name)))
            expect_kind(name, getattr(self, name), kind)
        self._expect_no_dead_switch()

    def _expect_no_dead_switch(self) -> None:
        if self.attention != "gem" and self.iterations != 1:
            raise ValueError(
                f"iterations={self.iterations} does nothing with attention={self.attention!r}: "
                "only 'gem' refines its tokens"
            )
        if self.attention in ("gem", "identity"):
            for name in ("neighbourhood", "normalize", "sharpen"):
                if getattr(self, name) is not None:
                    raise ValueError(
                        f"{name}={getattr(self, name)} does nothing with attention="
                        f"{self.attention!r}: pass {name}=None"
                    )

    def expect_possible(self, tower: ImageTower) -> None:
        """A ValueError unless a tower can be run so."""
        if "blocks" in tower.has:
            if self.blocks > (L := len(tower.blocks)):
                raise ValueError(
                    f"cannot rewrite {self.blocks} blocks of a model that has {L}: pass blocks={L}"
                )
        elif self.blocks and "attention_pool" not in tower.has:
            raise ValueError(
                f"a {tower.description} has neither transformer blocks nor an attention pool to "
                "rewrite"
            )
        elif self.blocks and (self.attention == "gem" or self.ffn or not self.dual_path):
            raise ValueError(
                "a ResNet ends in one attention without FFN or residual stream: 'gem', ffn=True "
                "and dual_path=False need a ViT"
            )


SWITCHES = tuple(field.name for field in fields(Rewrite))


PRESETS: dict[str, Rewrite] = {
    "clip": Rewrite("qk", blocks=0),
    "maskclip": Rewrite("identity", blocks=1, residual=False),  # as ClearCLIP and others rerun it
    "maskclip_released": Rewrite("identity", blocks=1, ffn=True),
    "clip_surgery": Rewrite("vv", blocks=6),
    "clip_surgery_released": Rewrite(
        "vv", blocks=6, normalize=False, sharpen=1.0, class_token="rewritten"
    ),
    "gem": Rewrite("gem", blocks=6),
    "sclip": Rewrite("qq+kk", blocks=1, ffn=True),
    "naclip": Rewrite("kk", blocks=1, residual=False, neighbourhood=5.0),
    "clearclip": Rewrite("qq", blocks=1, residual=False),
}


def turned(
    preset: str, told: Mapping[str, object], tower: ImageTower, *, weighs_texts: bool = False
) -> Rewrite:
    """A preset with some of its switches set, for a tower; `weighs_texts` whether the method reads
    the class token to do that.

    Raises
    ------
    ValueError : a switch that could do nothing, or more than the tower has
    """
    change = replace(PRESETS[preset], **told)
    change.expect_possible(tower)
    for name, value in told.items():
        if value != getattr(PRESETS[preset], name):
            why = _why_dead(name, change, "blocks" in tower.has, weighs_texts)
            if why:
                raise ValueError(f"{name}={value!r} does nothing {why}")
    return change


def _why_dead(name: str, change: Rewrite, blocks: bool, weighs_texts: bool) -> str | None:
    """Why a switch cannot act beside the others, in a tower with or without `blocks`."""
    if change.blocks == 0 and name != "blocks":
        return "where no block is rewritten: pass blocks=6, or another number above 0, with it"
    if name == "class_token" and not weighs_texts:
        return "to a map, which reads patches, unless texts are weighed (redundant='labels')"
    if not blocks:
        return "in a ResNet, which has no residual stream" if name == "residual" else None
    if name == "dual_path" and change.blocks == 1:
        return "in a single block, which reads the original stream either way"
    if name == "blocks" and change.blocks > 1 and change.dual_path and not change.residual:
        return "beyond the last block, whose attention alone remains: pass residual=True with it"
    return None
