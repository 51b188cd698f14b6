"""Attention whose rows behave like a CLIP's, made with numpy alone: smooth over the image, peaked,
with tokens that get too much.
"""

import numpy as np
from view_examples import SCENE

from clipxai.results.explanation import Grid
from clipxai.results.findings import AttentionMaps, Picture


def attention_example(
    layers: int = 3,
    heads: int = 2,
    grid: tuple[int, int] = (5, 6),
    kinds: tuple[str, ...] = ("qk", "vv"),
    sinks: tuple[int, ...] = (),
    seed: int = 0,
    model: str = "a model",
    image: np.ndarray = SCENE.image,
    headed: tuple[int, ...] = (),
    whole: str = "[class]",
) -> AttentionMaps:
    """Attention maps of the owl and the clock, with all heads of some layers; every head compares
    features that vary smoothly. With a `whole` of "[pool]" or "[mean]" there is no class token.
    """
    rng = np.random.default_rng(seed)
    N, places = (
        1 + grid[0] * grid[1],
        np.stack(np.meshgrid(np.arange(grid[0]), np.arange(grid[1]), indexing="ij"), -1).reshape(
            -1, 2
        ),
    )
    apart = np.linalg.norm(places[:, None] - places[None], axis=-1)
    smooth = np.exp(-((apart / 1.5) ** 2))
    smooth /= np.linalg.norm(smooth, axis=1, keepdims=True)
    # each L H N N
    weights = {
        kind: np.stack([_layer(rng, smooth, heads, sinks, kind) for _ in range(layers)])
        for kind in kinds
    }
    pool = None
    if whole != "[class]":
        raw = np.exp(rng.standard_normal((2 if whole == "[pool]" else 1, N - 1)))
        pool = (
            raw / raw.sum(-1, keepdims=True)
            if whole == "[pool]"
            else np.full_like(raw, 1 / (N - 1))
        )
        for values in weights.values():
            values[..., 0] = 0
            values /= values.sum(-1, keepdims=True)
            values[..., 0, :] = pool.mean(0) @ values[..., 1:, :]
    first = weights[kinds[0]]
    rollout, rolled = [], np.eye(N)
    for layer in range(layers):
        rolled = (first[layer].mean(0) + np.eye(N)) / 2 @ rolled
        rollout.append(rolled[0] if pool is None else pool.mean(0) @ rolled[1:])
    H, W = image.shape[:2]
    return AttentionMaps(
        Picture(image, Grid(*grid, (H, W), (0, 0, H, W)), {"model": model}),
        {kind: values.mean(1).astype(np.float32) for kind, values in weights.items()},
        {kind: values[:, :, 0].astype(np.float32) for kind, values in weights.items()},
        entropy=-(first * np.log2(first + (first == 0))).sum(-1).mean(-1).astype(np.float32),
        distance=(
            (first[:, :, 1:, 1:] * apart).sum((-1, -2)) / first[:, :, 1:, 1:].sum((-1, -2))
        ).astype(np.float32),
        on_class=first[:, :, 1:, 0].mean(-1).astype(np.float32),
        rollout=np.array(rollout, np.float32),
        sinks=sinks,
        heads={
            layer: {kind: values[layer].astype(np.float32) for kind, values in weights.items()}
            for layer in headed
        },
        whole=whole,
        beside="[class]" if pool is None else "",
        pool=None if pool is None else pool.astype(np.float32),
    )


def _layer(
    rng: np.random.Generator, smooth: np.ndarray, heads: int, sinks: tuple[int, ...], kind: str
) -> np.ndarray:
    """(H, N, N) weights; rows sum to 1."""
    found = []
    for _ in range(heads):
        features = np.concatenate(
            [rng.standard_normal((1, 8)), smooth @ rng.standard_normal((len(smooth), 8))]
        )
        logits = (
            features
            @ (features if kind[0] == kind[1] else features @ rng.standard_normal((8, 8)) / 2.8).T
        )
        logits[:, [1 + sink for sink in sinks]] += 4.0
        exponents = np.exp(logits - logits.max(-1, keepdims=True))
        found.append(exponents / exponents.sum(-1, keepdims=True))
    return np.array(found)
