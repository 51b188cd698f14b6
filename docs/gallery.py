"""Which figures are there, and which lines make them? One list: `make docs` runs it and puts each
figure on a live page; tests run it too.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import clipxai as cx
from clipxai.view import Viewer

START = """
import clipxai as cx

model = cx.load()
scene = cx.scenes.compose(["cat", "guitar"], background="wood", size=336)
trace = cx.record(model, scene.image, ["a cat", "a guitar"])
"""
CAPTION = 'said = trace.with_texts(["a photo of a cat and a guitar on a wood table."])\n'


class Figure(NamedTuple):
    """A figure of the gallery: its `code`, after `START`, ends in an expression, which is it."""

    name: str
    title: str
    code: str


FIGURES = (
    Figure("model", "What happens between the image and the text?", "cx.show(trace)"),
    Figure("map", "Where does the model see each text?", 'cx.show(cx.explain(trace, "clip"))'),
    Figure(
        "methods",
        "By which method, and how far is each from the truth?",
        'maps = [cx.explain(trace, name) for name in ("clip", "clip_surgery", "decomposition")]\n'
        'truth = {"a cat": scene.mask("cat"), "a guitar": scene.mask("guitar")}\n'
        "cx.view.MethodComparison(maps, mask=truth)",
    ),
    Figure(
        "blind",
        "Which map would you believe, if nobody said whose it is?",
        'names = ("clip", "maskclip", "gem", "clip_surgery", "legrad", "decomposition")\n'
        "maps = [cx.explain(trace, name) for name in names]\n"
        'cx.view.BlindRanking(maps, scene.mask("cat"))',
    ),
    Figure(
        "surgery",
        "Which part of CLIP Surgery turns the map over?",
        "cx.show(cx.surgery_steps(trace), scene=scene)",
    ),
    Figure("attention", "Who looks where, layer by layer?", "cx.show(cx.attention_maps(trace))"),
    Figure(
        "predict",
        "Where will this patch look? Paint first",
        "cx.view.Prediction(cx.attention_maps(trace), patch=(4, 8), layer=2)",
    ),
    Figure(
        "modules",
        "Did attention or FFN write the score?",
        "cx.show(cx.contributions(trace))",
    ),
    Figure(
        "heads", "Which head brought it, from which patch?", "cx.show(cx.head_contributions(trace))"
    ),
    Figure(
        "effects",
        "What would the score be without this head?",
        'lost = cx.effects(trace, "heads", by="mean")\n'
        "cx.view.EffectGrid(lost, cx.head_contributions(trace))",
    ),
    Figure(
        "tracing",
        "In which layer, and at which patch, does the answer lie?",
        'other = cx.record(model, scene.without("cat").image, trace.texts)\n'
        'cx.show(cx.effects(trace, "tokens", by=other, estimate=True))',
    ),
    Figure(
        "words",
        "Which word goes with which patch?",
        CAPTION + "cx.show(cx.token_scores(said))",
    ),
    Figure("word_maps", "Where is each word?", CAPTION + "cx.show(cx.word_maps(said))"),
    Figure(
        "word_relevance",
        "Which word mattered for the score?",
        CAPTION + "cx.show(cx.word_relevance(said))",
    ),
    Figure(
        "contrast",
        "Why this text and not that one?",
        'cx.show(cx.contrast(trace, "a cat", "a guitar"))',
    ),
    Figure(
        "labels",
        "Which of many words does the image show?",
        'labels = ["a cat", "a guitar", "a dog", "a banana", "a bicycle"]\n'
        "cx.view.LabelRanking(cx.explain(trace.with_texts(labels)))",
    ),
    Figure(
        "patches",
        "Which patches resemble this one?",
        "cx.show(cx.patch_similarity(trace, (3, 7)))",
    ),
    Figure(
        "regions",
        "Which pixels belong to which word?",
        'cx.show(cx.segment(cx.explain(trace), threshold=0.5, of="map"))',
    ),
    Figure(
        "refined",
        "And to the edge of the thing?",
        "cx.show(cx.refine(cx.explain(trace)))",
    ),
    Figure(
        "training",
        "What does the map become while a model learns?",
        "from clipxai.scenes.learning import Phase, learn, make_model\n"
        "from clipxai.scenes.small_world import SmallWorld\n\n"
        'world = SmallWorld(("cat", "guitar", "owl"), ("wood", "grass"))\n'
        "tiny = make_model(model.tokenizer, size=64, width=96, blocks=6, text_blocks=2)\n"
        "phase = Phase(64, 1.0, 16, 16 * 40, (1.5e-3, 1e-4))\n"
        "maps, losses = {}, {}\n"
        "for step, loss in learn(tiny, phase, world.sample):\n"
        "    if step % 8 == 0:\n"
        '        maps[step] = cx.explain(cx.record(tiny, scene.image, "a cat"), "clip")\n'
        "        losses[step] = loss\n\n"
        'kinds, curves = {"raw": list(maps.values())}, {"loss": list(losses.values())}\n'
        'cx.view.TrainingSteps(kinds, list(maps), curves, truth=scene.mask("cat"))',
    ),
    Figure(
        "without",
        "What if one head were not there?",
        'without = cx.ablate(trace, heads={6: [3]}, to="mean")\n'
        'cx.show([cx.explain(one, "decomposition") for one in (trace, without)])',
    ),
)


def made() -> Iterator[tuple[Figure, Viewer]]:
    """Every figure with what its lines give."""
    known: dict[str, object] = {}
    exec(START, known)
    for figure in FIGURES:
        *lines, last = figure.code.splitlines()
        exec("\n".join(lines), known)
        yield figure, eval(last, known)


def write(folder: Path) -> None:
    """A live page of every figure, and the playground."""
    folder.mkdir(parents=True, exist_ok=True)
    cx.playground().save(folder / "playground.html")
    for figure, viewer in made():
        viewer.save(folder / f"{figure.name}.html")


def markdown(live: str) -> str:
    """The gallery's page; `live` is where the figures lie, seen from it."""
    return f"```python\n{START.strip()}\n```\n" + "".join(
        f"\n## {figure.title}\n\n```python\n{figure.code}\n```\n\n"
        f'<iframe class="live" loading="lazy" title="{figure.title}" '
        f'src="{live}/{figure.name}.html"></iframe>\n\n'
        f'<a href="{live}/{figure.name}.html">By itself</a>\n'
        for figure in FIGURES
    )
