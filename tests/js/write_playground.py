"""What does torch say of scenes of Emoji World and of two hundred texts?

Written for the test of the playground's engine, which has to say the same.

    python tests/js/write_playground.py FOLDER [SCENES]
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch

import clipxai as cx
from clipxai.explainers.leaving_out import leave_out
from clipxai.explainers.presets import Rewrite
from clipxai.explainers.surgery import rewrite
from clipxai.play.packing import pack_model

HAND = (
    "", " ", "a dog", "A DOG!", "a  dog\tand\na cat", "a café", "a cafe\u0301", "naïve façade",
    "don't they're we've I'm she'll he'd it's", "DON’T “quote” ‘me’", "a dog 🐕",
    "🐕🐈‍⬛ 👩‍👩‍👧 ✈️ 🏍️",
    "3 dogs, 12 cats & 1 owl", "a dog.", "...!?", "a-b_c/d\\e", "ﬁsh and ﬂowers",
    "ｆｕｌｌ ｗｉｄｔｈ",
    "ａ　ｄｏｇ", "Straße", "İstanbul", "ΣΊΣΥΦΟΣ", "привет мир", "собака и кошка",
    "犬と猫", "개와 고양이",
    "كلب وقطة", "कुत्ता", "สุนัข", "a dog &amp; a cat", "a dog &amp;amp; a cat", "R&B", "AT&T",
    "&eacute;t&eacute;", "&EACUTE;T&EACUTE;", "&#39;tis", "&#x27;tis", "&lt;b&gt;", "<b>&amp;</b>",
    "&copy 2024", "&notanentity;", "&hellip;", "&#128;", "&#0;", "ĳ ŉ ǆ", "x² + y² ≤ 1½", "№ 5 ™",
    "a\u00a0dog", "a\u200bdog", "a\ufeffdog", "a\u2028dog", "\u0007bell", "\x1b[31mred\x1b[0m",
    "e\u0301\u0323", "Å Å Å", "ſuch", "'ſ", "K kelvin", "µ μ", "<|startoftext|>",
    "a <|endoftext|> b",
    "''s", "'S 'LL", "a\u00addog", "𝒟𝑜𝑔", "𐐀𐐨", "🇩🇪🇫🇷", "👍🏽", "①②③", "ⅣⅤ", "½", "a—b–c", "…",
    "a dog with a bicycle, two owls, a cat and a very old red car on a grass field near a house",
    "dog " * 40, "🐕" * 12, "supercalifragilisticexpialidocious", "a dog and", "\U000e0041 tag",
)  # fmt: skip
SWITCHES = (
    {},
    {"attention": "qq+kk", "blocks": 1, "ffn": True},
    {"attention": "kk", "blocks": 1, "residual": False, "neighbourhood": 5.0},
    {"attention": "gem", "iterations": 2},
    {"attention": "identity", "blocks": 3, "dual_path": False},
    {"attention": "qk", "blocks": 8, "dual_path": False, "ffn": True},
    {"normalize": True, "sharpen": 8.0, "class_token": "rewritten"},
    {"attention": "qq", "blocks": 2, "residual": False, "dual_path": False},
)


def texts() -> list[str]:
    """Two hundred: what is awkward to spell, captions of scenes, odd mixtures."""
    captions = [cx.scenes.sample(n).caption for n in range(80)]
    rng, letters = np.random.default_rng(0), "".join(HAND)
    mixed = ["".join(rng.choice(list(letters), 9)) for _ in range(200 - len(HAND) - len(captions))]
    return [*HAND, *captions, *mixed]


def spelled(model: cx.CLIP, text: str) -> dict:
    """Ids, words and what is left without each; or that the text is too long."""
    try:
        ids = model.tokenizer.encode(text)
    except ValueError as error:
        assert "tokens" in str(error)
        return {"text": text, "tooLong": True}
    words = [(word.text, word.start, word.stop) for word in model.tokenizer.words(ids)]
    return {"text": text, "ids": ids, "words": words}


def change(scene: int) -> Rewrite:
    """The way of a scene: the plain one, then every switch in turn."""
    return Rewrite(**{**SWITCHES[scene % len(SWITCHES)]})


def silenced(scene: int) -> dict[int, list[int]]:
    """Which heads of every third scene bring nothing."""
    return {} if scene % 3 else {scene % 8: [scene % 4], 5: [1, 2]}


@torch.no_grad()
def seen(model: cx.CLIP, number: int) -> tuple[dict, list[np.ndarray]]:
    """One scene: what it was asked, and what torch answers."""
    scene = cx.scenes.sample(number)
    said = [scene.caption, f"a {scene.objects[0]}"]
    trace = cx.record(model, scene.image, said)
    if silenced(number):
        trace = cx.ablate(trace, heads=silenced(number))
    tokens = rewrite(trace, change(number))
    unit = torch.nn.functional.normalize(tokens, dim=-1)
    shares = cx.head_contributions(trace)
    left = leave_out(trace, 0).trace
    decomposed = cx.word_maps(trace, method="decomposition").scores
    operated = cx.word_maps(trace, method="clip_surgery").scores
    answers = [
        trace.image_tokens(normalize=False)[0],
        trace.text_features,
        trace.similarity()[0, 1:].T,
        tokens[0],
        cx.feature_surgery(unit, trace.text_features, trace.empty_features)[0].T,
        cx.feature_surgery(unit, trace.text_features, None)[0].T,
        shares.heads[:, :, 0],
        np.stack([shares.attention_bias[:, 0], shares.ffn[:, 0]]),
        np.array([shares.embedding[0], shares.norm_bias[0]]),
        left.text_features[1:],
        decomposed,
        operated,
    ]
    asked = {
        "texts": said,
        "change": {name: getattr(change(number), name) for name in Rewrite.__dataclass_fields__},
        "silenced": [silenced(number).get(layer, []) for layer in range(8)],
        "pixels": scene.image.tobytes().hex(),
    }
    return asked, [np.asarray(answer, np.float32).ravel() for answer in answers]


def write(folder: Path, scenes: int = 100) -> None:
    """`asked.json`, and `weights.bin` and `answers.bin` beside it."""
    model = cx.load()
    header, weights = pack_model(model)
    asked_of, answers = zip(*(seen(model, number) for number in range(scenes)))
    flat = np.concatenate([np.concatenate(one) for one in answers])
    lengths = [[len(answer) for answer in one] for one in answers]
    said = [spelled(model, text) for text in texts()]
    asked = {"header": header, "scenes": asked_of, "lengths": lengths, "texts": said}
    (folder / "asked.json").write_text(json.dumps(asked), encoding="utf-8")
    (folder / "answers.bin").write_bytes(flat.astype("<f4").tobytes())
    (folder / "weights.bin").write_bytes(weights)


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
