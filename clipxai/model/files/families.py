"""Which families of models are there, and what can be asked of each? A name of each to try."""

from typing import NamedTuple

from . import hub
from .hub import Known


class Family(NamedTuple):
    """Models of which the same can be asked.

    Attributes
    ----------
    name : what people call them
    asked : what can be asked of them
    models : some of them; parameters 0: its page says how many
    """

    name: str
    asked: str
    models: tuple[Known, ...]


PAGE = "see its page"
IMAGES = "of images everything; words by leaving them out"
AS_IT_IS = "raw maps, gradients, covering; words by leaving them out"
NO_CLASS_TOKEN = (
    "everything but what follows a class token (Bi-Modal, Grad-ECLIP, M2IB) or channels"
)


def _named(*names: str) -> tuple[Known, ...]:
    return tuple(Known(name, PAGE, 0) for name in names)


def _of(start: tuple[str, ...]) -> tuple[Known, ...]:
    return tuple(model for model in hub.KNOWN if model.id.startswith(start))


_SIGLIPS = ("google/siglip",)
_RESNETS = ("timm/resnet",)


def families() -> tuple[Family, ...]:
    """All of them, the largest first."""
    return (
        Family(
            "CLIP's ViTs: OpenAI, LAION, DataComp, DFN, MetaCLIP 1 and 2, fine-tunes",
            "everything",
            tuple(m for m in hub.KNOWN if not m.id.startswith((*_SIGLIPS, *_RESNETS)))
            + _named("facebook/metaclip-2-worldwide-huge-quickgelu"),
        ),
        Family(
            "CLIP's ResNets", "maps, Grad-CAM, CLIP Surgery; no layers of blocks", _of(_RESNETS)
        ),
        Family("SigLIP and SigLIP 2, in both libraries' layouts", NO_CLASS_TOKEN, _of(_SIGLIPS)),
        Family(
            "CLIPs inside of detectors and segmenters",
            "everything",
            _named(
                "CIDAS/clipseg-rd64-refined",
                "google/owlvit-base-patch32",
                "google/owlv2-base-patch16-ensemble",
            ),
        ),
        Family(
            "CLIPA and CoCa, of open_clip",
            NO_CLASS_TOKEN,
            _named("laion/CoCa-ViT-B-32-laion2B-s13B-b90k"),
        ),
        Family(
            "CLIP's image tower with another text encoder (needs transformers)",
            IMAGES,
            _named(
                "OFA-Sys/chinese-clip-vit-base-patch16", "BAAI/AltCLIP", "clip-italian/clip-italian"
            ),
        ),
        Family(
            "other towers of transformers, which run as they are (needs transformers)",
            AS_IT_IS,
            _named("Salesforce/blip-itm-base-coco", "kakaobrain/align-base", "facebook/flava-full"),
        ),
        Family(
            "ConvNeXt, Swin, ViTamin, MobileCLIP, which run as they are (clipxai[zoo])",
            AS_IT_IS,
            _named("laion/CLIP-convnext_base_w-laion2B-s13B-b82K"),
        ),
        Family(
            "image towers alone, without texts",
            "attention_maps, attention, rollout, patch_similarity",
            _named("facebook/dinov2-base"),
        ),
    )
