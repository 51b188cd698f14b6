"""Every kind of Segment Anything in transformers, a few thousand random weights each, and its
processor as the model's repository would have it, written out.
"""

import transformers as t

PROMPT = {"mask_input_channels": 4, "image_size": 64, "patch_size": 16, "hidden_size": 32}
DECODER = {"hidden_size": 32, "mlp_dim": 64, "num_attention_heads": 2, "iou_head_hidden_dim": 16}
PYRAMID = {"backbone_feature_sizes": [[16, 16], [8, 8], [4, 4]], "fpn_hidden_size": 32}


def whole(kind, vision, prompt, decoder):
    """A model of a kind from the settings of its three parts."""
    config = getattr(t, f"{kind}Config")(
        vision_config=vision,
        prompt_encoder_config=getattr(t, f"{kind}PromptEncoderConfig")(**prompt),
        mask_decoder_config=getattr(t, f"{kind}MaskDecoderConfig")(**decoder),
    )
    return getattr(t, f"{kind}Model")(config)


def sam(kind="Sam", **decoder):
    vision = getattr(t, f"{kind}VisionConfig")(
        hidden_size=16,
        output_channels=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=64,
        patch_size=8,
        window_size=4,
        global_attn_indexes=[1],
        num_pos_feats=8,
        mlp_dim=32,
    )
    prompt = PROMPT | {"patch_size": 8, "hidden_size": 16}
    return whole(kind, vision, prompt, DECODER | {"hidden_size": 16, "mlp_dim": 32} | decoder)


def sam_hq():
    return sam("SamHQ", vit_dim=16)


def sam2():
    backbone = t.Sam2HieraDetConfig(
        hidden_size=16,
        num_attention_heads=1,
        image_size=[64, 64],
        blocks_per_stage=[1, 1, 1, 1],
        embed_dim_per_stage=[16, 32, 64, 128],
        num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[4, 4, 4, 4],
        window_positional_embedding_background_size=[4, 4],
        global_attention_blocks=[],
    )
    vision = t.Sam2VisionConfig(
        backbone_config=backbone, backbone_channel_list=[128, 64, 32, 16], **PYRAMID
    )
    return whole("Sam2", vision, PROMPT, DECODER)


def edgetam():
    stages = {"embed_dim": (8, 16, 24, 32), "depth": (1, 1, 1, 1)}
    pyramid = {"in_chans": 3, "features_only": True, "out_indices": [0, 1, 2, 3]}
    backbone = t.TimmWrapperConfig(
        architecture="repvit_m1", model_args=pyramid | stages, do_pooling=False
    )
    vision = t.EdgeTamVisionConfig(
        backbone_config=backbone, backbone_channel_list=[32, 24, 16, 8], **PYRAMID
    )
    return whole("EdgeTam", vision, PROMPT, DECODER)


def sam3():
    backbone = t.Sam3ViTConfig(
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        pretrain_image_size=28,
        window_size=2,
        global_attn_indexes=[1],
    )
    vision = t.Sam3VisionConfig(backbone_config=backbone, **PYRAMID)
    return whole("Sam3Tracker", vision, PROMPT | {"image_size": 56, "patch_size": 14}, DECODER)


MODELS = {"sam": sam, "sam_hq": sam_hq, "sam2": sam2, "edgetam": edgetam, "sam3": sam3}


def processor_of(model):
    """As its documentation makes it, at its size."""
    keeps_ratio = t.SamImageProcessor(
        size={"longest_edge": 64}, pad_size={"height": 64, "width": 64}
    )
    square = {"height": 64, "width": 64}
    return {
        "SamModel": lambda: t.SamProcessor(keeps_ratio),
        "SamHQModel": lambda: t.SamHQProcessor(keeps_ratio),
        "Sam2Model": lambda: t.Sam2Processor(t.Sam2ImageProcessor(size=square)),
        "EdgeTamModel": lambda: t.Sam2Processor(t.Sam2ImageProcessor(size=square)),
        "Sam3TrackerModel": lambda: t.Sam3TrackerProcessor(
            t.Sam3ImageProcessor(size={"height": 56, "width": 56})
        ),
    }[type(model).__name__]()
