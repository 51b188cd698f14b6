"""The sizes of published models, as their papers and configs state them."""

from clipxai.model.files.hugging_face import build_hf
from clipxai.model.files.open_clip import build_open_clip

# patch, width, layers, pixels; text width and heads; joint width
VIT = {
    "B/32": (32, 768, 12, 224, 512, 8, 512),
    "B/16": (16, 768, 12, 224, 512, 8, 512),
    "L/14": (14, 1024, 24, 224, 768, 12, 768),
    "L/14@336px": (14, 1024, 24, 336, 768, 12, 768),
}
# layers, width, pixels; text width and heads; joint width
RESNET = {
    "RN50": ([3, 4, 6, 3], 64, 224, 512, 8, 1024),
    "RN101": ([3, 4, 23, 3], 64, 224, 512, 8, 512),
    "RN50x4": ([4, 6, 10, 6], 80, 288, 640, 10, 640),
    "RN50x16": ([6, 8, 18, 8], 96, 384, 768, 12, 768),
    "RN50x64": ([3, 15, 36, 10], 128, 448, 1024, 16, 1024),
}
SIGLIP = {"siglip-base-patch16-224": 32000, "siglip2-base-patch16-224": 256000}  # token ids
OF = {
    "timm/vit_base_patch32_clip_224.openai": "B/32",
    "openai/clip-vit-base-patch32": "B/32",
    "timm/vit_base_patch16_clip_224.openai": "B/16",
    "openai/clip-vit-base-patch16": "B/16",
    "laion/CLIP-ViT-B-16-laion2B-s34B-b88K": "B/16",
    "facebook/metaclip-b16-fullcc2.5b": "B/16",
    "timm/vit_large_patch14_clip_224.openai": "L/14",
    "openai/clip-vit-large-patch14": "L/14",
    "timm/vit_large_patch14_clip_336.openai": "L/14@336px",
    "openai/clip-vit-large-patch14-336": "L/14@336px",
    "timm/resnet50_clip.openai": "RN50",
    "timm/resnet101_clip.openai": "RN101",
    "timm/resnet50x4_clip.openai": "RN50x4",
    "timm/resnet50x16_clip.openai": "RN50x16",
    "timm/resnet50x64_clip.openai": "RN50x64",
    "google/siglip-base-patch16-224": "siglip-base-patch16-224",
    "google/siglip2-base-patch16-224": "siglip2-base-patch16-224",
}


def empty(name, layers=None):
    """A model of that size without memory behind its tensors, by its name on the hub or here; with
    `layers`, a ViT of that width but with fewer blocks.
    """
    name = OF.get(name, name)
    if name in SIGLIP:
        return build_hf({"model_type": "siglip", "text_config": {"vocab_size": SIGLIP[name]}}, name)
    if name in VIT:
        patch, width, depth, side, *text = VIT[name]
        layers = layers or depth
        vision = {"patch_size": patch, "width": width, "layers": layers, "image_size": side}
    else:
        layers, width, side, *text = RESNET[name]
        vision = {"layers": layers, "width": width, "image_size": side}
    model = {
        "embed_dim": text[2],
        "quick_gelu": True,
        "vision_cfg": vision,
        "text_cfg": {"width": text[0], "heads": text[1]},
    }
    return build_open_clip({"model_cfg": model}, name)[0]
