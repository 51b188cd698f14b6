"""open_clip, timm and peft, with whose modules ours are compared. They lie in a folder of their own
beside the environment (`make test` puts them there): torchvision, which two of them import, was
compiled against another build of torch, and would be in the way of whoever else finds it.
"""

import sys
from pathlib import Path

import torch

sys.path.append(str(Path(sys.prefix) / "zoo"))
# torchvision's own operators load beside a torch with CUDA only; where it has none, the two whose
# absence stops the import are declared. No tower calls them
_MISSING = torch.library.Library("torchvision", "FRAGMENT")
if torch.version.cuda is None and not hasattr(torch.ops.torchvision, "nms"):
    for name in ("nms", "qnms"):
        _MISSING.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")

import open_clip  # noqa: E402
import peft  # noqa: E402
import timm  # noqa: E402

__all__ = ["open_clip", "peft", "timm"]
