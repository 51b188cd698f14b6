"""Every form a CLIP comes in: written as its library writes it, loaded, and equal to what it
was.
"""

import copy
import json
import sys
import warnings
from collections import OrderedDict
from functools import partial

import numpy as np
import pytest
import torch
import transformers as hf
from libraries import open_clip
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

import clipxai as cx
from clipxai.cli import main
from clipxai.model.files import hub, untrusted
from clipxai.model.files.locating import EMBEDDED
from clipxai.model.files.sizes import known_activation
from clipxai.model.towers.parts import ACTIVATIONS
from clipxai.model.words.tokenizer import Tokenizer

CLOSE = dict(rtol=0, atol=1e-4)
HEADS = {"vit": (2, 1), "resnet": (4, 1)}
WEIGHTS = {kind: f"tests/data/{kind}_small_weights.npz" for kind in ("vit", "resnet")}


def weights(kind):
    return {name: torch.from_numpy(array.copy()) for name, array in np.load(WEIGHTS[kind]).items()}


def open_clip_config(kind):
    """What open_clip writes beside such weights."""
    text = {"context_length": 77, "vocab_size": weights(kind)["token_embedding.weight"].shape[0]}
    width, E = weights(kind)["text_projection"].shape
    layers = len(
        {name.split(".")[2] for name in weights(kind) if name.startswith("transformer.resblocks.")}
    )
    text |= {"width": width, "heads": width // 64, "layers": layers}
    vision = {"image_size": 64, "layers": 7, "width": 128, "patch_size": 8, "head_width": 64}
    if kind == "resnet":
        vision = {"image_size": 128, "layers": [1, 1, 1, 1], "width": 8}
    model = {"embed_dim": E, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text}
    return {"model_cfg": model, "preprocess_cfg": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]}}


def same_answers(model, arrays):
    """Text and image features as the authors' code gave them for these weights."""
    trace = cx.record(model, arrays["image"], arrays["tokens"], normalized=True)
    torch.testing.assert_close(trace.text_features, arrays["text_features"], **CLOSE)
    torch.testing.assert_close(trace.image_tokens(normalize=False), arrays["raw_tokens"], **CLOSE)


@pytest.mark.parametrize(
    "weights_file", ["open_clip_model.safetensors", "open_clip_pytorch_model.bin"]
)
def test_open_clip_folder(golden, tmp_path, weights_file):
    _, arrays, kind = golden
    state = (
        weights(kind) | {"visual.bn1.num_batches_tracked": torch.tensor(3)}
        if kind == "resnet"
        else weights(kind)
    )
    (save_file if weights_file.endswith("safetensors") else torch.save)(
        state, tmp_path / weights_file
    )
    (tmp_path / "open_clip_config.json").write_text(json.dumps(open_clip_config(kind)))
    # timm's, of the image tower alone
    (tmp_path / "config.json").write_text(json.dumps({"architecture": "vit_base_patch16_clip_224"}))
    save_file({"blocks.0.norm1.weight": torch.ones(2)}, tmp_path / "model.safetensors")
    model = cx.load(tmp_path)
    same_answers(model, arrays)
    assert model.preprocessor.mean == (0.4, 0.5, 0.6) and model.preprocessor.std == (0.2, 0.3, 0.4)
    assert model.provenance["file"] == weights_file


def test_open_clip_activation_is_the_configs(golden_vit, tmp_path):
    config = open_clip_config("vit")
    del config["model_cfg"]["quick_gelu"]
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    save_file(weights("vit"), tmp_path / "open_clip_model.safetensors")
    by_config, by_hand = (
        cx.load(tmp_path),
        cx.load(weights("vit"), heads=(2, 1), activation="gelu"),
    )
    image = golden_vit[1]["image"]
    assert torch.equal(by_config.encode_image(image), by_hand.encode_image(image))
    assert not torch.allclose(
        by_config.encode_image(image), golden_vit[0].encode_image(image), atol=1e-5
    )


@pytest.mark.parametrize(
    ("part", "setting"),
    [
        ("vision_cfg", {"qk_norm": True}),
        ("text_cfg", {"scale_fc": True}),
        ("text_cfg", {"pool_type": "first"}),
        ("vision_cfg", {"attentional_pool": "parallel"}),
        ("vision_cfg", {"pool_type": "none"}),
    ],
)
def test_open_clip_towers_that_are_not_clips_own_are_named(tmp_path, part, setting):
    config = open_clip_config("vit")
    config["model_cfg"][part] |= setting
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    save_file(weights("vit"), tmp_path / "open_clip_model.safetensors")
    with pytest.raises(ValueError, match=f"asks for {part}.{next(iter(setting))}="):
        cx.load(tmp_path)


@pytest.mark.parametrize(
    ("kind", "part", "setting", "message"),
    [
        (
            "vit",
            "vision_cfg",
            {"head_width": 256},
            "head_width=256, but the attention it is a part of is only 128 wide",
        ),
        (
            "resnet",
            "vision_cfg",
            {"head_width": 512},
            "head_width=512, but the attention it is a part of is only 256 wide",
        ),
        (
            "vit",
            "vision_cfg",
            {"mlp_ratio": 0},
            "mlp_ratio=0, but a number above 0 and at most 64 is expected",
        ),
        (
            "vit",
            "text_cfg",
            {"mlp_ratio": 65},
            "mlp_ratio=65, but a number above 0 and at most 64 is expected",
        ),
    ],
)
def test_open_clip_sizes_that_cannot_be(tmp_path, kind, part, setting, message):
    config = open_clip_config(kind)
    config["model_cfg"][part] |= setting
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    save_file(weights(kind), tmp_path / "open_clip_model.safetensors")
    with pytest.raises(ValueError, match=f"open_clip_config.json gives {message}"):
        cx.load(tmp_path)


def test_open_clip_colours_that_are_a_list(tmp_path):
    (tmp_path / "open_clip_config.json").write_text(
        json.dumps(open_clip_config("vit") | {"preprocess_cfg": [1]})
    )
    save_file(weights("vit"), tmp_path / "open_clip_model.safetensors")
    with pytest.raises(
        ValueError,
        match=r"preprocess_cfg of .*open_clip_config.json must be an object, but is '\[1\]'",
    ):
        cx.load(tmp_path)


@pytest.mark.parametrize(
    "form", ["safetensors", "pt", "bin", "training checkpoint", "float16", "bfloat16"]
)
def test_state_dicts(golden, tmp_path, form):
    model, arrays, kind = golden
    state, file = weights(kind), tmp_path / f"x.{form if form in ('pt', 'bin') else 'safetensors'}"
    if form == "training checkpoint":
        file = tmp_path / "epoch_3.pt"
        torch.save(
            {
                "epoch": 3,
                "state_dict": {f"module.{name}": tensor for name, tensor in state.items()},
                "optimizer": {},
            },
            file,
        )
    elif form in ("pt", "bin"):
        torch.save(state, file)
    else:
        save_file(
            {n: t.to(getattr(torch, form)) if "float" in form else t for n, t in state.items()},
            file,
        )
    loaded = cx.load(file, heads=HEADS[kind], activation="quick_gelu")
    if "float" in form:
        assert (
            loaded.dtype == torch.float32
            and (loaded.encode_image(arrays["image"]) - model.encode_image(arrays["image"]))
            .abs()
            .max()
            < 0.05
        )
    else:
        same_answers(loaded, arrays)


# --- OpenAI's archives
#
# ----------------------------------------------------------------------


def grow(root, name, tensor):
    """Put a tensor into a tree of modules under its dotted name."""
    *path, last = name.split(".")
    for part in path:
        if part not in dict(root.named_children()):
            root.add_module(part, nn.Module())
        root = getattr(root, part)
    root.register_parameter(
        last, nn.Parameter(tensor, requires_grad=False)
    ) if tensor.is_floating_point() else root.register_buffer(last, tensor)


@pytest.fixture(scope="module", params=["vit", "resnet"])
def archive(request, tmp_path_factory):
    """A TorchScript archive as OpenAI's: half precision, three numbers among the tensors, a program
    that must not be missed.
    """
    root = nn.Module()
    for name, tensor in weights(request.param).items():
        grow(root, name, tensor.half())
    for name, number in (("input_resolution", 64), ("context_length", 77), ("vocab_size", 49408)):
        root.register_buffer(name, torch.tensor(number))
    file = tmp_path_factory.mktemp("archive") / "ViT-B-16.pt"
    with pytest.MonkeyPatch.context() as patch:
        # torch.jit is deprecated; OpenAI's files are what they are
        patch.setattr("warnings.warn", lambda *_, **__: None)
        torch.jit.save(torch.jit.script(root), file)
    return request.param, file


def test_long_clip_has_its_first_positions_from_one_table_and_the_rest_from_the_other(tmp_path):
    """Against the one table that its code makes of the two with masks of zeros and ones."""
    state, rng = dict(weights("vit")), torch.Generator().manual_seed(0)
    width = state["positional_embedding"].shape[1]
    own, longer = (torch.randn(40, width, generator=rng) * 0.1 for _ in range(2))
    first = (torch.arange(40) < 20).float()[:, None]
    one_table = state | {"positional_embedding": own * first + longer * (1 - first)}
    two = state | {"positional_embedding": own, "positional_embedding_res": longer}
    numbers = {n: torch.tensor(7) for n in ("input_resolution", "context_length", "vocab_size")}
    expected = cx.load(one_table | numbers)
    torch.save(two, tmp_path / "longclip.pt")
    save_file(two, tmp_path / "longclip.safetensors")
    ids = torch.randint(1, 100, (3, 40), generator=rng)
    ids[:, 0], ids[:, 35] = expected.text.vocabulary - 2, expected.text.vocabulary - 1
    for source in (two, tmp_path / "longclip.pt", tmp_path / "longclip.safetensors"):
        model = cx.load(source)
        assert model.text.context == 40
        torch.testing.assert_close(model.encode_text(ids), expected.encode_text(ids))
    live = in_open_clip("vit")
    live.positional_embedding_res = nn.Parameter(torch.randn_like(live.positional_embedding) * 0.1)
    found = cx.load(live).text.positions
    torch.testing.assert_close(found[:20], live.positional_embedding[:20])
    torch.testing.assert_close(found[20:], live.positional_embedding_res[20:])
    with pytest.raises(ValueError, match="'positional_embedding_res' is of a LongCLIP, whose"):
        cx.load(two | {"positional_embedding": own[:9]})


def test_an_archive_nobody_published_needs_trust(archive):
    with pytest.raises(
        ValueError,
        match=r"SHA-256 \w{12}…, none of the nine that OpenAI published: pass trust=True",
    ):
        cx.load(archive[1])


def test_an_archive_is_read_without_running_it(archive, request, monkeypatch):
    kind, file = archive
    for name in ("load", "_C.import_ir_module"):
        monkeypatch.setattr(
            f"torch.{'jit.' if name == 'load' else ''}{name}",
            lambda *_: pytest.fail("the program was loaded"),
        )
    model = cx.load(file, trust=True)
    expected = request.getfixturevalue(f"golden_{kind}")
    image = expected[1]["image"]
    # half precision
    assert (model.encode_image(image) - expected[0].encode_image(image)).abs().max() < 0.02
    assert model.provenance["sha256"] == untrusted.sha256_of(file) and model.dtype == torch.float32


def test_a_published_archive_is_known_by_its_hash(archive, monkeypatch):
    monkeypatch.setitem(untrusted.OPENAI_SHA256, untrusted.sha256_of(archive[1]), "ViT-B/16")
    model = cx.load(archive[1])
    assert model.name == "ViT-B/16" == model.provenance["model"]


def test_published_hashes_are_whole():
    assert len(untrusted.OPENAI_SHA256) == 9 and set(hub.SHORT_NAMES) == set(
        untrusted.OPENAI_SHA256.values()
    )
    assert all(len(digest) == 64 and int(digest, 16) for digest in untrusted.OPENAI_SHA256)


# --- transformers
#
# ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def transformers_clip():
    part = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4)
    vocabulary = json.loads((EMBEDDED / "vocab.json").read_text(encoding="utf-8"))
    text = dict(
        **part,
        vocab_size=len(vocabulary),
        max_position_embeddings=20,
        bos_token_id=vocabulary["<|startoftext|>"],
        eos_token_id=vocabulary["<|endoftext|>"],
        pad_token_id=0,
    )
    torch.manual_seed(0)
    return CLIPModel(
        CLIPConfig(
            projection_dim=32,
            text_config=text,
            vision_config=dict(**part, image_size=32, patch_size=8),
        )
    ).eval()


def embeddings(model, pixels, ids):
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=pixels)
    return out.image_embeds, out.text_embeds


def compare(theirs, ours):
    pixels, ids = (
        torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)),
        ours.tokenize(["a dog", "two cats on the grass"]),
    )
    # transformers' pooling looks for the first [end]
    ids = torch.where(ids == 0, ours.tokenizer.end, ids)
    for mine, expected in zip(
        (ours.encode_image(pixels), ours.encode_text(ids)), embeddings(theirs, pixels, ids)
    ):
        torch.testing.assert_close(mine, expected, **CLOSE)


@pytest.mark.parametrize("processor", ["as transformers writes it", "vocab.json and merges.txt"])
def test_saved_by_transformers(transformers_clip, tmp_path, processor):
    transformers_clip.save_pretrained(tmp_path)
    if processor.startswith("as"):
        CLIPTokenizer(
            vocab=str(EMBEDDED / "vocab.json"), merges=str(EMBEDDED / "merges.txt")
        ).save_pretrained(tmp_path)
        assert (tmp_path / "tokenizer.json").exists()
    else:
        for name in ("vocab.json", "merges.txt"):
            (tmp_path / name).write_bytes((EMBEDDED / name).read_bytes())
    ours = cx.load(tmp_path)
    assert ours.tokenizer.encode("an owl, twice!") == cx.load().tokenizer.encode("an owl, twice!")
    compare(transformers_clip, ours)


def test_saved_as_pytorch_model_bin(transformers_clip, tmp_path):
    transformers_clip.config.save_pretrained(tmp_path)
    torch.save(transformers_clip.state_dict(), tmp_path / "pytorch_model.bin")
    compare(transformers_clip, cx.load(tmp_path, tokenizer=str(EMBEDDED)))


def test_live_and_fine_tuned(transformers_clip):
    """A module in memory, as it is right now; it is read, not kept, not changed."""
    before = {name: tensor.clone() for name, tensor in transformers_clip.state_dict().items()}
    ours = cx.load(transformers_clip, tokenizer=cx.load().tokenizer)
    compare(transformers_clip, ours)
    assert all(
        torch.equal(tensor, before[name]) for name, tensor in transformers_clip.state_dict().items()
    )
    assert all(parameter.requires_grad for parameter in transformers_clip.parameters()), (
        "still trainable"
    )
    pixels = torch.randn(1, 3, 32, 32)
    kept = ours.encode_image(pixels)
    with torch.no_grad():
        transformers_clip.visual_projection.weight.mul_(-2).add_(0.1)
    try:
        assert torch.equal(ours.encode_image(pixels), kept), "what was loaded does not follow"
        compare(transformers_clip, cx.load(transformers_clip, tokenizer=str(EMBEDDED)))
    finally:
        transformers_clip.load_state_dict(before)
    assert ours.provenance["source"] == "a module in memory" and ours.name == "CLIPModel"


compiled = partial(torch.compile, backend="eager")  # the same wrapper; inductor is not loaded
WRAPPERS = {
    "DataParallel": nn.DataParallel,  # DistributedDataParallel names things alike
    "compiled": compiled,
    "DataParallel of compiled": lambda module: nn.DataParallel(compiled(module)),
    "compiled DataParallel": lambda module: compiled(nn.DataParallel(module)),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
def test_wrapped_modules(transformers_clip, wrap):
    ours = cx.load(wrap(transformers_clip))
    assert torch.equal(ours.visual.projection, cx.load(transformers_clip).visual.projection)
    assert ours.name == "CLIPModel", "what is inside, not what is around it"


def test_modules_that_are_no_clip():
    with pytest.raises(ValueError, match="cannot read this Linear: pass transformers' CLIPModel"):
        cx.load(nn.Linear(2, 2))
    with pytest.raises(ValueError, match="this CLIP is what load returns already"):
        cx.load(cx.load())


def test_modules_without_numbers(transformers_clip):
    """On torch's meta device there are none, in quantised modules others."""
    empty = copy.deepcopy(transformers_clip).to("meta")
    with pytest.raises(ValueError, match="of this CLIPModel has no memory behind it"):
        cx.load(empty)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on its way out of torch, and still in use
        small = torch.ao.quantization.quantize_dynamic(
            copy.deepcopy(transformers_clip), {nn.Linear}, dtype=torch.qint8
        )
        with pytest.raises(ValueError, match="of this CLIPModel is a .*, as quantised modules"):
            cx.load(small)


@pytest.mark.parametrize(
    ("source", "kind", "match"),
    [
        ({}, ValueError, "it holds no plain state dict"),
        ({"a": 3}, ValueError, "it holds no plain state dict"),
        (OrderedDict(a=torch.ones(1)), ValueError, "this state dict is not a CLIP checkpoint"),
        (
            3,
            TypeError,
            "a model is a folder, a file, a name on the hub, a module or a state dict, not int",
        ),
        (b"model", TypeError, "a state dict, not bytes"),
        ([nn.Linear(2, 2)], TypeError, "a state dict, not list"),
        ("", ValueError, r"the name of the model is empty: .* or pass '\.' for this folder"),
        (" ", ValueError, "the name of the model is empty"),
        ("a" * 5000, FileNotFoundError, "no checkpoint at a{200}: pass a folder"),
        ("a\x1b[2J\0b", FileNotFoundError, r"no checkpoint at a\\x1b\[2J\\x00b: pass a folder"),
    ],
)
def test_what_is_no_model(source, kind, match):
    with pytest.raises(kind, match=match) as caught:
        cx.load(source)
    assert str(caught.value).isprintable()


def test_a_kind_of_model_that_is_a_list(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": ["clip"]}')
    with pytest.raises(ValueError, match=r"describes a \['clip'\] model, not 'clip', 'siglip'"):
        cx.load(tmp_path)


# --- open_clip's module, of which only names and attributes count
# -----------------------------------------------------------------------


def in_open_clip(kind, nested=False, **settings):
    """The golden weights in a real module of open_clip's."""
    config = open_clip_config(kind)["model_cfg"] | settings
    state = weights(kind)
    if nested:
        first = ("token_embedding", "positional_embedding", "transformer", "ln_final", "text_p")
        state = {("text." if name.startswith(first) else "") + name: t for name, t in state.items()}
    module = (open_clip.model.CustomTextCLIP if nested else open_clip.model.CLIP)(**config)
    module.load_state_dict(state, strict=kind == "vit")
    return module.eval()


@pytest.mark.parametrize("nested", [False, True])
def test_live_open_clip(golden, nested):
    _, arrays, kind = golden
    module = in_open_clip(kind, nested)
    module.visual.image_mean, module.visual.image_std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    ours = cx.load(nn.DataParallel(module))
    assert ours.preprocessor.mean == (0.1, 0.2, 0.3)
    same_answers(ours, arrays)
    gelu = cx.load(in_open_clip(kind, nested, quick_gelu=False))
    assert gelu.text.blocks[0].mlp.activation is torch.nn.functional.gelu


def test_live_openais(golden):
    """OpenAI's package keeps the mask in its blocks, and the size under another name."""
    _, arrays, kind = golden
    module = in_open_clip(kind)
    visual, side = module.visual, module.visual.image_size
    del module.attn_mask, module.text_pool_type, module.text_eos_id, module.logit_bias
    for block in module.transformer.resblocks:
        block.attn_mask = torch.full((77, 77), float("-inf")).triu_(1)
    del visual.image_size
    visual.input_resolution = side[0] if isinstance(side, tuple) else side
    for name in ("pool_type", "final_ln_after_pool", "attn_pool", "image_mean", "image_std"):
        visual.__dict__.pop(name, None)
    same_answers(cx.load(module), arrays)


def test_neither_library_is_imported(tmp_path):
    """Loading a folder, in a process of its own, with both libraries out of reach."""
    import subprocess

    blocked = (
        "for name in ('transformers', 'open_clip', 'huggingface_hub', 'tokenizers'): "
        "sys.modules[name] = None"
    )
    code = f"import sys\n{blocked}\nimport clipxai as cx\ncx.load()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


# --- what load is told
#
# ----------------------------------------------------------------------


def test_revisions_are_for_the_hub():
    with pytest.raises(
        ValueError, match="revision='main' is for models on the hub, but .* is on this disk"
    ):
        cx.load(EMBEDDED, revision="main")


def test_transformers_new_gelu_is_the_one_by_tanh():
    from transformers.activations import ACT2FN

    x = torch.linspace(-6, 6, 1001)
    torch.testing.assert_close(ACTIVATIONS[known_activation("gelu_new")](x), ACT2FN["gelu_new"](x))


def test_what_lies_beside_weights_is_told_from_them(tmp_path):
    save_file({"text_model.final_layer_norm.bias": torch.ones(4)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"model_type": "clip_text_model"}')
    with pytest.raises(ValueError, match="is a text tower alone: there is no image tower"):
        cx.load(tmp_path)
    with pytest.raises(ValueError, match="config.json holds no weights: pass its folder"):
        cx.load(tmp_path / "config.json")


def test_what_a_lone_file_does_not_say_can_be_told_to_every_command(tmp_path, capsys):
    """As the error advises."""
    save_file(weights("vit"), tmp_path / "x.safetensors")
    file, heads = str(tmp_path / "x.safetensors"), map(str, HEADS["vit"])
    told = ["--heads", *heads, "--activation", "quick_gelu"]
    for command, good in (("models", file), ("doctor", "nothing is off")):
        assert main([command, file]) != 0
        said = capsys.readouterr()
        assert "pass heads=(image, text) and activation=" in said.err + said.out
        assert main([command, file, *told]) == 0
        assert good in capsys.readouterr().out


def test_a_vocabulary_from_elsewhere(golden_vit, tmp_path):
    save_file(weights("vit"), tmp_path / "x.safetensors")
    settings = dict(heads=HEADS["vit"], activation="quick_gelu")
    with pytest.raises(FileNotFoundError, match="no vocabulary in"):
        cx.load(tmp_path / "x.safetensors", tokenizer=tmp_path, **settings)
    with pytest.raises(ValueError, match="has 919 tokens, but this model knows 600: pass the"):
        cx.load(tmp_path / "x.safetensors", tokenizer=EMBEDDED, **settings)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((EMBEDDED / name).read_bytes())
    (tmp_path / "x.safetensors").unlink()
    assert cx.load(tmp_path).tokenizer is None
    tower = hf.CLIPVisionModel(
        hf.CLIPVisionConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=2)
    )
    with pytest.raises(ValueError, match="does nothing: this model has no text tower"):
        cx.load(tower, tokenizer=EMBEDDED)
    for there in (EMBEDDED, cx.load().tokenizer):
        assert isinstance(cx.load(tmp_path, tokenizer=there).tokenizer, Tokenizer)


def test_a_file_that_changes_later_does_not_change_the_model(tmp_path):
    state = load_file(EMBEDDED / "model.safetensors")
    for name in ("config.json", "vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((EMBEDDED / name).read_bytes())
    save_file(
        {name: tensor.float() for name, tensor in state.items()}, tmp_path / "model.safetensors"
    )
    model = cx.load(tmp_path)
    before = model.visual.projection.clone()
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.truncate(100)
    assert torch.equal(model.visual.projection, before)
