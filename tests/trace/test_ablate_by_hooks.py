"""The second route of every edit: forward hooks on transformers' models with the same weights."""

import pytest
import torch
from transformers import CLIPConfig, CLIPModel, SiglipConfig, SiglipModel

import clipxai as cx

SMALL = dict(hidden_size=64, intermediate_size=96, num_hidden_layers=4, num_attention_heads=4)
LAYER, HEADS, WIDTH = 2, (1, 3), 16
CLOSE = dict(rtol=0, atol=1e-5)
IDS = torch.tensor([[0, 5, 9, 33, 61, 62], [0, 8, 7, 21, 17, 62]])


@pytest.fixture(scope="module", params=["clip", "siglip"])
def pair(request, tmp_path_factory):
    """(transformers' model, ours loaded from what it saved, trace of two images and two texts)."""
    image = dict(**SMALL, image_size=32, patch_size=8)
    torch.manual_seed(0)
    if request.param == "clip":
        ends = dict(bos_token_id=0, eos_token_id=62, pad_token_id=1)
        text = dict(**SMALL, vocab_size=63, max_position_embeddings=6, **ends)
        theirs = CLIPModel(CLIPConfig(text_config=text, vision_config=image, projection_dim=32))
    else:
        text = dict(**SMALL, vocab_size=63, max_position_embeddings=6, projection_size=64)
        theirs = SiglipModel(SiglipConfig(text_config=text, vision_config=image))
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            if name.endswith("bias") or "position_embedding" in name or "probe" in name:
                parameter.normal_(std=0.2)
    folder = tmp_path_factory.mktemp(request.param)
    theirs.eval().save_pretrained(folder)
    ours = cx.load(folder)
    pixels = torch.randn(2, 3, 32, 32)
    return theirs, ours, cx.record(ours, pixels, IDS, normalized=True)


def part(theirs, tower, layer=LAYER):
    model = theirs.vision_model if tower == "image" else theirs.text_model
    return model.encoder.layers[layer]


def features(theirs, trace, tower):
    """Unit features of transformers' own forward pass."""
    with torch.no_grad():
        found = theirs(input_ids=IDS, pixel_values=trace.pixels)
    return found.image_embeds if tower == "image" else found.text_embeds


def hooked(theirs, trace, tower, *hooks):
    found = features(theirs, trace, tower)
    for hook in hooks:
        hook.remove()
    return found


def of(trace, tower):
    return trace.image_features if tower == "image" else trace.text_features


def heads_become(new):
    """A hook before the output projection, where heads (B, N, H d) stand side by side."""

    def hook(module, given):
        (read,) = given
        read = read.clone()
        for head in HEADS:
            at = slice(WIDTH * head, WIDTH * head + WIDTH)
            read[..., at] = new(read[..., at], head)
        return (read,)

    return hook


TOWERS = pytest.mark.parametrize("tower", ["image", "text"])


@TOWERS
def test_heads(pair, tower):
    theirs, _, trace = pair
    assert not torch.allclose(
        of(cx.ablate(trace, heads={LAYER: HEADS}, tower=tower), tower), of(trace, tower), atol=1e-3
    )
    for to, new in {
        "zero": lambda read, head: 0 * read,
        "mean": lambda read, head: read.mean(1, keepdim=True),
    }.items():
        hook = part(theirs, tower).self_attn.out_proj.register_forward_pre_hook(heads_become(new))
        expected = hooked(theirs, trace, tower, hook)
        found = cx.ablate(trace, heads={LAYER: HEADS}, tower=tower, to=to)
        torch.testing.assert_close(of(found, tower), expected, **CLOSE)


@TOWERS
@pytest.mark.parametrize("tokens", [None, [0, 3]])
def test_heads_of_another_pass(pair, tower, tokens):
    theirs, ours, trace = pair
    other = another(ours)
    kept = []
    hook = part(theirs, tower).self_attn.out_proj.register_forward_pre_hook(
        lambda module, given: kept.append(given[0])
    )
    with torch.no_grad():
        theirs(input_ids=other.token_ids, pixel_values=other.pixels)
    hook.remove()

    def new(read, head):
        there = kept[0][..., WIDTH * head : WIDTH * head + WIDTH]
        at = torch.zeros(read.shape[1], dtype=torch.bool)
        at[slice(None) if tokens is None else tokens] = True
        return torch.where(at[:, None], there, read)

    hook = part(theirs, tower).self_attn.out_proj.register_forward_pre_hook(heads_become(new))
    expected = hooked(theirs, trace, tower, hook)
    found = cx.patch(trace, other, "head", layer=LAYER, heads=HEADS, tokens=tokens, tower=tower)
    torch.testing.assert_close(of(found, tower), expected, **CLOSE)


def another(ours):
    pixels = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    return cx.record(ours, pixels, IDS.flip(0), normalized=True)


@TOWERS
@pytest.mark.parametrize("what", ["attention", "ffn", "residual"])
def test_modules_of_another_pass(pair, tower, what):
    theirs, ours, trace = pair
    other, tokens, kept = another(ours), [0, 2, 5], []

    def out(given):
        return given[0] if isinstance(given, tuple) else given

    def put(tensor):
        changed = out(tensor).clone()
        changed[:, tokens] = kept[0][:, tokens]
        return (changed, *tensor[1:]) if isinstance(tensor, tuple) else changed

    def register(hook):
        block = part(theirs, tower)
        if what == "residual":
            return block.register_forward_pre_hook(lambda module, given: hook(given))
        module = block.self_attn if what == "attention" else block.mlp
        return module.register_forward_hook(lambda module, given, told: hook(told))

    keeping = register(lambda told: kept.append(out(told)))
    with torch.no_grad():
        theirs(input_ids=other.token_ids, pixel_values=other.pixels)
    keeping.remove()
    expected = hooked(theirs, trace, tower, register(put))
    found = cx.patch(trace, other, what, layer=LAYER, tokens=tokens, tower=tower)
    torch.testing.assert_close(of(found, tower), expected, **CLOSE)


@TOWERS
def test_modules_taken_out(pair, tower):
    theirs, _, trace = pair
    block = part(theirs, tower)
    ffn = block.mlp.register_forward_hook(lambda module, given, told: 0 * told)
    expected = hooked(theirs, trace, tower, ffn)
    found = cx.ablate(trace, ffns=[LAYER], tower=tower)
    torch.testing.assert_close(of(found, tower), expected, **CLOSE)
    whole = block.register_forward_hook(
        lambda module, given, told: (given[0], *told[1:]) if isinstance(told, tuple) else given[0]
    )
    expected = hooked(theirs, trace, tower, whole)
    found = cx.ablate(trace, blocks=[LAYER], tower=tower)
    torch.testing.assert_close(of(found, tower), expected, **CLOSE)


@TOWERS
def test_knocked_out_looks(pair, tower):
    theirs, _, trace = pair
    N = trace.stream.shape[1] if tower == "image" else 6
    mask = torch.rand(N, N, generator=torch.Generator().manual_seed(1)) < 0.4
    mask.fill_diagonal_(False)
    told = torch.zeros(1, 1, N, N).masked_fill(mask, float("-inf"))
    if tower == "text" and trace.model.text.causal:
        told = told.masked_fill(torch.ones(N, N).triu(1).bool(), float("-inf"))

    def hook(module, given, named):
        return given, {**named, "attention_mask": told, "is_causal": False}

    attention = part(theirs, tower).self_attn
    expected = hooked(
        theirs, trace, tower, attention.register_forward_pre_hook(hook, with_kwargs=True)
    )
    found = cx.ablate(trace, mask={LAYER: mask}, tower=tower)
    torch.testing.assert_close(of(found, tower), expected, **CLOSE)
    assert not torch.allclose(of(found, tower), of(trace, tower), atol=1e-3)


def test_patches(pair):
    theirs, _, trace = pair
    before = trace.stream.shape[1] - 16
    for to in ("zero", "mean"):

        def hook(module, given, to=to):
            stream = given[0].clone()
            others = [n for n in range(before, before + 16) if n - before not in (2, 7)]
            new = 0 if to == "zero" else stream[:, others].mean(1, keepdim=True)
            stream[:, [before + 2, before + 7]] = new
            return (stream, *given[1:])

        hook = part(theirs, "image", 1).register_forward_pre_hook(hook)
        expected = hooked(theirs, trace, "image", hook)
        found = cx.ablate(trace, patches=[2, 7], layer=1, to=to)
        torch.testing.assert_close(of(found, "image"), expected, **CLOSE)
