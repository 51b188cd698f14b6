"""The forms that checkpoints come in: wrapped, in several files, in memory, with adapters. Each
gives what the library itself computes, or one sentence.
"""

import json
import re

import pytest
import torch
from libraries import open_clip, peft
from safetensors.torch import load_file, save_file
from test_formats import HEADS, open_clip_config, weights
from torch import nn
from torch.nn.utils import prune
from transformers import CLIPConfig, CLIPModel

import clipxai as cx
from clipxai.model.files import told

CLOSE = dict(rtol=0, atol=1e-5)
SETTINGS = dict(heads=HEADS["vit"], activation="quick_gelu")


@pytest.fixture
def clip():
    """transformers' CLIP with numbers everywhere that a zero would hide."""
    part = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4)
    text = dict(**part, vocab_size=100, max_position_embeddings=12, eos_token_id=99)
    torch.manual_seed(0)
    vision = dict(**part, image_size=32, patch_size=8)
    model = CLIPModel(CLIPConfig(projection_dim=32, text_config=text, vision_config=vision)).eval()
    for parameter in model.parameters():
        if parameter.ndim < 2:
            parameter.data += 0.1 * torch.randn_like(parameter)
    return model


def same(ours, theirs):
    """Image and text features as `theirs`, a module of transformers, gives them."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randn(2, 3, 32, 32, generator=generator)
    ids = torch.randint(1, 98, (3, 12), generator=generator)
    ids[:, 5] = 99
    with torch.no_grad():
        out = theirs(input_ids=ids, pixel_values=pixels)
    torch.testing.assert_close(ours.encode_image(pixels), out.image_embeds, **CLOSE)
    torch.testing.assert_close(ours.encode_text(ids), out.text_embeds, **CLOSE)


# --- wrapped


def behind(prefix, state):
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


@pytest.mark.parametrize("name", ["x.ckpt", "x.pth", "x.pt"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"model": state, "epoch": 3, "optimizer": {"state": {0: {"a": 1}}}},
        lambda state: {"state_dict": behind("model.", state), "pytorch-lightning_version": "2.5"},
        lambda state: {"x": {"model": behind("module._orig_mod.", state)}, "lr": [0.1]},
        lambda state: behind("_orig_mod.module.model.", state),
        lambda state: behind("net.clip.", state),
    ],
)
def test_whatever_is_wrapped_around(clip, tmp_path, wrap, name):
    torch.save(wrap(clip.state_dict()), tmp_path / name)
    clip.config.save_pretrained(tmp_path)
    same(cx.load(tmp_path / name), clip)
    same(cx.load(tmp_path), clip)


def test_what_lies_beside_the_clip_is_named(clip, tmp_path):
    state = behind("model.", clip.state_dict())
    with pytest.warns(UserWarning, match=r"behind 'model\.': 1 tensor\(s\) beside it, such as 'x'"):
        same(cx.load(state | {"x": torch.ones(2)}, config=clip.config), clip)
    with pytest.raises(ValueError, match=r"holds several CLIPs, as 'ema\.' and 'model\.'"):
        cx.load(state | behind("ema.", clip.state_dict()), config=clip.config)
    torch.save({"model": clip.state_dict(), "ema": clip.state_dict()}, tmp_path / "x.pt")
    with pytest.raises(ValueError, match="it holds several CLIPs, as 'ema' and 'model'"):
        cx.load(tmp_path / "x.pt", config=clip.config)


class Classifier(nn.Module):
    def __init__(self, *clips):
        super().__init__()
        self.backbones = nn.ModuleList(clips)
        self.classifier = nn.Linear(32, 2)


def test_a_module_of_ones_own_around_it(clip):
    ours = cx.load(nn.DataParallel(Classifier(clip)))
    same(ours, clip)
    assert ours.name == "CLIPModel"
    with pytest.raises(ValueError, match=r"holds several CLIPs, as 'backbones\.0' and 'backbones"):
        cx.load(Classifier(clip, CLIPModel(clip.config)))


@pytest.mark.parametrize("prefix", ["", "model."])
def test_a_tower_that_was_compiled_by_itself(clip, prefix):
    config, live = clip.config, CLIPModel(clip.config).eval()
    live.load_state_dict(clip.state_dict())
    live.vision_model = torch.compile(live.vision_model, backend="eager")
    assert any("vision_model._orig_mod." in name for name in live.state_dict())
    same(cx.load(live), clip)
    same(cx.load(behind(prefix, live.state_dict()), config=config), clip)


def test_several_weights_files_are_named(clip, tmp_path):
    clip.config.save_pretrained(tmp_path)
    for n in (1, 2):
        torch.save(clip.state_dict(), tmp_path / f"epoch_{n}.pt")
    with pytest.raises(ValueError, match=r"holds 2 weights files, such as epoch_1.pt, epoch_2.pt"):
        cx.load(tmp_path)
    same(cx.load(tmp_path / "epoch_2.pt"), clip)


# --- several files


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_shards(clip, tmp_path, kind):
    clip.save_pretrained(tmp_path, max_shard_size="100KB")
    index = tmp_path / "model.safetensors.index.json"
    if kind == "bin":  # as transformers 4 wrote it
        places = json.loads(index.read_text())["weight_map"]
        for file in set(places.values()):
            torch.save(load_file(tmp_path / file), tmp_path / file.replace("safetensors", "bin"))
            (tmp_path / file).unlink()
        index.unlink()
        index = tmp_path / "pytorch_model.bin.index.json"
        places = {name: file.replace("safetensors", "bin") for name, file in places.items()}
        index.write_text(json.dumps({"metadata": {}, "weight_map": places}))
    assert len(set(json.loads(index.read_text())["weight_map"].values())) > 2
    same(cx.load(tmp_path), clip)
    same(cx.load(index), clip)
    shard = next(path for path in tmp_path.iterdir() if "-of-" in path.name)
    with pytest.raises(ValueError, match="is one of several files of a model: pass their folder"):
        cx.load(shard)


def test_shards_that_do_not_keep_what_the_index_says(clip, tmp_path):
    clip.save_pretrained(tmp_path, max_shard_size="100KB")
    file = tmp_path / "model.safetensors.index.json"
    index = json.loads(file.read_text())
    name = "logit_scale"

    def refused(place, match, kind=ValueError):
        changed = {**index["weight_map"], name: place}
        file.write_text(json.dumps({"weight_map": changed}))
        with pytest.raises(kind, match=match):
            cx.load(tmp_path)

    other = next(p for p in index["weight_map"].values() if p != index["weight_map"][name])
    refused("../model.safetensors", "names '../model.safetensors', but a file beside it")
    refused(3, "names 3, but a file beside it")
    refused("none.safetensors", "names none.safetensors, which is not there", FileNotFoundError)
    refused(other, f"does not hold what .* says of it: {name} is only in the")
    file.write_text("{}")
    with pytest.raises(ValueError, match="is no index of weights"):
        cx.load(tmp_path)


# --- what tensors do not tell


def test_heads_and_activation_are_never_guessed(golden_vit, tmp_path):
    model, arrays, _ = golden_vit
    save_file(weights("vit"), tmp_path / "x.safetensors")
    asked = r"pass heads=\(image, text\) and activation='quick_gelu' .* or config="
    for source in (tmp_path / "x.safetensors", weights("vit")):
        with pytest.raises(ValueError, match=asked):
            cx.load(source)
        with pytest.raises(ValueError, match=r"pass heads=\(image, text\), or config="):
            cx.load(source, activation="gelu")
        told_all = cx.load(source, **SETTINGS)
        assert torch.equal(
            told_all.encode_image(arrays["image"]), model.encode_image(arrays["image"])
        )
    other = cx.load(weights("vit"), heads=(4, 1), activation="quick_gelu")
    assert not torch.allclose(
        other.encode_image(arrays["image"]), model.encode_image(arrays["image"]), atol=1e-3
    )
    for heads in (2, (2,), (2, 0), (True, 1), "ab"):
        with pytest.raises(ValueError, match="two whole numbers are expected"):
            cx.load(weights("vit"), heads=heads)
    with pytest.raises(ValueError, match="128 is not divisible by 3 heads"):
        cx.load(weights("vit"), heads=(3, 1), activation="gelu")


def test_an_option_does_not_silence_a_config(clip, golden_vit, tmp_path):
    (tmp_path / "open_clip_config.json").write_text(json.dumps(open_clip_config("vit")))
    file = tmp_path / "open_clip_model.safetensors"
    save_file(weights("vit"), file)
    assert cx.load(file, **SETTINGS).preprocessor.mean == (0.4, 0.5, 0.6), "the config is read"
    for source in (file, tmp_path):
        with pytest.raises(ValueError, match="activation='gelu' contradicts .*open_clip_config"):
            cx.load(source, activation="gelu")
        with pytest.raises(ValueError, match=r"heads=\(4, 1\) contradicts .*which says \(2, 1\)"):
            cx.load(source, heads=(4, 1))
    with pytest.raises(ValueError, match="config= is given, but .*lies beside the weights"):
        cx.load(tmp_path, config=open_clip_config("vit"))
    with pytest.raises(ValueError, match="activation='gelu' contradicts this CLIPModel"):
        cx.load(clip, activation="gelu")
    with pytest.raises(ValueError, match="config= is for weights without one"):
        cx.load(clip, config=clip.config)


def test_state_dicts_in_memory(clip, golden_vit, tmp_path):
    config = clip.config.to_dict()
    (tmp_path / "somewhere.json").write_text(json.dumps(config))
    for told_config in (config, clip.config, tmp_path / "somewhere.json"):
        same(cx.load(clip.state_dict(), config=told_config), clip)
    with pytest.raises(FileNotFoundError, match=r"its config\.json must lie .* as config="):
        cx.load(clip.state_dict())
    for told_config in (open_clip_config("vit"), open_clip_config("vit")["model_cfg"]):
        ours = cx.load(weights("vit"), config=told_config)
        image = golden_vit[1]["image"]
        assert torch.equal(ours.encode_image(image), golden_vit[0].encode_image(image))
    assert cx.load(weights("vit"), config=open_clip_config("vit")).preprocessor.std[0] == 0.2
    with pytest.raises(ValueError, match="config= has no 'model_cfg'"):
        cx.load(weights("vit"), config=config)
    with pytest.raises(ValueError, match="config= has no 'vision_config'"):
        cx.load(clip.state_dict(), config={})
    with pytest.raises(TypeError, match="config= is a dict or a JSON file, not a list"):
        cx.load(clip.state_dict(), config=[1])
    with pytest.raises(ValueError, match="not a CLIP checkpoint in a known layout") as refused:
        cx.load({"a": torch.zeros(2), "b": torch.zeros(2)})
    assert refused.type is ValueError, "whose name people can look up"


def test_published_sizes_are_those_of_open_clips_configs():
    """Read off open_clip's own list, as it is."""
    found = {}
    for name in open_clip.list_models():
        config = open_clip.get_model_config(name)
        vision, text = config["vision_cfg"], config["text_cfg"]
        plain = not {"timm_model_name", "pool_type"} & vision.keys()
        if not plain or {"hf_model_name", "pool_type"} & text.keys() or "multimodal_cfg" in config:
            continue
        stages = isinstance(vision["layers"], list)
        width = vision.get("width", 64 if stages else 768)
        image = (
            None if stages else vision["patch_size"],
            width,
            tuple(vision["layers"]) if stages else vision["layers"],
        )
        heads = (width * 32 if stages else width) // vision.get("head_width", 64)
        key = (*image, text["width"], text["layers"], config["embed_dim"])
        activation = "quick_gelu" if config.get("quick_gelu") else "gelu"
        found.setdefault(key, set()).add((heads, text["heads"], activation))
    expected = {
        key: {(image, text, activation) for activation in activations}
        for key, (image, text, activations) in told.PUBLISHED.items()
    }
    assert found == expected


# --- repositories


def test_the_pair_that_can_be_read_is_taken(clip, tmp_path):
    """A model_type of ours whose tensors are somebody's, beside a pair of open_clip's."""
    clip.config.save_pretrained(tmp_path)
    save_file({"image_encoder.weight": torch.ones(2)}, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="its tensors are named image_encoder.weight"):
        cx.load(tmp_path)
    (tmp_path / "open_clip_config.json").write_text(json.dumps(open_clip_config("vit")))
    torch.save(weights("vit"), tmp_path / "open_clip_pytorch_model.bin")
    assert cx.load(tmp_path).provenance["file"] == "open_clip_pytorch_model.bin"


def test_sentence_transformers_folder(clip, tmp_path):
    (tmp_path / "modules.json").write_text('[{"path": "0_CLIPModel"}]')
    (tmp_path / "config_sentence_transformers.json").write_text("{}")
    clip.save_pretrained(tmp_path / "0_CLIPModel")
    same(cx.load(tmp_path), clip)
    kinds = [
        {"type": f"sentence_transformers.models.{kind}"} for kind in ("CLIPModel", "Normalize")
    ]
    (tmp_path / "modules.json").write_text(json.dumps(kinds))
    same(cx.load(tmp_path), clip)
    (tmp_path / "modules.json").write_text(json.dumps([*kinds, {"type": "a.Dense"}]))
    with pytest.raises(ValueError, match="puts a Dense behind the CLIP, which is not read: load"):
        cx.load(tmp_path)
    same(cx.load(tmp_path / "0_CLIPModel"), clip)
    for odd in ("[1]", "{", "5"):
        (tmp_path / "modules.json").write_text(odd)
        with pytest.raises(ValueError, match="is no modules.json of sentence-transformers"):
            cx.load(tmp_path)


def test_a_config_that_is_not_read_beside_one_that_is(clip, tmp_path):
    clip.save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    config["vision_config"]["hidden_act"] = "unheard of"
    file.write_text(json.dumps(config))
    with pytest.raises(ValueError, match="unknown activation 'unheard of'"):
        cx.load(tmp_path)
    (tmp_path / "open_clip_config.json").write_text(json.dumps(open_clip_config("vit")))
    torch.save(weights("vit"), tmp_path / "open_clip_pytorch_model.bin")
    assert cx.load(tmp_path).provenance["file"] == "open_clip_pytorch_model.bin"


def test_colours_that_no_file_says_are_said_to_be_usual(clip, tmp_path):
    clip.save_pretrained(tmp_path)
    assert "no file says them" in cx.load(tmp_path).provenance["colours"]
    (tmp_path / "preprocessor_config.json").write_text('{"image_mean": [0.1, 0.2, 0.3]}')
    ours = cx.load(tmp_path)
    assert "colours" not in ours.provenance and ours.preprocessor.mean == (0.1, 0.2, 0.3)


def test_images_whose_side_is_no_multiple_of_the_patch(clip):
    """transformers resizes to the side that the config gives, and reads whole patches of it."""
    config = CLIPConfig.from_dict(clip.config.to_dict())
    config.vision_config.image_size = 35
    theirs = CLIPModel(config).eval()
    ours = cx.load(theirs)
    pixels = torch.randn(2, 3, 35, 35, generator=torch.Generator().manual_seed(3))
    with torch.no_grad():
        expected = theirs.get_image_features(pixels).pooler_output
    expected = nn.functional.normalize(expected, dim=-1)
    torch.testing.assert_close(ours.encode_image(pixels), expected, **CLOSE)
    prepared = ours.preprocessor(pixels, normalized=True)
    assert torch.equal(prepared.pixels, pixels[..., :32, :32])
    assert prepared.grids[0].box == (0, 0, 32, 32) and prepared.grids[0].image_size == (35, 35)
    picture = torch.rand(3, 70, 105, generator=torch.Generator().manual_seed(4))
    colours = torch.tensor(ours.preprocessor.mean), torch.tensor(ours.preprocessor.std)
    mean, std = (values.view(3, 1, 1) for values in colours)
    resized = nn.functional.interpolate(picture[None], (35, 35), mode="bicubic", antialias=True)
    prepared = ours.preprocessor(picture)
    expected = ((resized.clamp(0, 1) - mean) / std)[..., :32, :32]
    torch.testing.assert_close(prepared.pixels, expected, rtol=0, atol=1e-5)
    assert prepared.grids[0].box == pytest.approx((0, 0, 64, 96))
    # scaled to 35 x 52 and cut to its middle 35 columns from the 8th on, of which 32 are covered
    prepared = ours.preprocessor(picture, mode="crop")
    assert prepared.pixels.shape == (1, 3, 32, 32)
    left, each = 8 * 105 / 52, 105 / 52
    assert prepared.grids[0].box == pytest.approx((0, left, 64, left + 32 * each))


def test_old_sections_replace_the_new_as_in_transformers(clip, tmp_path):
    clip.save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    for part in ("text_config", "vision_config"):
        config[f"{part}_dict"] = config[part] | {"hidden_act": "gelu", "num_attention_heads": 2}
    file.write_text(json.dumps(config))
    theirs = CLIPModel.from_pretrained(tmp_path).eval()
    assert theirs.config.text_config.num_attention_heads == 2
    same(cx.load(tmp_path), theirs)


@pytest.mark.parametrize(
    ("name", "begin", "kind"),
    [
        ("model.onnx", b"\x08\x08\x12\x07pytorch", "an ONNX file"),
        ("model.gguf", b"GGUF\x03\0\0\0", "a GGUF file"),
        ("model.pt2", b"PK\x03\x04", "a program of torch.export"),
        ("flax_model.msgpack", b"\x82\xaatext_model", "a flax file"),
        ("clip.engine", b"ftrt\0\0", "a TensorRT engine"),
        ("clip.pt", b"ftrt\0\0", "a TensorRT engine"),
    ],
)
def test_other_peoples_formats(tmp_path, name, begin, kind):
    (tmp_path / name).write_bytes(begin)
    with pytest.raises(ValueError, match=f"is {kind}.*load the checkpoint that it was made") as e:
        cx.load(tmp_path / name)
    assert "weights_only" not in str(e.value)
    if not name.endswith(".pt"):
        with pytest.raises(FileNotFoundError, match=re.escape(f"{name} is of ")):
            cx.load(tmp_path)


def test_other_formats_by_their_content(tmp_path):
    torch.export.save(torch.export.export(nn.Linear(2, 2), (torch.ones(1, 2),)), tmp_path / "m.pt2")
    (tmp_path / "m.pt2").rename(tmp_path / "m.pt")
    with pytest.raises(ValueError, match="m.pt is a program of torch.export; weights are read"):
        cx.load(tmp_path)
    (tmp_path / "m.pt").write_bytes(b"\x82\xaatext_model\x81\xa1a\xc0")
    with pytest.raises(ValueError, match="m.pt is a flax file; weights are read"):
        cx.load(tmp_path)


def test_quantised_weights(clip, tmp_path):
    clip.config.save_pretrained(tmp_path)

    def kept(dtype):
        return {n: t.to(dtype) if t.ndim == 2 else t for n, t in clip.state_dict().items()}

    save_file(kept(torch.float8_e4m3fn), tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="is kept as F8_E4M3, as quantised weights are.*as it was"):
        cx.load(tmp_path)
    for dtype in (torch.float8_e4m3fn, torch.int8):
        with pytest.raises(
            ValueError, match=r"\(quantised\?\), but .*load the checkpoint as it was"
        ):
            cx.load(kept(dtype), config=clip.config)


# --- adapters and parametrizations


def lora(clip, **settings):
    """peft's LoRA around a module, with numbers in B, which starts at zero."""
    targets = ["q_proj", "fc1", "patch_embedding", "token_embedding"]
    config = peft.LoraConfig(**{"r": 4, "lora_alpha": 6, "target_modules": targets} | settings)
    wrapped = peft.get_peft_model(clip, config).eval()
    generator = torch.Generator().manual_seed(2)
    for name, parameter in wrapped.named_parameters():
        if "lora_" in name or "modules_to_save" in name:
            parameter.data.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return wrapped


LORAS = [
    {},
    {"use_rslora": True},
    {"rank_pattern": {"fc1": 2}, "alpha_pattern": {"fc1": 3, "text_model.encoder.layers.0": 1}},
    {"modules_to_save": ["visual_projection"]},
]


@pytest.mark.parametrize("settings", LORAS)
@pytest.mark.filterwarnings("ignore")  # peft's and transformers' own
def test_lora_in_memory_and_in_a_folder(clip, tmp_path, settings):
    clip.save_pretrained(tmp_path / "base")
    clip.name_or_path = str(tmp_path / "base")
    plain = cx.load(tmp_path / "base")
    wrapped = lora(clip, **settings)
    before = {name: tensor.clone() for name, tensor in wrapped.state_dict().items()}
    ours = cx.load(wrapped)
    assert all(torch.equal(t, before[name]) for name, t in wrapped.state_dict().items())
    wrapped.save_pretrained(tmp_path / "adapter")
    from_folder = cx.load(tmp_path / "adapter")
    with wrapped.disable_adapter():
        assert torch.equal(cx.load(wrapped).visual.projection, plain.visual.projection)
    merged = wrapped.merge_and_unload()
    same(ours, merged)
    same(from_folder, merged)
    assert from_folder.provenance["adapter of"] == str(tmp_path / "base")
    pixels = torch.ones(1, 3, 32, 32)
    assert not torch.allclose(ours.encode_image(pixels), plain.encode_image(pixels), atol=1e-3)


@pytest.mark.filterwarnings("ignore")
def test_other_adapters_name_the_way_out(clip, tmp_path):
    wrapped = lora(clip, use_dora=True, target_modules=["q_proj"])
    with pytest.raises(ValueError, match=r"more than LoRA .*merge_and_unload\(\)"):
        cx.load(wrapped)
    wrapped.save_pretrained(tmp_path / "dora")
    file = tmp_path / "dora" / "adapter_config.json"
    with pytest.raises(ValueError, match="does not say for which model"):
        cx.load(tmp_path / "dora")
    other = wrapped.unload()
    other.save_pretrained(tmp_path / "base")
    said = json.loads(file.read_text())
    for change, match in (
        ({}, r"asks for use_dora=True: .*merge_and_unload\(\)"),
        ({"peft_type": "LOHA"}, r"is an adapter of kind 'LOHA', not LORA: .*merge_and_unload"),
        ({"use_dora": False, "init_lora_weights": "pissa"}, "init_lora_weights='pissa'"),
        ({"base_model_name_or_path": str(tmp_path / "dora")}, "an adapter too"),
        ({"use_dora": False, "of_tomorrow": 1}, r"asks for of_tomorrow=1: .*merge_and_unload\(\)"),
        ({"use_dora": False}, r"lora_magnitude_vector', more than A and B: .*merge_and_unload"),
    ):
        changed = said | {"base_model_name_or_path": str(tmp_path / "base")} | change
        file.write_text(json.dumps(changed))
        with pytest.raises(ValueError, match=match):
            cx.load(tmp_path / "dora")
    ia3 = peft.IA3Config(target_modules=["q_proj"], feedforward_modules=[])
    with pytest.raises(ValueError, match=r"more than LoRA \(peft.tuners.ia3.*merge_and_unload"):
        cx.load(peft.get_peft_model(other, ia3))


@pytest.mark.filterwarnings("ignore")
def test_parts_of_weights_in_a_state_dict(clip):
    config = clip.config
    for norm in (nn.utils.parametrizations.weight_norm, nn.utils.weight_norm):
        model = CLIPModel(config)
        norm(model.visual_projection)
        with pytest.raises(ValueError, match="a part of a weight: call .*remove_parametrizations"):
            cx.load(model.state_dict(), config=config)
    with pytest.raises(ValueError, match=r"a part of a weight: call peft's merge_and_unload\(\)"):
        cx.load(lora(clip).state_dict(), config=config)


@pytest.mark.filterwarnings("ignore")
def test_weight_norm(clip):
    for norm in (nn.utils.parametrizations.weight_norm, nn.utils.weight_norm):
        model = CLIPModel(clip.config).eval()
        norm(model.visual_projection)
        first, second = model.vision_model.encoder.layers
        norm(second.mlp.fc1)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name.endswith(("original0", "_g")):
                    parameter.mul_(1.5)
        same(cx.load(model), model)
        prune.l1_unstructured(first.mlp.fc1, "weight", 0.5)
        with pytest.raises(ValueError, match=r"fc1.weight_orig' is under pruning"):
            cx.load(model)


# --- open_clip itself


@pytest.mark.filterwarnings("ignore")
def test_open_clips_own_model(tmp_path):
    """In Lightning's names, as a state dict, with LoRA."""
    config = open_clip_config("vit")["model_cfg"]
    torch.manual_seed(0)
    theirs = open_clip.model.CLIP(**config).eval()
    for name in ("visual", "transformer"):  # of which no tensor may be near zero
        for parameter in getattr(theirs, name).parameters():
            parameter.data += 0.02 * torch.randn_like(parameter)
    pixels = torch.randn(2, 3, 64, 64)
    ids = torch.randint(1, 500, (2, 77))
    ids[:, 9] = 599

    def alike(ours, module):
        with torch.no_grad():
            image, text = module.encode_image(pixels, True), module.encode_text(ids, True)
        torch.testing.assert_close(ours.encode_image(pixels), image, **CLOSE)
        torch.testing.assert_close(ours.encode_text(ids), text, **CLOSE)

    file = tmp_path / "epoch=1.ckpt"
    torch.save({"state_dict": behind("model.", theirs.state_dict())}, file)
    for source in (file, theirs.state_dict()):
        alike(cx.load(source, config=config), theirs)
        alike(cx.load(source, heads=HEADS["vit"], activation="quick_gelu"), theirs)
    wrapped = lora(theirs, target_modules=["c_fc", "c_proj", "conv1"])
    ours = cx.load(wrapped)
    wrapped.save_pretrained(tmp_path / "adapter")
    plain = cx.load(file, config=config)
    assert not torch.allclose(plain.encode_image(pixels), ours.encode_image(pixels), atol=1e-3)
    merged = wrapped.merge_and_unload()
    alike(ours, merged)
    # the same adapter, as its folder has it, over the same weights
    base = tmp_path / "base"
    base.mkdir()
    (base / "open_clip_config.json").write_text(json.dumps(open_clip_config("vit")))
    save_file(
        {n: t.clone() for n, t in torch.load(file)["state_dict"].items()},
        base / "open_clip_model.safetensors",
    )
    adapter = tmp_path / "adapter" / "adapter_config.json"
    named = json.loads(adapter.read_text()) | {"base_model_name_or_path": str(base)}
    adapter.write_text(json.dumps(named))
    alike(cx.load(adapter.parent), merged)
    # torch's attention, where peft's versions differ
    wrapped = lora(merged, target_modules=["attn"])
    with pytest.raises(ValueError, match=r"more than LoRA .*MultiheadAttention\): call peft's m"):
        cx.load(wrapped)
    wrapped.save_pretrained(adapter.parent)
    adapter.write_text(json.dumps(named))
    with pytest.raises(ValueError, match=r"changes torch's attention .*merge_and_unload\(\)"):
        cx.load(adapter.parent)


@pytest.mark.parametrize("in_a_file", [False, True])
def test_tensors_by_names_of_ours(embedded, tmp_path, in_a_file):
    """They were told to be open_clip's, whose config would not help."""
    given = embedded.state_dict()
    if in_a_file:
        save_file(given, tmp_path / "ours.safetensors")
        given = tmp_path / "ours.safetensors"
    with pytest.raises(ValueError, match=r"clipxai's own tensor names.*save_folder wrote"):
        cx.load(given)
