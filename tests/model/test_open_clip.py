"""open_clip's models, built small by open_clip itself with random weights: what opens gives the
same features, in memory and from a folder, and what does not is refused by name.
"""

import copy
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from libraries import open_clip, timm
from open_clip.coca_model import CoCa
from open_clip.model import CLIP, CustomTextCLIP
from safetensors.torch import save_file

import clipxai as cx
from clipxai.model.files.locating import EMBEDDED
from clipxai.model.files.timm_siglip import siglip_sizes, trunk_sizes

CLOSE = dict(rtol=0, atol=1e-5)
CONFIGS = {
    file.stem: json.loads(file.read_text())
    for file in sorted((Path(open_clip.__file__).parent / "model_configs").glob("*.json"))
}
OURS = [
    name
    for name, config in CONFIGS.items()
    if not {"timm_model_name", "hf_model_name"} & {*config["vision_cfg"], *config["text_cfg"]}
]
SMALL = {
    "embed_dim": 48,
    "vision_cfg": {"layers": 2, "width": 64, "head_width": 16, "patch_size": 8, "image_size": 32},
    "text_cfg": {"layers": 2, "width": 32, "heads": 4, "vocab_size": 300, "context_length": 12},
}
PIXELS = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def small(name):
    """A config of open_clip's with its settings, and sizes that a test has time for."""
    config = copy.deepcopy(CONFIGS[name])
    config["embed_dim"] = SMALL["embed_dim"]
    config["text_cfg"] |= SMALL["text_cfg"]
    if isinstance(config["vision_cfg"].get("layers"), list):
        config["vision_cfg"] |= {"layers": [1, 1, 1, 1], "width": 16}
    else:
        config["vision_cfg"] |= SMALL["vision_cfg"]
    if "multimodal_cfg" in config:
        config["multimodal_cfg"] |= {"layers": 1, "width": 32, "heads": 4, "vocab_size": 300}
    return config


def built(config):
    """open_clip's module of a config, no weight of which is what it began as."""
    described = copy.deepcopy(config)
    custom = described.pop("custom_text", False)
    kind = CustomTextCLIP if custom or "hf_model_name" in described["text_cfg"] else CLIP
    torch.manual_seed(0)
    module = (CoCa if "multimodal_cfg" in described else kind)(**described).eval()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn_like(weight) * 0.05 if weight.ndim else 0)
    return module


def written(module, config, folder):
    """As open_clip pushes it to the hub."""
    save_file({k: v.contiguous() for k, v in module.state_dict().items()}, folder / WEIGHTS)
    described = {"model_cfg": config, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    return folder


WEIGHTS = "open_clip_model.safetensors"


def ids_of(module, config):
    """Two texts of different lengths, ended as the config says, filled up to the full length."""
    text = config["text_cfg"]
    context = getattr(module, "text", module).context_length
    ids = torch.full((2, context), text.get("pad_id", 0))
    end = text.get("eos_id", 2) if text.get("pool_type") == "eos" else 299
    ids[0, :5], ids[1, :3] = torch.tensor([298, 5, 6, 7, end]), torch.tensor([298, 9, end])
    return ids


def same(module, config, ours, pixels=None):
    """Features of images and texts, of unit length."""
    pixels = torch.randn(2, 3, *ours.visual.image_size) if pixels is None else pixels
    ids = ids_of(module, config)
    with torch.no_grad():
        images = module.encode_image(pixels, normalize=True)
        texts = module.encode_text(ids, normalize=True)
    torch.testing.assert_close(ours.encode_image(pixels), images, **CLOSE)
    torch.testing.assert_close(ours.encode_text(ids), texts, **CLOSE)


def test_every_config_with_towers_of_ours(tmp_path):
    """CLIP's ViTs and ResNets, CLIPA, MetaCLIP 2, CoCa: 58 configs, their settings kept."""
    assert len(OURS) == 58
    for name in OURS:
        config = small(name)
        module, folder = built(config), tmp_path / name
        folder.mkdir()
        same(module, config, cx.load(module))
        same(module, config, cx.load(written(module, config, folder)))


CHANGES = [
    ("vision_cfg", {"pool_type": "avg"}),
    ("vision_cfg", {"pool_type": "avg", "final_ln_after_pool": True}),
    ("vision_cfg", {"no_ln_pre": True}),
    ("vision_cfg", {"ls_init_value": 0.3}),
    ("vision_cfg", {"norm_kwargs": {"eps": 0.03}}),
    ("vision_cfg", {"act_kwargs": {"approximate": "tanh"}}),
    ("vision_cfg", {"image_size": [32, 48]}),
    ("vision_cfg", {"head_width": 32}),
    ("vision_cfg", {"mlp_ratio": 2.71}),
    ("vision_cfg", {"pos_embed_type": "sin_cos_2d"}),
    ("vision_cfg", {"attentional_pool": True, "attn_pooler_heads": 4}),
    ("text_cfg", {"no_causal_mask": True}),
    ("text_cfg", {"pool_type": "last"}),
    ("text_cfg", {"pool_type": "eos", "eos_id": 7}),
    ("text_cfg", {"proj_bias": True}),
    ("text_cfg", {"proj_type": "none", "width": 48}),
    ("text_cfg", {"ls_init_value": 0.3}),
    ("text_cfg", {"norm_kwargs": {"eps": 0.03}}),
    ("text_cfg", {"act_kwargs": {"approximate": "tanh"}}),
    ("text_cfg", {"heads": 8}),
    ("text_cfg", {"embed_cls": True}),
]


@pytest.mark.parametrize("custom", [False, True])
@pytest.mark.parametrize(("part", "change"), CHANGES, ids=str)
def test_every_setting_is_honoured(tmp_path, part, change, custom):
    """Each changes the features, and ours change alike; a tower of its own for texts or not."""
    if "embed_cls" in change and not custom:
        pytest.skip("open_clip reads it in a text tower of its own only")
    config = small("ViT-B-16")
    plain = built(config | ({"custom_text": True} if custom else {}))
    config[part] |= change
    config |= {"custom_text": True} if custom else {}
    module = built(config)
    if change.keys() != {"image_size"}:
        ids = ids_of(module, config)
        with torch.no_grad():
            before = plain.encode_image(PIXELS), plain.encode_text(ids)
            after = module.encode_image(PIXELS), module.encode_text(ids)
        assert not all(torch.allclose(a, b, atol=1e-4) for a, b in zip(before, after))
    same(module, config, cx.load(module))
    same(module, config, cx.load(written(module, config, tmp_path)))


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("vision_cfg", {"qk_norm": True}),
        ("vision_cfg", {"scaled_cosine_attn": True}),
        ("vision_cfg", {"scale_heads": True}),
        ("vision_cfg", {"scale_attn_inner": True}),
        ("vision_cfg", {"scale_attn": True}),
        ("vision_cfg", {"scale_fc": True}),
        ("vision_cfg", {"block_type": "custom"}),
        ("vision_cfg", {"attentional_pool": "parallel"}),
        ("text_cfg", {"qk_norm": True}),
        ("text_cfg", {"pool_type": "first"}),
    ],
    ids=str,
)
def test_what_is_not_honoured_is_refused_by_name(tmp_path, part, change):
    config = small("ViT-B-16")
    config[part] |= change
    module = built(config)
    written(module, config, tmp_path)
    with pytest.raises(ValueError, match=next(iter(change))):
        cx.load(tmp_path)
    with pytest.raises(ValueError, match="CLIP"):
        cx.load(module)


def test_a_module_that_was_changed_is_read_as_it_is():
    """Its settings, not those it was built with."""
    config = small("ViT-B-16")
    module = built(config)
    before = cx.load(module).encode_image(PIXELS)
    for norm in (m for m in module.visual.modules() if isinstance(m, torch.nn.LayerNorm)):
        norm.eps = 0.1
    same(module, config, cx.load(module))
    assert not torch.allclose(cx.load(module).encode_image(PIXELS), before, atol=1e-4)
    module.visual.transformer.resblocks[1].ln_1.eps = 0.2
    with pytest.raises(ValueError, match="different eps"):
        cx.load(module)
    module = built(config)
    module.visual.transformer.resblocks[0].mlp.gelu = torch.nn.ReLU()
    with pytest.raises(ValueError, match="ReLU"):
        cx.load(module)


@pytest.fixture
def shallow(monkeypatch):
    """timm's models with the sizes of their names, but one or two blocks."""
    create = timm.create_model

    def few(name, **options):
        if name.startswith("convnext"):
            options |= {"depths": (1, 1, 1, 1), "dims": (8, 16, 24, 32)}
        elif name.startswith("swin"):
            options |= {"depths": (1, 1, 1, 1), "embed_dim": 32}
        elif name.startswith("vit_relpos"):
            options |= {"depth": 1}
        elif name.startswith(("eva", "vit_")):
            options |= {"depth": 2}
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", few)


@pytest.mark.parametrize("name", ["ViT-B-16-SigLIP", "ViT-B-32-SigLIP2-256"])
def test_siglip_in_timms_layout(shallow, name):
    config = copy.deepcopy(CONFIGS[name])
    config["text_cfg"] |= {"layers": 1, "vocab_size": 300}
    module = built(config)
    ours = cx.load(module)
    same(module, config, ours)
    assert "blocks" in ours.visual.has and ours.sigmoid
    pixels = torch.randn(1, 3, *ours.visual.image_size)
    trace = cx.record(ours, pixels, ids_of(module, config), normalized=True)
    assert cx.explain(trace, "clip_surgery", redundant="labels", blocks=2).scores.shape[0] == 2


def test_what_timms_names_of_siglip_stand_for():
    """Every one that open_clip uses, as timm builds it, without memory."""
    names = {config["vision_cfg"].get("timm_model_name") for config in CONFIGS.values()}
    named = {name: siglip_sizes(name) for name in names - {None} if "siglip" in name}
    assert len(named) == 16 and all(named.values())
    for name, sizes in named.items():
        with torch.device("meta"):
            trunk = timm.create_model(name, num_classes=0)
        assert trunk_sizes(trunk) == sizes


@pytest.mark.parametrize(
    "name",
    ["convnext_base", "convnext_large_d", "swin_base_patch4_window7_224", "MobileCLIP-S1"]
    + ["vit_relpos_medium_patch16_cls_224"],
)
def test_hosted_image_towers(shallow, name):
    """As they are: equal to the last bit, and what can be asked of them works."""
    config = copy.deepcopy(CONFIGS[name])
    config["text_cfg"] |= {"layers": 1, "vocab_size": 300}
    module = built(config)
    ours = cx.load(module)
    pixels = torch.randn(1, 3, *ours.visual.image_size)
    with torch.no_grad():
        theirs = module.encode_image(pixels, normalize=True)
    assert torch.equal(ours.encode_image(pixels), theirs)
    trace = cx.record(ours, pixels, ids_of(module, config), normalized=True)
    torch.testing.assert_close(trace.image_features, theirs, **CLOSE)
    methods = ["clip", "gradient_x_input"]
    methods += ["grad_cam"] if "channels" in ours.visual.has else []
    for method in methods:
        scores = cx.explain(trace, method).scores
        assert scores.shape == (2, *trace.grid) and scores.std() > 0
    with pytest.raises(ValueError, match="requires transformer blocks"):
        cx.explain(trace, "gem")
    with pytest.raises(ValueError, match="pixels only"):
        cx.record(ours, "clipxai/data/samples/cat-guitar.png", ids_of(module, config), size=32 * 5)


def test_a_cell_alone_is_what_the_head_says_of_it(shallow):
    """By a second route: a map that is the same cell everywhere pools to that cell."""
    config = copy.deepcopy(CONFIGS["convnext_base"])
    config["text_cfg"] |= {"layers": 1, "vocab_size": 300}
    module = built(config)
    tower = cx.load(module).visual
    pixels = torch.randn(1, 3, *tower.image_size)
    with torch.no_grad():
        cells = tower.features(pixels)
        everywhere = cells[:, :, 2:3, 5:6].expand_as(cells)
        alone = tower(pixels)[:, 1 + 2 * cells.shape[-1] + 5]
        torch.testing.assert_close(alone, tower.pool_features(everywhere), **CLOSE)
        torch.testing.assert_close(tower.pool_features(cells), tower.pool(pixels), **CLOSE)


def test_hosted_from_a_folder(shallow, tmp_path, monkeypatch):
    config = copy.deepcopy(CONFIGS["convnext_base"])
    config["text_cfg"] |= {"layers": 1, "vocab_size": 300}
    module = built(config)
    written(module, config, tmp_path)
    same(module, config, cx.load(tmp_path))
    monkeypatch.setitem(__import__("sys").modules, "open_clip.model", None)
    with pytest.raises(ImportError, match=r"pip install 'clipxai\[zoo\]'"):
        cx.load(tmp_path)


def test_text_towers_of_transformers(monkeypatch):
    """Encoders as open_clip takes them, of a few numbers each."""
    import transformers
    from transformers import M2M100Config, MT5Config, XLMRobertaConfig

    sizes = dict(vocab_size=300, num_attention_heads=2, num_hidden_layers=1)
    configs = {
        "xlm": XLMRobertaConfig(hidden_size=32, intermediate_size=64, **sizes),
        "mt5": MT5Config(vocab_size=300, d_model=32, d_kv=8, num_heads=4, d_ff=64, num_layers=1),
        "nllb": M2M100Config(
            vocab_size=300, d_model=32, encoder_layers=1, decoder_layers=1,
            encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
            decoder_ffn_dim=64,
        ),
    }  # fmt: skip
    for name, kind in (
        ("xlm-roberta-base-ViT-B-32", "xlm"),
        ("mt5-base-ViT-B-32", "mt5"),
        ("nllb-clip-base", "nllb"),
    ):
        monkeypatch.setattr(
            transformers.AutoConfig, "from_pretrained", lambda *_, k=kind: configs[k]
        )
        config = copy.deepcopy(CONFIGS[name])
        config["embed_dim"] = 48
        config["vision_cfg"] |= SMALL["vision_cfg"]
        config["text_cfg"]["hf_model_pretrained"] = False
        module = built(config)
        ours, pixels = cx.load(module), PIXELS[:1]
        ids = torch.full((2, 9), ours.text.pad_id)
        ids[0, :4], ids[1, :3] = torch.tensor([5, 6, 7, 8]), torch.tensor([9, 10, 11])
        with torch.no_grad():
            texts = module.encode_text(ids, normalize=True)
        torch.testing.assert_close(ours.encode_text(ids), texts, **CLOSE)
        torch.testing.assert_close(
            ours.encode_image(pixels), module.encode_image(pixels, normalize=True).detach(), **CLOSE
        )
        trace = cx.record(ours, pixels, ids, normalized=True)
        assert cx.explain(trace, "decomposition").scores.shape == (2, 4, 4)
        with pytest.raises(ValueError, match="causal text tower"):
            cx.word_relevance(trace, "occlusion")


def test_strings_where_the_whole_text_is_read(tmp_path):
    """MobileCLIP's text tower sees what fills a text up, so each is filled up to full length."""
    config = small("MobileCLIP-S1")
    config["vision_cfg"] = SMALL["vision_cfg"]
    vocabulary = EMBEDDED / "vocab.json"
    config["text_cfg"]["vocab_size"] = len(json.loads(vocabulary.read_text()))
    module = built(config)
    written(module, config, tmp_path)
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((EMBEDDED / name).read_bytes())
    ours = cx.load(tmp_path)
    ids = ours.tokenize(["a cat", "a red guitar"])
    assert ids.shape == (2, config["text_cfg"]["context_length"])
    with torch.no_grad():
        theirs = module.encode_text(ids, normalize=True)
    torch.testing.assert_close(ours.encode_text(["a cat", "a red guitar"]), theirs, **CLOSE)


def test_a_vocabulary_that_is_not_known_is_not_guessed(tmp_path):
    """Where the config does not say how open_clip cleans texts for it: ids only."""
    config = small("ViT-H-14-worldwide")
    del config["text_cfg"]["hf_tokenizer_name"]
    written(built(config), config, tmp_path)
    pieces = {"model": {"type": "Unigram", "vocab": [["</s>", 0.0], ["a", -1.0]], "unk_id": 0}}
    (tmp_path / "tokenizer.json").write_text(json.dumps(pieces))
    ours = cx.load(tmp_path)
    with pytest.raises(ValueError, match="pass the ids that the model's own tokenizer gives"):
        ours.encode_text("a cat")


def test_hosted_weights_are_looked_at(shallow):
    """In the asked precision, and numbers all of them."""
    config = copy.deepcopy(CONFIGS["convnext_base"])
    config["text_cfg"] |= {"layers": 1, "vocab_size": 300}
    module = built(config)
    ours = cx.load(module, dtype=torch.bfloat16)
    pixels = torch.randn(1, 3, *ours.visual.image_size)
    with torch.no_grad():
        theirs = module.bfloat16().encode_image(pixels.bfloat16(), normalize=True).float()
    torch.testing.assert_close(ours.encode_image(pixels), theirs, rtol=0, atol=0.01)
    next(module.visual.parameters()).data[0] = float("nan")
    with pytest.raises(ValueError, match="NaN"):
        cx.load(module)


@pytest.mark.parametrize("name", ["MobileCLIP-S1", "coca_ViT-B-32"])
def test_words_left_out_where_the_whole_text_is_read(tmp_path, name):
    """What is left is filled up again: the maps are those of texts written by hand."""
    config = small(name)
    for key in ("timm_model_name", "timm_pool", "timm_proj"):
        config["vision_cfg"].pop(key, None)
    config["vision_cfg"] |= SMALL["vision_cfg"]
    vocabulary = json.loads((EMBEDDED / "vocab.json").read_text())
    config["text_cfg"]["vocab_size"] = len(vocabulary)
    written(built(config), config, tmp_path)
    for file in ("vocab.json", "merges.txt"):
        (tmp_path / file).write_bytes((EMBEDDED / file).read_bytes())
    ours = cx.load(tmp_path)
    trace = cx.record(ours, PIXELS[:1], ["a red cat", "a guitar"], normalized=True)
    found = cx.word_maps(trace, "clip")
    by_hand = cx.explain(trace.with_texts(["a red cat", "red cat", "a cat", "a red"]), "clip")
    assert found.texts == ("a", "red", "cat")
    # the last word takes its article along only if nothing stands between them
    expected = by_hand.scores[:1] - by_hand.scores[1:]
    np.testing.assert_allclose(found.scores, expected, rtol=0, atol=1e-6)
    assert np.abs(found.scores).max(axis=(1, 2)).min() > 1e-4


def test_a_text_tower_whose_config_lies_nowhere(tmp_path, monkeypatch):
    """Its name is one on the hub, which cannot be reached."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    config = {"model_cfg": small("roberta-ViT-B-32")}
    config["model_cfg"]["text_cfg"]["hf_model_name"] = "nobody/is-here"
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    state = {"visual.conv1.weight": torch.zeros(8, 3, 4, 4), "logit_scale": torch.zeros(())}
    save_file(state, tmp_path / "open_clip_model.safetensors")
    with pytest.raises(ValueError, match="text tower 'nobody/is-here', whose config cannot be had"):
        cx.load(tmp_path)
