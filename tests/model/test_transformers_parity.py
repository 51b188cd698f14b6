"""Equal to transformers' CLIPModel, with random weights, at the true widths of OpenAI's ViTs. The
smallest has all its blocks, the others two: a block says the same wherever it stands.
"""

import gc

import pytest
import torch
from transformers import CLIPConfig, CLIPModel

import clipxai as cx

SIZES = {  # image towers as on the hub: patch, width, layers, heads; text width, heads; joint width
    "ViT-B/32": ((32, 768, 12, 12), (512, 8), 512),
    "ViT-B/16": ((16, 768, 2, 12), (512, 8), 512),
    "ViT-L/14": ((14, 1024, 2, 16), (768, 12), 768),
}


@pytest.fixture(params=SIZES)
def pair(request, tmp_path):
    """(transformers' model, ours loaded from what it saved)."""
    (patch, width, layers, heads), (text_width, text_heads), joint = SIZES[request.param]
    config = CLIPConfig(
        projection_dim=joint,
        vision_config=dict(
            patch_size=patch,
            hidden_size=width,
            intermediate_size=4 * width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            image_size=224,
        ),
        text_config=dict(
            hidden_size=text_width,
            intermediate_size=4 * text_width,
            num_hidden_layers=layers,
            num_attention_heads=text_heads,
            bos_token_id=49406,
            eos_token_id=49407,
        ),
    )
    torch.manual_seed(0)
    theirs = CLIPModel(config).eval()
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if "position_embedding" in name or "class_embedding" in name or name.endswith("bias"):
                # they start at or near zero, which would hide a forgotten term
                parameter.normal_(std=0.1)
    theirs.save_pretrained(tmp_path)
    yield theirs, cx.load(tmp_path)
    del theirs
    gc.collect()


def test_image_and_text_features(pair):
    theirs, ours = pair
    pixels = torch.randn(2, 3, 224, 224)
    ids = torch.randint(1, 40000, (3, 12))
    ids[:, 0] = 49406
    # [end] at different places, anything behind it
    ids[0, 11], ids[1, 7], ids[2, 4] = 49407, 49407, 49407
    ids[1, 8:] = ids[2, 5:] = 49407  # padded as transformers pads
    with torch.no_grad():
        expected = theirs(input_ids=ids, pixel_values=pixels)
        everything = theirs.vision_model(pixel_values=pixels).last_hidden_state
        projected = theirs.visual_projection(theirs.vision_model.post_layernorm(everything))
    torch.testing.assert_close(ours.encode_image(pixels), expected.image_embeds, rtol=0, atol=1e-4)
    torch.testing.assert_close(ours.encode_text(ids), expected.text_embeds, rtol=0, atol=1e-4)
    torch.testing.assert_close(ours(pixels, ids), expected.logits_per_image, rtol=0, atol=1e-3)
    trace = cx.record(ours, pixels, ids, normalized=True)
    torch.testing.assert_close(trace.image_tokens(normalize=False), projected, rtol=0, atol=1e-4)
