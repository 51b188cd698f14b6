"""Which other ways through the last blocks are there? A `Rewrite` each, by the method's name.

References: CLIP Surgery (arXiv 2304.05653), MaskCLIP (2112.01071), GEM (2312.00878), SCLIP
(2312.01597), NACLIP (2404.08181), ClearCLIP (2407.12442). How a rewrite runs stands in `surgery`.
"""

from dataclasses import dataclass
from typing import Literal

from .mixing import ATTENTION_KINDS

AttentionKind = Literal["qk", "vv", "qq", "kk", "qq+kk", "gem", "identity"]


@dataclass(frozen=True)
class Rewrite:
    """Another way through the last blocks. Every field is a switch of its own.

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
        or None
    normalize, sharpen : unit-length queries and keys, factor on 1/sqrt(d); None means the
        architecture's own (ViT: no, 1; ResNet: yes, 8)
    iterations : times "gem" refines its tokens by their own attention
    class_token : "original" as in the paper, or "rewritten"; another is a ValueError
    """

    attention: AttentionKind = "vv"
    blocks: int = 6
    dual_path: bool = True
    residual: bool = True
    ffn: bool = False
    neighbourhood: float | None = None
    normalize: bool | None = None
    sharpen: float | None = None
    iterations: int = 1
    class_token: Literal["original", "rewritten"] = "original"

    def __post_init__(self) -> None:
        for name, known in {
            "attention": ATTENTION_KINDS,
            "class_token": ("original", "rewritten"),
        }.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"unknown {name} {getattr(self, name)!r}; choose one of {', '.join(known)}"
                )
        if self.blocks < 0:
            raise ValueError(f"cannot rewrite {self.blocks} blocks; give 0 (none) or more")


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
