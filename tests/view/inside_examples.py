"""Token scores and contributions whose numbers are known, made with numpy alone."""

from dataclasses import replace

import numpy as np
from view_examples import SCENE

from clipxai.results.explanation import Grid
from clipxai.results.findings import (
    Contributions,
    Effects,
    HeadContributions,
    Picture,
    Selection,
    TokenScores,
    WordRelevance,
)

H, W = SCENE.image.shape[:2]
PICTURE = Picture(SCENE.image, Grid(14, 14, (H, W), (0, 0, H, W)), {"model": "made up"})
WORDS = (("an", 1, 2), ("owl", 2, 4), ("by", 4, 5), ("an", 5, 6), ("oak", 6, 7))
TOKENS = ("[start]", "an", "o", "wl", "by", "an", "oak", "[end]")
PATHS = ("raw", "surgery", "surgery minus the empty text")
TEXTS = ("an owl", "a clock")


def token_scores(
    words: tuple[tuple[str, int, int], ...] = WORDS, tokens: tuple[str, ...] = TOKENS, seed: int = 0
) -> TokenScores:
    """Signed scores; the first piece of the owl is high on the first rows of patches, the second on
    the last.
    """
    rng = np.random.default_rng(seed)
    S, P = len(tokens), PICTURE.grid.patches
    scores = {path: (0.1 * rng.standard_normal((S, P))).astype(np.float32) for path in PATHS}
    scores[PATHS[-1]][2:3, :28] += 0.8
    scores[PATHS[-1]][3:4, -28:] += 0.4
    whole = {
        path: np.linspace(-0.1, 0.4 + n / 10, S).astype(np.float32) for n, path in enumerate(PATHS)
    }
    attention = np.tril(rng.random((3, S, S))).astype(np.float32)
    attention /= attention.sum(-1, keepdims=True)
    return TokenScores(
        PICTURE, " ".join(word for word, _, _ in words), tokens, words, scores, whole, attention
    )


def left_out(seed: int = 0) -> TokenScores:
    """The same, and words left out: of [end] the whole text, of [start] nothing."""
    found, rng = token_scores(seed=seed), np.random.default_rng(seed + 1)
    values = (0.001 * rng.standard_normal((len(TOKENS), PICTURE.grid.patches))).astype(np.float32)
    values[0], values[2:4, :28], values[6, -28:], values[-1] = 0, 0.5, 0.25, 0.75
    adds = np.array([0, 0.01, 0.3, 0.3, 0.02, -0.01, 0.2, 0.6], np.float32)
    path = "leaving the word out"
    return replace(
        found,
        scores={**found.scores, path: values},
        whole={**found.whole, path: adds},
        left_out_by="decomposition",
    )


def contributions(texts: tuple[str, ...] = TEXTS, layers: int = 4, seed: int = 0) -> Contributions:
    """Parts that add up to the similarity, up to rounding."""
    rng = np.random.default_rng(seed)
    T, N = len(texts), 1 + PICTURE.grid.patches
    attention, ffn = (0.05 * rng.standard_normal((2, layers, T, N)) + 0.02).astype(np.float32)
    embedding, bias = (0.01 * rng.standard_normal((2, T, N))).astype(np.float32)
    similarity = (
        attention.astype(float).sum(0) + ffn.astype(float).sum(0) + embedding + bias
    ).astype(np.float32)
    alignments = np.linspace(0.6, -0.2, 2 * layers).reshape(2, layers).astype(np.float32)
    lens = rng.uniform(-0.3, 0.5, (layers + 1, T, N - 1)).astype(np.float32)
    return Contributions(
        PICTURE, texts, attention, ffn, embedding, bias, similarity, *alignments, lens
    )


def with_selection(parts: Contributions) -> Contributions:
    """The same, and selection ratios of the first text: what q-k loses over the layers, v-v
    wins.
    """
    falling = np.linspace(0.75, 0.125, len(parts.attention)).astype(np.float32)
    return replace(
        parts,
        selection={
            parts.texts[0]: Selection({"qk": falling, "vv": falling[::-1].copy()}, 20, 19 / 195)
        },
    )


def head_contributions(
    texts: tuple[str, ...] = TEXTS, layers: int = 4, heads: int = 3, seed: int = 0
) -> HeadContributions:
    """Shares that add up to the similarity, up to rounding; head 1 of layer 2 brings the most."""
    rng = np.random.default_rng(seed)
    T, N = len(texts), 1 + PICTURE.grid.patches
    fetched = (0.001 * rng.standard_normal((layers, heads, T, N))).astype(np.float32)
    fetched[2, 1] += 0.002
    bias, ffn = (0.01 * rng.standard_normal((2, layers, T))).astype(np.float32)
    embedding, norm_bias = (0.01 * rng.standard_normal((2, T))).astype(np.float32)
    parts = fetched.astype(float).sum((0, 1, 3)) + bias.sum(0) + ffn.sum(0) + embedding + norm_bias
    written = (0.02 * rng.standard_normal((layers, T, N - 1))).astype(np.float32)
    parts = parts.astype(np.float32)
    return HeadContributions(
        PICTURE, texts, fetched, bias, ffn, embedding, norm_bias, parts, written=written
    )


def effects(
    of: str = "heads", texts: tuple[str, ...] = TEXTS, layers: int = 4, heads: int = 3
) -> Effects:
    """Of the heads of `head_contributions`; head 1 of layer 2 has the largest share and hardly an
    effect, head 0 of layer 1 the largest effect."""
    rng, shares = np.random.default_rng(1), head_contributions(texts, layers, heads)
    change = (-0.5 * shares.heads.sum(-1)).transpose(0, 1, 2).copy()
    change += (0.001 * rng.standard_normal(change.shape)).astype(np.float32)
    change[2, 1], change[1, 0] = -0.001, -0.75
    if of != "heads":
        change = change[:, 0]
    named = dict(layers=tuple(range(layers)), similarity=shares.similarity)
    return Effects(PICTURE, texts, of, "mean", "image", change.astype(np.float32), **named)


def traced(of: str = "tokens", layers: int = 4, texts: tuple[str, ...] = TEXTS) -> Effects:
    """Another pass, token by token: at first patch 30 matters to the first text, in the end the
    class token, which takes over at layer 2. Of words, "owl" does.
    """
    rng, P = np.random.default_rng(3), PICTURE.grid.patches
    tokens = {"tokens": P + 1, "patches": P, "words": 3}[of]
    change = (0.001 * rng.standard_normal((layers, tokens, len(texts)))).astype(np.float32)
    named = dict(layers=tuple(range(layers)), similarity=np.array([0.5, 0.25], np.float32))
    if of == "words":
        change[:, 1, 0] = (-0.25, -0.125, -0.0625, 0)
        change, named["similarity"] = change[..., :1], named["similarity"][:1]
        named |= dict(words=("an", "owl", "here"), gap=np.array([-0.75], np.float32))
        return Effects(PICTURE, ("an owl here",), of, "another pass", "text", change, **named)
    change[:, 30 + tokens - P, 0] = (-0.25, -0.125, -0.0625, 0)
    if of == "tokens":
        change[:, 0, 0] = (0, -0.0625, -0.25, -0.5)
    other = replace(PICTURE, image=PICTURE.image[::-1].copy())
    named |= dict(other=other, gap=np.array([-0.75, 0.5], np.float32))
    return Effects(PICTURE, texts, of, "another pass", "image", change, **named)


def word_relevance(
    scores: tuple[float, ...] = (0, 0.1, 0.3, 0.2, -0.25, 0.1, -0.05, 1),
    words: tuple[tuple[str, int, int], ...] = WORDS,
    tokens: tuple[str, ...] = TOKENS,
) -> WordRelevance:
    """The owl, of two pieces, matters most; [end], which is no word, has more."""
    text = " ".join(word for word, _, _ in words)
    return WordRelevance(
        PICTURE, text, tokens, words, np.array(scores, np.float32), "made_up", "relevance (made up)"
    )
