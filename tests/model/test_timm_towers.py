"""EVA, PE and timm's plain ViTs inside open_clip, built small by open_clip itself with random
weights: as towers of ours they give the same features, and what is found inside is what timm's own
modules do when they are hooked, not fused, and rewritten by hand.
"""

import copy
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from libraries import timm
from test_open_clip import CONFIGS, built, ids_of, same, written
from timm.layers import apply_rot_embed_cat

import clipxai as cx
from clipxai.explainers.presets import PRESETS
from clipxai.explainers.table import METHODS
from clipxai.model.files.saving import save_folder
from clipxai.model.towers.hosted import HostedImageTower
from clipxai.model.towers.perception import PooledByHead
from clipxai.trace.readout import FixedReadout, head_vectors

CLOSE = dict(rtol=0, atol=1e-4)
NAMES = [name for name in CONFIGS if name.startswith(("EVA", "PE-", "vit_medium_patch16_gap"))]
GATHERING = [name for name in NAMES if name.startswith("EVA")]
KINDS = ["EVA01-g-14", "EVA02-B-16", "EVA02-E-14", "PE-Core-B-16", "PE-Core-bigG-14-448"]
KINDS += ["vit_medium_patch16_gap_256"]
HOSTED = {"timm_model_name": "vit_base_mci_224", "timm_pool": ""}
FEW = {"redundant": "labels", "blocks": 2, "steps": 2}  # of what methods may be told


@pytest.fixture(autouse=True)
def small_trunks(monkeypatch):
    """timm's models with the parts of their names, but few blocks, narrow, and an oblong grid."""
    create = timm.create_model

    def small(name, **options):
        patch = 14 if "patch14" in name else 16
        sizes = {"depth": 3, "img_size": (3 * patch, 5 * patch)}
        if "mci" not in name:  # whose convolutions have their own width
            sizes |= {"embed_dim": 64, "num_heads": 4}
        return create(name, **sizes | options)

    monkeypatch.setattr(timm, "create_model", small)


def of(name, **vision):
    """open_clip's module of a config, and the config; its attention is far from uniform."""
    config = copy.deepcopy(CONFIGS[name])
    config["vision_cfg"] |= vision
    config["text_cfg"] |= {"layers": 1, "width": 32, "heads": 4, "vocab_size": 300}
    config["embed_dim"] = 48
    module = built(config)
    size = module.visual.trunk.patch_embed.img_size
    module.visual.image_size, config["vision_cfg"]["image_size"] = size, list(size)
    with torch.no_grad():
        for weight in module.visual.trunk.parameters():
            weight.add_(torch.randn_like(weight) * 0.2)
    return module, config


def traced(name, **vision):
    """The same module, our model of it, and a trace of two images."""
    module, config = of(name, **vision)
    ours = cx.load(module)
    pixels = torch.randn(2, 3, *ours.visual.image_size)
    return module, cx.record(ours, pixels, ids_of(module, config), normalized=True)


@pytest.mark.parametrize("name", NAMES)
def test_features_live_and_from_a_folder(name, tmp_path):
    assert len(NAMES) == 13
    module, config = of(name)
    ours = cx.load(module)
    assert "blocks" in ours.visual.has and not ours.visual.one_size
    same(module, config, ours)
    same(module, config, cx.load(written(module, config, tmp_path)))
    pixels = torch.randn(2, 3, *ours.visual.image_size)
    features = ours.encode_image(pixels)
    for block in ours.visual.blocks:
        block.rotary = None
    turned = name.startswith(("EVA02-B", "EVA02-L", "PE"))
    moved = (ours.encode_image(pixels) - features).abs().max()
    assert moved > 1e-3 if turned else moved == 0, "positions that turn matter to this test"


def test_a_folder_is_read_without_a_module_of_its_size(tmp_path, monkeypatch):
    """open_clip builds one without memory; one that is hosted has some. Both need open_clip."""
    devices = []
    load = torch.nn.Module.load_state_dict

    def noted(module, *given, **options):
        devices.append(type(module).__module__.split(".")[0])
        return load(module, *given, **options)

    for name, changed in (("EVA02-B-16", {}), ("EVA02-B-16", HOSTED)):
        devices.clear()
        module, config = of(name, **changed)
        folder = tmp_path / str(len(changed))
        folder.mkdir()
        written(module, config, folder)
        with monkeypatch.context() as patched:
            patched.setattr(torch.nn.Module, "load_state_dict", noted)
            cx.load(folder)
        assert ("open_clip" in devices) == bool(changed)
    monkeypatch.setitem(__import__("sys").modules, "open_clip.model", None)
    with pytest.raises(ImportError, match=r"pip install 'clipxai\[zoo\]'"):
        cx.load(tmp_path / "0")


@pytest.mark.parametrize(
    ("model", "vision"),
    [
        ("vit_base_patch16_clip_224", {"timm_pool": "token"}),  # a norm before the blocks
        ("vit_base_patch16_224", {"timm_pool": "avg"}),
        ("vit_base_patch16_siglip_224", {"timm_pool": "map"}),
        ("deit3_small_patch16_224", {"timm_pool": "token"}),  # its class token has no position
        ("eva02_base_patch14_224", {"timm_pool": "avg"}),  # a norm in the FFN only
        ("eva02_base_patch14_224", {"timm_pool": "token"}),
        ("vit_medium_patch16_rope_reg1_gap_256", {"timm_pool": "avg"}),  # no learned positions
        ("vit_small_patch16_dinov3", {"timm_pool": "token"}),
        ("vit_small_plus_patch16_dinov3_qkvb", {"timm_pool": "avg"}),  # gated, and biases
        ("vit_medium_patch16_reg1_gap_256", {"timm_pool": "avg"}),  # a register alone
        ("vit_medium_patch16_reg4_gap_256", {"timm_pool": "avg"}),
        ("vit_small_patch14_reg4_dinov2", {"timm_pool": "token"}),
        ("vit_small_patch14_reg4_dinov2", {"timm_pool": "avg"}),
        ("vit_base_mci_224", {}),  # hosted: MobileCLIP-B's convolutions
    ],
)
def test_other_vision_transformers_of_timm(model, vision):
    module, config = of("vit_medium_patch16_gap_256", timm_model_name=model, **vision)
    ours = cx.load(module)
    assert isinstance(ours.visual, HostedImageTower) == (not vision)
    pixels = torch.randn(2, 3, *ours.visual.image_size)
    same(module, config, ours, pixels)


@torch.no_grad()
def watched(module, pixels):
    """What timm's trunk did: of every block the stream entering, the attention weights, what
    attention and FFN added; and the last stream.
    """
    trunk, seen, hooks = module.visual.trunk, [], []
    for block in trunk.blocks:
        at = {}
        seen.append(at)
        block.attn.fused_attn = False

        def keep(module, given, out, at=at, name=None):
            at[name] = out.clone()

        def enter(module, given, at=at):
            at["residual"] = given[0].clone()

        behind = type(block).__name__ == "EvaBlockPostNorm"
        attention = block.norm1 if behind else getattr(block, "ls1", block.attn)
        ffn = block.norm2 if behind else getattr(block, "ls2", block.mlp)
        hooks += [block.register_forward_pre_hook(enter)]
        for name, part in (("weights", block.attn.attn_drop), ("attention", attention)):
            hooks += [part.register_forward_hook(partial(keep, name=name))]
        hooks += [ffn.register_forward_hook(partial(keep, name="ffn"))]
    hooks += [trunk.blocks[-1].register_forward_hook(lambda m, g, out: seen.append(out))]
    trunk(pixels)
    for hook in hooks:
        hook.remove()
    return seen[:-1], seen[-1]


@pytest.mark.parametrize("name", KINDS)
def test_what_happens_inside_is_what_timms_modules_do(name):
    module, trace = traced(name)
    seen, stream = watched(module, trace.pixels)
    torch.testing.assert_close(trace.stream, stream, **CLOSE)
    for layer, at in enumerate(seen):
        torch.testing.assert_close(trace.attention(layer), at["weights"], **CLOSE)
        torch.testing.assert_close(trace.residual(layer), at["residual"], **CLOSE)
        torch.testing.assert_close(trace.attention_output(layer), at["attention"], **CLOSE)
        torch.testing.assert_close(trace.ffn_output(layer), at["ffn"], **CLOSE)
        assert at["weights"].std(-1).max() > 0.05, "no uniform attention"


@pytest.mark.parametrize("name", GATHERING)
def test_parts_add_up_and_heads_to_their_attention(name):
    """To timm's cosine; and every layer's heads to what timm's attention brought the class
    token."""
    module, trace = traced(name)
    texts = trace.text_features
    with torch.no_grad():
        cosine = module.encode_image(trace.pixels, normalize=True) @ texts.T
    readout = FixedReadout.of(trace, slice(1))
    seen, _ = watched(module, trace.pixels)
    for image in (0, 1):
        found = cx.head_contributions(trace, image)
        total = found.heads.sum((0, 1, 3)) + found.attention_bias.sum(0) + found.ffn.sum(0)
        total = total + found.embedding + found.norm_bias
        torch.testing.assert_close(torch.from_numpy(total), cosine[image], **CLOSE)
        parts = cx.contributions(trace, image)
        total = parts.attention.sum(0) + parts.ffn.sum(0) + parts.embedding + parts.bias
        torch.testing.assert_close(torch.from_numpy(total[:, 0]), cosine[image], **CLOSE)
        assert abs(total - parts.similarity).max() < 1e-4  # of every patch as well
        for layer, at in enumerate(seen):
            whole = readout.share(at["attention"][:, :1], texts)[image, 0]
            ours = found.heads[layer].sum((0, 2)) + found.attention_bias[layer]
            torch.testing.assert_close(torch.from_numpy(ours), whole, **CLOSE)
            vectors = head_vectors(trace, layer)[image] @ texts.T / readout.length[image]
            by_head = torch.from_numpy(found.heads[layer].sum(-1))
            torch.testing.assert_close(vectors, by_head, **CLOSE)


def their_heads(block, rope, stream):
    """Queries, keys and values of timm's attention, turned by timm's own function."""
    attn = block.attn
    x = stream if type(block).__name__ == "EvaBlockPostNorm" else block.norm1(stream)
    if attn.qkv is None:
        parts = [attn.q_proj(x), attn.k_proj(x), attn.v_proj(x)]
    else:
        parts = list(attn.qkv(x).chunk(3, dim=-1))
        if getattr(attn, "q_bias", None) is not None:
            parts[0], parts[2] = parts[0] + attn.q_bias, parts[2] + attn.v_bias
    q, k, v = (part.unflatten(-1, (attn.num_heads, -1)).transpose(1, 2) for part in parts)
    if rope is not None:
        n, angles = attn.num_prefix_tokens, rope.get_embed()
        q, k = (
            torch.cat([part[:, :, :n], apply_rot_embed_cat(part[:, :, n:], angles)], dim=2)
            for part in (q, k)
        )
    return x, q, k, v


def alike(kind, x, q, k, v):
    """Attention weights of a rewriting, of heads (B, H, N, d)."""
    d = q.shape[-1]
    if kind == "gem":
        sharp = x.norm(dim=-1).mean(-1).view(-1, 1, 1, 1) / d**0.5
        found = []
        for part in (q, k, v):
            unit = F.normalize(part, dim=-1)
            unit = F.normalize((sharp * unit @ unit.mT).softmax(-1) @ unit, dim=-1)
            found.append((sharp * unit @ unit.mT).softmax(-1))
        return sum(found) / 3
    letters = {"q": q, "k": k, "v": v}
    pairs = kind.split("+")
    return sum((letters[a] @ letters[b].mT / d**0.5).softmax(-1) for a, b in pairs)


@torch.no_grad()
def rewritten(module, pixels, kind, blocks):
    """The dual path by hand: timm's attention modules on the original streams, their weights
    replaced through a hook; the patches' sum read out by timm's own head, one by one.
    """
    trunk = module.visual.trunk
    seen, _ = watched(module, pixels)
    z = seen[-blocks]["residual"]
    rope = getattr(trunk, "rope", None)
    for block, at in list(zip(trunk.blocks, seen))[-blocks:]:
        x, *heads = their_heads(block, rope, at["residual"])
        weights = alike(kind, x, *heads)
        hook = block.attn.attn_drop.register_forward_hook(lambda m, g, out, w=weights: w)
        added = block.attn(x) if rope is None else block.attn(x, rope=rope.get_embed())
        hook.remove()
        behind = type(block).__name__ == "EvaBlockPostNorm"
        z = z + (block.norm1(added) if behind else getattr(block, "ls1", lambda y: y)(added))
    patches = z[:, trunk.num_prefix_tokens :]
    alone = trunk.forward_head(trunk.norm(patches.flatten(0, 1)[:, None]))
    return module.visual.head(alone).unflatten(0, patches.shape[:2])


@pytest.mark.parametrize("name", KINDS)
def test_surgery_is_that_of_hooks_on_timms_modules(name):
    module, trace = traced(name)
    by_hand = F.normalize(rewritten(module, trace.pixels, "vv", 2), dim=-1)
    with torch.no_grad():
        image = module.encode_image(trace.pixels, normalize=True)
    texts = trace.text_features
    weight = (2.0 * image @ texts.T).softmax(-1)
    weight = (weight / weight.mean(-1, keepdim=True))[:, None]
    weighted = by_hand @ texts.T * weight
    scores = weighted - weighted.mean(-1, keepdim=True)
    for number in (0, 1):
        options = {"redundant": "labels", "blocks": 2}
        found = cx.explain(trace, "clip_surgery", image=number, **options).scores
        expected = scores[number].T.unflatten(1, trace.grid)
        torch.testing.assert_close(torch.tensor(found), expected, **CLOSE)


@pytest.mark.parametrize("kind", ["vv", "qq", "kk", "qq+kk", "qk", "gem"])
@pytest.mark.parametrize("name", ["EVA02-B-16", "EVA02-E-14", "PE-Core-B-16"])
def test_every_kind_of_attention(name, kind):
    """Queries and keys are compared as the model compares them: turned. Values never are."""
    module, trace = traced(name)
    by_hand = F.normalize(rewritten(module, trace.pixels, kind, 2), dim=-1)
    change = cx.Rewrite(attention=kind, blocks=2, iterations=1)
    ours = F.normalize(cx.rewrite(trace, change)[:, 1:], dim=-1)
    torch.testing.assert_close(ours, by_hand, **CLOSE)


@pytest.mark.parametrize("name", ["EVA01-g-14", "EVA02-B-16", "EVA02-E-14"])
def test_legrad_is_the_gradient_by_timms_attention_weights(name):
    module, trace = traced(name)
    trunk, text = module.visual.trunk, trace.text_features[1]
    rope, by_layer = getattr(trunk, "rope", None), []
    seen, _ = watched(module, trace.pixels)
    for block, at in zip(trunk.blocks, seen):
        leaf = at["weights"].clone().requires_grad_()
        hook = block.attn.attn_drop.register_forward_hook(lambda m, g, out, leaf=leaf: leaf)
        stream = block(at["residual"], rope=rope and rope.get_embed())
        hook.remove()
        feature = module.visual.head(trunk.head(trunk.norm(stream.mean(1))))
        score = (F.normalize(feature, dim=-1) @ text).sum()
        (slope,) = torch.autograd.grad(score, leaf)
        by_layer.append(slope.clamp(min=0).mean((1, 2)))
    expected = torch.stack(by_layer).mean(0)[0, 1:].unflatten(0, trace.grid)
    found = torch.tensor(cx.explain(trace, "legrad", image=0).scores[1])
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("name", KINDS)
def test_whatever_a_tower_of_its_capabilities_is_asked(name):
    _, trace = traced(name)
    assert isinstance(trace.model.visual, PooledByHead) == name.startswith("PE")
    asked = [method for method, row in METHODS.items() if row.works_on(trace.model)]
    assert {"clip_surgery", "gem", "sclip", "maskclip"} <= {*asked}
    assert {"decomposition", "legrad", "rollout", "attention"} <= {*asked}
    assert ({"resclip", "grad_eclip"} <= {*asked}) == (name in GATHERING)
    for method in asked:
        row = METHODS[method]
        options = {name: value for name, value in FEW.items() if name in row.options}
        if row.preset and PRESETS[row.preset].blocks < 2:  # one block by default
            del options["blocks"]
        scores = cx.explain(trace, method, image=0, **options).scores
        assert scores.shape == (2, *trace.grid) and scores.std() > 0
    if name not in GATHERING:
        assert cx.head_contributions(trace).residual < 1e-4
        return
    rows = cx.attention_maps(trace).class_rows["qk"]
    looked = torch.stack([trace.attention(layer)[0, :, 0] for layer in range(3)])
    torch.testing.assert_close(torch.tensor(rows), looked, **CLOSE)


def changed(module, change):
    """One part of a live module made another."""
    trunk = module.visual.trunk
    attn = trunk.blocks[0].attn
    if change == "norms queries and keys":
        attn.q_norm = torch.nn.LayerNorm(attn.head_dim)
    elif change == "angles":
        trunk.rope.pos_embed.mul_(0.5)
    elif change == "blocks differ":
        trunk.blocks[1].mlp.act = torch.nn.GELU()
    elif change == "different eps":
        trunk.blocks[1].norm2.eps = 0.1
    elif change == "RMSNorm":
        trunk.norm = torch.nn.RMSNorm(64)
    elif change == "as sharp":
        attn.scale = 1.0
    elif change == "ReLU":
        for block in trunk.blocks:
            block.mlp.act = torch.nn.ReLU()


@pytest.mark.parametrize(
    "change",
    ["norms queries and keys", "angles", "blocks differ", "different eps", "RMSNorm", "as sharp"]
    + ["ReLU"],
)
def test_what_ours_have_not_is_hosted_with_the_reason(change):
    """And gives the features that the changed module gives."""
    module, config = of("EVA02-B-16")
    changed(module, change)
    ours = cx.load(module)
    pixels = torch.randn(2, 3, *ours.visual.image_size)
    same(module, config, ours, pixels)
    trace = cx.record(ours, pixels, ids_of(module, config), normalized=True)
    with pytest.raises(ValueError, match=change):
        cx.explain(trace, "gem")


def test_a_module_that_was_changed_is_read_as_it_is():
    module, config = of("EVA02-B-16")
    before = cx.load(module)
    pixels = torch.randn(2, 3, *before.visual.image_size)
    for part in module.visual.trunk.modules():
        if isinstance(part, torch.nn.LayerNorm):
            part.eps = 0.5
    ours = cx.load(module)
    same(module, config, ours, pixels)
    assert "blocks" in ours.visual.has
    assert (ours.encode_image(pixels) - before.encode_image(pixels)).abs().max() > 1e-3


@pytest.mark.parametrize("name", ["EVA02-B-16", "PE-Core-B-16"])
def test_other_sizes_are_turned_as_timm_turns_them(name):
    module, _ = of(name)
    rope, rotary = module.visual.trunk.rope, cx.load(module).visual.blocks[0].rotary
    for grid in ((3, 5), (7, 4), (24, 24)):
        rope.update_feat_shape(grid)
        sine, cosine = rope.get_embed().chunk(2, dim=-1)
        angles = rotary.angles(grid, 16)
        torch.testing.assert_close(angles.sin(), sine, **CLOSE)
        torch.testing.assert_close(angles.cos(), cosine, **CLOSE)


def test_rotary_positions_in_any_mode_and_precision():
    """What is remembered of a pass in inference mode does not stop gradients later."""
    module, config = of("EVA02-B-16")
    ours, half = cx.load(module), cx.load(module, dtype=torch.bfloat16)
    pixels = torch.randn(1, 3, *ours.visual.image_size)
    with torch.inference_mode():
        trace = cx.record(ours, pixels, ids_of(module, config), normalized=True)
    scores = cx.explain(trace, "bimodal").scores
    again = cx.record(cx.load(module), pixels, ids_of(module, config), normalized=True)
    assert (cx.explain(again, "bimodal").scores == scores).all()
    alike = F.cosine_similarity(half.encode_image(pixels), ours.encode_image(pixels))
    assert alike > 0.999
    with pytest.raises(ValueError, match="rotary"):
        ours.visual.embed(pixels, keep=torch.zeros(1, 2, dtype=torch.long))
    with pytest.raises(ValueError, match="grid"):
        ours.visual.blocks[0](trace.residual(0))


@pytest.mark.parametrize("name", ["EVA01-g-14", "EVA02-B-16", "EVA02-E-14"])
def test_hugging_faces_layout_has_no_place_for_them(name, tmp_path):
    ours = cx.load()
    ours.visual = cx.load(of(name)[0]).visual
    with pytest.raises(ValueError, match="has parts that Hugging Face's CLIP has not"):
        save_folder(ours, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("name", ["EVA01-g-14", "EVA02-B-16", "EVA02-E-14"])
def test_a_head_taken_out_is_one_whose_weights_are_zero_in_timms_module(name):
    module, trace = traced(name)
    without = cx.ablate(trace, heads={1: 2})

    def silent(part, given, weights):
        weights = weights.clone()
        weights[:, 2] = 0
        return weights

    attn = module.visual.trunk.blocks[1].attn
    attn.fused_attn = False
    attn.attn_drop.register_forward_hook(silent)
    with torch.no_grad():
        features = module.encode_image(trace.pixels, normalize=True)
    torch.testing.assert_close(without.image_features, features, **CLOSE)
    assert (without.image_features - trace.image_features).abs().max() > 1e-3
    for image in (0, 1):
        found = cx.head_contributions(without, image)
        total = found.heads.sum((0, 1, 3)) + found.attention_bias.sum(0) + found.ffn.sum(0)
        total = total + found.embedding + found.norm_bias
        cosine = features[image] @ trace.text_features.T
        torch.testing.assert_close(torch.from_numpy(total), cosine, **CLOSE)
        assert not found.heads[1, 2].any()
