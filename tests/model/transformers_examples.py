"""transformers' models for images and texts, each built small by the library itself."""

import torch
import transformers as hf

VISION = dict(
    hidden_size=32,
    intermediate_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    image_size=32,
    patch_size=8,
)
TEXT = dict(
    hidden_size=24,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    vocab_size=99,
    max_position_embeddings=16,
    bos_token_id=97,
    eos_token_id=98,
    pad_token_id=0,
)
MULTIMODAL = dict(hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64)
GROUPS = dict(depths=[1, 1, 1], num_group_tokens=[8, 4, 0], num_output_groups=[8, 4, 4])


def clip_of(kind, config, vision, text, **more):
    config = getattr(hf, config)
    described = config(vision_config=VISION | vision, text_config=TEXT | text, **more)
    return getattr(hf, kind)(described)


def pair_of(kind):
    """An image tower of some kind with a BERT."""

    def build(vision, text, **more):
        config = hf.VisionTextDualEncoderConfig.from_vision_text_configs(
            kind(**VISION | vision), hf.BertConfig(**TEXT | text), **more
        )
        return hf.VisionTextDualEncoderModel(config)

    return build


def named(kind, config, **usual):
    return lambda vision, text, **more: clip_of(kind, config, vision, text, **usual | more)


def siglip(vision, text, **more):
    """As wide as it is joint, without projection; texts are as wide as images."""
    return clip_of("SiglipModel", "SiglipConfig", vision, {"projection_size": 32} | text)


def blip(vision, text, **more):
    more = {"image_text_hidden_size": 20} | {n: v for n, v in more.items() if "proj" not in n}
    encoder = {"encoder_hidden_size": 32}
    return clip_of("BlipForImageTextRetrieval", "BlipConfig", vision, encoder | text, **more)


def align(vision, text, projection_dim=24):
    small = dict(image_size=64, width_coefficient=0.25, depth_coefficient=0.3, hidden_dim=24)
    config = hf.AlignConfig(
        vision_config=small | vision, text_config=TEXT | text, projection_dim=projection_dim
    )
    return hf.AlignModel(config)


def flava(kind):
    def build(vision, text, **more):
        config = hf.FlavaConfig(
            image_config=VISION | vision,
            text_config=TEXT | text,
            multimodal_config=MULTIMODAL,
            **{"projection_dim": 20, "hidden_size": 32} | more,
        )
        return getattr(hf, kind)(config)

    return build


SHARED = dict(projection_dim=20)
# each with functions of settings of its image tower, its text tower, and of both
CLIP_SHAPED = {
    "CLIPModel": named("CLIPModel", "CLIPConfig", **SHARED),
    "MetaClip2Model": named("MetaClip2Model", "MetaClip2Config", **SHARED),
    "CLIPSegModel": named("CLIPSegModel", "CLIPSegConfig", **SHARED),
    "OwlViTModel": named("OwlViTModel", "OwlViTConfig", **SHARED),
    "Owlv2Model": named("Owlv2Model", "Owlv2Config", **SHARED),
    "OwlViTForObjectDetection": named("OwlViTForObjectDetection", "OwlViTConfig", **SHARED),
    "CLIPSegForImageSegmentation": named(
        "CLIPSegForImageSegmentation",
        "CLIPSegConfig",
        extract_layers=[0, 1],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
        **SHARED,
    ),
}
SIGLIPS = {"SiglipModel": siglip}
HOSTED_TEXTS = {
    "AltCLIPModel": named("AltCLIPModel", "AltCLIPConfig", **SHARED),
    "ChineseCLIPModel": named("ChineseCLIPModel", "ChineseCLIPConfig", **SHARED),
    "VisionTextDualEncoderModel": pair_of(hf.CLIPVisionConfig),
}
HOSTED = {
    "VisionTextDualEncoderModel of a ViT": pair_of(hf.ViTConfig),
    "BlipForImageTextRetrieval": blip,
    "AlignModel": align,
    "FlavaModel": flava("FlavaModel"),
    "FlavaForPreTraining": flava("FlavaForPreTraining"),
}
ALL = CLIP_SHAPED | SIGLIPS | HOSTED_TEXTS | HOSTED
REFUSED = {
    "GroupViTModel": lambda: clip_of("GroupViTModel", "GroupViTConfig", GROUPS, {}, **SHARED),
    "XCLIPModel": lambda: clip_of("XCLIPModel", "XCLIPConfig", {}, {}, **SHARED),
    "BlipForConditionalGeneration": lambda: clip_of(
        "BlipForConditionalGeneration", "BlipConfig", {}, {"encoder_hidden_size": 32}
    ),
}


def built(name, vision=(), text=(), **more):
    """No weight of it is what it began as."""
    torch.manual_seed(0)
    module = ALL[name](dict(vision), dict(text), **more).eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    return module


def ids_of(module):
    """Two texts of different lengths, ended and filled up as the config says."""
    text = module.config.text_config
    end, pad = text.eos_token_id or 98, text.pad_token_id
    kind = module.config.model_type
    if kind.startswith("owl") or (end == 2 and kind in ("clip", "clipseg")):
        end = 98  # the largest id ends a text, whatever the config says
    return torch.tensor([[97, 5, 6, 7, end], [97, 9, end, pad, pad]])


@torch.no_grad()
def features(module, pixels, ids):
    """(B, E) and (T, E) of unit length, by the library's own functions."""
    inner = next((getattr(module, n) for n in ("clip", "owlvit", "flava") if hasattr(module, n)), 0)
    inner = inner or module
    told = dict(input_ids=ids)
    if "Siglip" not in type(inner).__name__:  # which reads what fills a text up, too
        told["attention_mask"] = (ids != module.config.text_config.pad_token_id).long()
    if hasattr(inner, "vision_proj"):
        image = inner.vision_proj(inner.vision_model(pixels).last_hidden_state[:, 0])
        text = inner.text_proj(inner.text_encoder(**told).last_hidden_state[:, 0])
    else:
        image = inner.get_image_features(pixel_values=pixels).pooler_output
        text = inner.get_text_features(**told).pooler_output
    if type(inner).__name__ == "FlavaModel":
        image, text = image[:, 0], text[:, 0]
    unit = torch.nn.functional.normalize
    return unit(image, dim=-1), unit(text, dim=-1)
