"""Image towers without texts, built small by transformers: features are the library's, what reads
no text works, and what does says in one sentence that there are none.
"""

import json
import re
import shutil

import numpy as np
import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file
from transformers_examples import VISION, built

import clipxai as cx
from clipxai.model.files.describing import describe

CLOSE = dict(rtol=0, atol=1e-5)
DINO = {n: v for n, v in VISION.items() if n != "intermediate_size"}
TOWERS = {
    "CLIPVisionModel": lambda: hf.CLIPVisionModel(hf.CLIPVisionConfig(**VISION)),
    "CLIPVisionModelWithProjection": lambda: hf.CLIPVisionModelWithProjection(
        hf.CLIPVisionConfig(**VISION, projection_dim=20)
    ),
    "CLIPVisionModel in GELU": lambda: hf.CLIPVisionModel(
        hf.CLIPVisionConfig(**VISION, hidden_act="gelu", layer_norm_eps=0.03)
    ),
    "SiglipVisionModel": lambda: hf.SiglipVisionModel(hf.SiglipVisionConfig(**VISION)),
    "Dinov2Model": lambda: hf.Dinov2Model(hf.Dinov2Config(**DINO)),
    "Dinov2Model, eps": lambda: hf.Dinov2Model(
        hf.Dinov2Config(**DINO, layer_norm_eps=0.03, mlp_ratio=3, hidden_act="gelu_pytorch_tanh")
    ),
    "Dinov2Model, gated": lambda: hf.Dinov2Model(hf.Dinov2Config(**DINO, use_swiglu_ffn=True)),
    "Dinov2WithRegistersModel, gated": lambda: hf.Dinov2WithRegistersModel(
        hf.Dinov2WithRegistersConfig(**DINO, use_swiglu_ffn=True, mlp_ratio=3)
    ),
    "DINOv3ViTModel": lambda: hf.DINOv3ViTModel(
        hf.DINOv3ViTConfig(**VISION, num_register_tokens=3)
    ),
    "DINOv3ViTModel, gated": lambda: hf.DINOv3ViTModel(
        hf.DINOv3ViTConfig(
            **VISION,
            use_gated_mlp=True,
            hidden_act="silu",
            rope_theta=50.0,
            key_bias=True,
            value_bias=False,
            mlp_bias=False,
            proj_bias=False,
        )
    ),
    "Dinov2WithRegistersModel": lambda: hf.Dinov2WithRegistersModel(
        hf.Dinov2WithRegistersConfig(**DINO, num_register_tokens=3)
    ),
}


def tower(name):
    torch.manual_seed(0)
    module = TOWERS[name]().eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn_like(weight) * 0.1)
    return module


@torch.no_grad()
def feature(module, pixels):
    out = module(pixel_values=pixels)
    found = out.image_embeds if hasattr(out, "image_embeds") else out.pooler_output
    return torch.nn.functional.normalize(found, dim=-1)


@pytest.mark.parametrize("name", TOWERS)
def test_features_are_the_librarys(name, tmp_path):
    module = tower(name)
    module.save_pretrained(tmp_path)
    pixels = torch.randn(2, 3, 32, 32)
    for source in (module, tmp_path):
        ours = cx.load(source)
        torch.testing.assert_close(ours.encode_image(pixels), feature(module, pixels), **CLOSE)
        assert ours.visual.patch == 8 and "blocks" in ours.visual.has


def test_patches_of_dino_are_its_last_tokens():
    """Registers are no patches."""
    pixels = torch.randn(1, 3, 32, 32)
    for name, before in (
        ("Dinov2Model", 1),
        ("Dinov2WithRegistersModel", 4),
        ("DINOv3ViTModel", 4),
    ):
        module = tower(name)
        with torch.no_grad():
            tokens = module(pixel_values=pixels).last_hidden_state[:, before:]
        trace = cx.record(cx.load(module), pixels, normalized=True)
        torch.testing.assert_close(trace.image_tokens(normalize=False)[:, 1:], tokens, **CLOSE)
        unit = torch.nn.functional.normalize(tokens[0], dim=-1)
        found = cx.patch_similarity(trace, [(1, 2), (-1, 0)])
        expected = (unit[[6, 12]] @ unit.T).reshape(2, 4, 4).numpy()
        np.testing.assert_allclose(found.scores, expected, atol=1e-5)
        assert found.texts == ("patch in row 1, column 2", "patch in row 3, column 0")


def test_another_size_as_dino_reads_it():
    """Its positions are interpolated bicubically, which positions= asks for."""
    module = tower("Dinov2Model")
    pixels = torch.randn(1, 3, 48, 40)
    ours = cx.load(module, positions="bicubic")
    torch.testing.assert_close(ours.encode_image(pixels), feature(module, pixels), **CLOSE)


def test_another_size_as_dinov3_reads_it():
    module = tower("DINOv3ViTModel")
    pixels = torch.randn(1, 3, 48, 40)
    torch.testing.assert_close(
        cx.load(module).encode_image(pixels), feature(module, pixels), **CLOSE
    )
    with pytest.raises(ValueError, match="positions='bicubic' does nothing"):
        cx.load(module, positions="bicubic")


def test_rows_of_dinov3_are_the_librarys():
    """Of every layer and head, registers among them."""
    module = tower("DINOv3ViTModel")
    module.set_attn_implementation("eager")
    trace = cx.record(cx.load(module), torch.randn(2, 3, 32, 40), normalized=True)
    with torch.no_grad():
        rows = module(trace.pixels, output_attentions=True).attentions
    for layer, expected in enumerate(rows):
        torch.testing.assert_close(trace.attention(layer), expected, **CLOSE)
    maps = cx.attention_maps(trace)
    assert maps.mean["qk"].shape == (len(rows), 21, 21)


@pytest.mark.parametrize("name", ["CLIPVisionModel", "Dinov2Model"])
def test_what_reads_no_text_works(name, tmp_path):
    module = tower(name)
    module.set_attn_implementation("eager")
    trace = cx.record(cx.load(module), torch.randn(1, 3, 32, 32), normalized=True)
    with torch.no_grad():
        rows = module(trace.pixels, output_attentions=True).attentions
    maps = cx.attention_maps(trace)
    np.testing.assert_allclose(maps.mean["qk"][1], rows[1][0].mean(0).numpy(), atol=1e-5)
    last = cx.explain(trace, "attention")
    np.testing.assert_allclose(
        last.scores[0].ravel(), rows[1][0, :, 0, 1:].mean(0).numpy(), atol=1e-5
    )
    rolled = cx.explain(trace, "rollout")
    assert rolled.texts == ("(no text)",) and np.isnan(rolled.presence).all()
    cx.save(rolled, tmp_path / "rolled.html")
    cx.save(rolled, tmp_path / "rolled.png")
    cx.save(cx.patch_similarity(trace, (0, 0)), tmp_path / "like.html")
    cx.save(maps, tmp_path / "attention.html")
    assert repr(trace) == f"<Trace of 1 images (4x4 patches) and 0 texts by {trace.model.name}>"


ASKED = [
    lambda trace: cx.explain(trace),
    lambda trace: cx.explain(trace, "decomposition"),
    lambda trace: cx.contributions(trace),
    lambda trace: cx.head_contributions(trace),
    lambda trace: cx.token_scores(trace),
    lambda trace: cx.word_maps(trace),
    lambda trace: cx.word_relevance(trace),
    lambda trace: cx.contrast(trace, 0, 1),
    lambda trace: trace.similarity(),
]


@pytest.mark.parametrize("ask", ASKED)
def test_what_reads_texts_says_that_there_are_none(ask):
    pixels = torch.randn(1, 3, 32, 32)
    alone = cx.record(cx.load(tower("CLIPVisionModel")), pixels, normalized=True)
    with pytest.raises(ValueError, match="requires texts, and CLIPVisionModel is an image tower"):
        ask(alone)
    whole = cx.record(cx.load(), torch.randn(1, 3, 112, 112), normalized=True)
    with pytest.raises(ValueError, match="none were recorded"):
        ask(whole)


def test_the_tower_inside_of_llava(tmp_path):
    """In memory, as transformers saves it, and under the names of its fourth version."""
    small = dict(vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=1)
    config = hf.LlavaConfig(
        vision_config=hf.CLIPVisionConfig(**VISION),
        text_config=hf.LlamaConfig(**small, num_attention_heads=2),
        image_token_index=99,
    )
    module = hf.LlavaForConditionalGeneration(config).eval()
    inside, pixels = module.model.vision_tower, torch.randn(2, 3, 32, 32)
    new, old = tmp_path / "new", tmp_path / "old"
    module.save_pretrained(new)
    shutil.copytree(new, old)
    named = {
        re.sub("^vision_tower[.]", "vision_tower.vision_model.", name): tensor
        for name, tensor in load_file(new / "model.safetensors").items()
    }
    save_file(named, old / "model.safetensors")
    for source in (module, module.model, new, old):
        with pytest.warns(UserWarning, match=r"vision_tower\.'.* left out"):
            ours = cx.load(source)
        torch.testing.assert_close(ours.encode_image(pixels), feature(inside, pixels), **CLOSE)
        assert not ours.text.reads
    with pytest.warns(UserWarning, match="left out"):
        assert describe(new).kind.startswith("transformers' clip_vision_model")


def test_the_image_encoder_of_ip_adapter(tmp_path):
    """A folder within a folder, which holds nothing else."""
    module, folder = tower("CLIPVisionModelWithProjection"), tmp_path / "models" / "image_encoder"
    module.save_pretrained(folder)
    pixels = torch.randn(1, 3, 32, 32)
    ours = cx.load(folder)
    torch.testing.assert_close(ours.encode_image(pixels), feature(module, pixels), **CLOSE)
    assert ours.visual.projection.shape == (32, 20)


def test_texts_for_a_model_without():
    ours = cx.load(tower("CLIPVisionModel"))
    for ask in (
        lambda: cx.record(ours, torch.randn(1, 3, 32, 32), ["a dog"], normalized=True),
        lambda: ours.encode_text(torch.ones(1, 2, dtype=torch.long)),
        lambda: next(cx.explain_each(ours, [np.zeros((32, 32, 3), np.uint8)], ["a dog"])),
    ):
        with pytest.raises(ValueError, match=r"image tower alone.*rollout"):
            ask()
    with pytest.raises(ValueError, match="templates do nothing"):
        cx.record(ours, torch.randn(1, 3, 32, 32), templates="a {}", normalized=True)


def test_texts_may_follow():
    """Recorded without, and then with: as recorded with from the start."""
    model = cx.load()
    pixels = torch.randn(1, 3, 112, 112)
    later = cx.record(model, pixels, normalized=True).with_texts(["a cat"])
    once = cx.record(model, pixels, ["a cat"], normalized=True)
    assert np.array_equal(cx.explain(later).scores, cx.explain(once).scores)


def test_a_clip_without_its_text_tower():
    """A classifier on CLIP's image tower: the tower, and a warning that names what is left out."""
    module = hf.CLIPForImageClassification(hf.CLIPConfig(vision_config=VISION)).eval()
    pixels = torch.randn(1, 3, 32, 32)
    with pytest.warns(UserWarning, match=r"classifier\."):
        ours = cx.load(module)
    with torch.no_grad():
        theirs = module.vision_model(pixels).pooler_output
    unit = torch.nn.functional.normalize(theirs, dim=-1)
    torch.testing.assert_close(ours.encode_image(pixels), unit, **CLOSE)


def test_colours(tmp_path):
    """ImageNet's for DINOv2, CLIP's and SigLIP's for theirs, unless a file says others."""
    mean = {name: cx.load(tower(name)).preprocessor.mean[0] for name in TOWERS}
    assert mean["Dinov2Model"] == mean["Dinov2WithRegistersModel"] == 0.485
    assert mean["SiglipVisionModel"] == 0.5 and round(mean["CLIPVisionModel"], 3) == 0.481
    tower("Dinov2Model").save_pretrained(tmp_path)
    described = {"image_mean": [0.1] * 3, "image_std": [0.2] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(described))
    assert cx.load(tmp_path).preprocessor.mean == (0.1, 0.1, 0.1)


def test_heads_and_activation_are_said_already():
    with pytest.raises(ValueError, match="says both"):
        cx.load(tower("CLIPVisionModel"), heads=(4, 4))


@pytest.mark.parametrize("patches", [[], (1,), 3, [(1, 2, 3)], [(1, 2), 3]])
def test_patches_that_are_none(patches):
    trace = cx.record(cx.load(), torch.randn(1, 3, 112, 112), normalized=True)
    with pytest.raises((ValueError, TypeError), match=r"row, column|patches"):
        cx.patch_similarity(trace, patches)
    with pytest.raises(IndexError, match="row 14, but this grid has 14"):
        cx.patch_similarity(trace, (14, 0))


def test_a_model_with_texts_is_not_taken_for_a_tower():
    assert cx.load(built("CLIPModel")).text.reads


def test_halves_and_the_whole_are_not_both_there(tmp_path):
    """A gated FFN's two maps one above the other, and by themselves: which of them counts?"""
    module = tower("Dinov2Model, gated")
    module.save_pretrained(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    state["encoder.layer.0.mlp.gate_proj.bias"] = torch.zeros(3)
    save_file(state, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="both 'encoder.layer.0.mlp.weights_in.bias' and "):
        cx.load(tmp_path)
