"""Which kinds of model of transformers are there for images and texts, and what becomes of each?
`model_type` of a config.json says the kind. Those that are read stand in `KNOWN`; for others there
is one sentence with the reason and a way out.
"""

from collections.abc import Collection, Mapping

from ...checks import shown

# kinds that transformers itself runs, as one of their towers is none of ours -> its class
HOSTED = {
    "altclip": "AltCLIPModel",
    "chinese_clip": "ChineseCLIPModel",
    "vision-text-dual-encoder": "VisionTextDualEncoderModel",
    "blip": "BlipForImageTextRetrieval",
    "align": "AlignModel",
    "flava": "FlavaModel",
}
DINO = {
    "dinov2": "Dinov2Model",
    "dinov2_with_registers": "Dinov2WithRegistersModel",
    "dinov3_vit": "DINOv3ViTModel",
}
IMAGE_ONLY = ("clip_vision_model", "siglip_vision_model", "siglip2_vision_model", *DINO)
NOT_READ = {
    "groupvit": "its image tower ends in groups of patches that have no place on the image: load "
    "a CLIP or SigLIP of the same size instead",
    "xclip": "it reads videos, and its texts depend on the video they are compared with: load the "
    "CLIP that it was made from, such as openai/clip-vit-base-patch16",
    "blip-2": "its image tower is read through queries that each text weighs anew: load BLIP's "
    "retrieval model, Salesforce/blip-itm-base-coco",
    "clap": "it compares sounds with texts, not images",
}
GENERATES = {  # a language model behind an image tower
    "llava": "openai/clip-vit-large-patch14-336",
    "llava_next": "openai/clip-vit-large-patch14-336",
    "paligemma": "google/siglip-so400m-patch14-384",
    "idefics2": "google/siglip-so400m-patch14-384",
    "qwen2_vl": None,
    "qwen2_5_vl": None,
}
KNOWN = ("clip", "siglip", "siglip2", "metaclip_2", "clipseg", "owlvit", "owlv2", *HOSTED)
KNOWN += IMAGE_ONLY


_CLASSES = {
    "clip": "CLIPModel",
    "siglip": "SiglipModel",
    "metaclip_2": "MetaClip2Model",
    "clipseg": "CLIPSegModel",
    "owlvit": "OwlViTModel",
    "owlv2": "Owlv2Model",
    "clip_vision_model": "CLIPVisionModel",
    "siglip_vision_model": "SiglipVisionModel",
    **HOSTED,
    **DINO,
}


def of_tower(config: dict) -> dict:
    """The config of CLIP's image tower inside of a model that writes texts, such as LLaVA; any
    other config as it is.
    """
    inside = config.get("vision_config")
    writes = isinstance(kind := config.get("model_type"), str) and kind in GENERATES
    if writes and isinstance(inside, Mapping) and inside.get("model_type") == "clip_vision_model":
        return dict(inside)
    return config


def class_of(kind: object, names: Collection[str]) -> str | None:
    """Transformers' class for a `model_type` and the names of its tensors; None if it is none."""
    if kind == "clip_vision_model" and "visual_projection.weight" in names:
        return "CLIPVisionModelWithProjection"
    return _CLASSES.get(kind) if isinstance(kind, str) else None


def why_not(kind: object) -> str:
    """Why a kind of model is not read, and what to do: the end of a sentence on its file."""
    if isinstance(kind, str) and kind in NOT_READ:
        return f"describes a {kind!r} model, which is not read: {NOT_READ[kind]}"
    if isinstance(kind, str) and kind in GENERATES:
        tower = GENERATES[kind] or "that tower, saved by itself"
        return (
            f"describes a {kind!r} model, which writes texts and compares none with images: load "
            f"{tower}, as its image tower was trained from that"
        )
    *others, last = map(repr, KNOWN)
    return (
        f"describes a {shown(kind)} model, not {', '.join(others)} or {last}: load the CLIP or "
        "SigLIP whose tower it has, or pass that tower as a module of one of these"
    )
