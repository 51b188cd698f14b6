"""Does every figure of a changed pass say so, on the page and on paper?"""

import json

import numpy as np
import pytest
from view_examples import texts_of

import clipxai as cx
from clipxai import view

SAID = "What if: head 3 of layer 6 to the mean; patch 7 entering layer 2 to zero."
TEXTS = ["a cat on grass", "a guitar"]
LEFT = np.tile(np.arange(112) < 56, (112, 1))
OPENED = {
    view.MethodComparison: lambda t: view.MethodComparison(cx.explain(t, "clip_surgery")),
    view.ContrastMap: lambda t: view.ContrastMap(cx.contrast(t, 0, 1)),
    view.LabelRanking: lambda t: view.LabelRanking(cx.explain(t, "decomposition")),
    view.RegionMap: lambda t: view.RegionMap(cx.segment(cx.explain(t, "clip"))),
    view.MaskSteps: lambda t: view.MaskSteps(cx.refine(cx.explain(t))),
    view.LayerAttentionViewer: lambda t: view.LayerAttentionViewer(cx.attention_maps(t)),
    view.ModuleComparison: lambda t: view.ModuleComparison(cx.contributions(t)),
    view.HeadGrid: lambda t: view.HeadGrid(cx.head_contributions(t)),
    view.TokenMap: lambda t: view.TokenMap(cx.token_scores(t)),
    view.WordRanking: lambda t: view.WordRanking(cx.word_relevance(t, "bimodal")),
    view.ModelOverview: lambda t: cx.show(t),
    view.SurgeryWalk: lambda t: cx.show(cx.surgery_steps(t)),
    view.EffectGrid: lambda t: view.EffectGrid(cx.effects(t, "ffn")),
    view.Prediction: lambda t: view.Prediction(cx.attention_maps(t), patch=(0, 0)),
    view.TrainingSteps: lambda t: view.TrainingSteps(
        {"raw": [cx.explain(t, "clip")] * 2}, [0, 40], {"loss": [3.0, 2.0]}
    ),
    view.BlindRanking: lambda t: view.BlindRanking(
        [cx.explain(t, "clip"), cx.explain(t, "clip_surgery")], LEFT
    ),
    view.Tracing: lambda t: view.Tracing(cx.effects(t, "patches", layers=-1)),
}


@pytest.fixture(scope="module")
def passes(embedded, scene):
    plain = cx.record(embedded, scene.image, TEXTS, size=56)
    return plain, cx.ablate(cx.ablate(plain, heads={6: [3]}, to="mean"), patches=7, layer=2)


def test_every_viewer_is_tried():
    viewers = {
        getattr(view, name) for name in view.__all__ if hasattr(getattr(view, name), "module")
    }
    assert viewers == {*OPENED}


@pytest.mark.parametrize("kind", OPENED, ids=lambda kind: kind.__name__)
def test_it_says_what_was_changed(kind, passes):
    plain, changed = map(OPENED[kind], passes)
    assert type(changed) is kind
    page = json.dumps(changed.payload().header, ensure_ascii=False)
    assert SAID in page, "what the browser shows"
    assert SAID in " ".join(" ".join(texts_of(changed.figure())).split()), "what is printed"
    assert "What if:" not in json.dumps(plain.payload().header)


def test_maps_of_one_method_are_told_apart(passes):
    plain, _ = passes
    silent = [cx.ablate(plain, heads={6: [head]}) for head in (3, 2)]
    maps = [cx.explain(one, "clip_surgery") for one in (plain, *silent)]
    header = view.MethodComparison(maps, mask=LEFT).payload().header
    told = {"CLIP Surgery"} | {
        f"CLIP Surgery (changed: head {head} of layer 6 to zero)" for head in (3, 2)
    }
    assert {panel["name"] for panel in header["panels"]} == told
    assert any(name in header["layouts"][1]["story"] for name in told)
    twice = view.MethodComparison([maps[0], maps[0]]).payload().header
    names = {panel["name"] for panel in twice["panels"]}
    assert names == {"CLIP Surgery, map 1", "CLIP Surgery, map 2"}
    of_others = [cx.explain(plain.with_texts(text), "clip") for text in TEXTS]
    header = view.MethodComparison(of_others, texts=TEXTS[0]).payload().header
    assert [panel["name"] for panel in header["panels"]] == ["raw CLIP"]


def test_a_list_of_labels_does_not_fill_the_title(embedded, scene):
    labels = [f"a photo of {cx.scenes.noun(name)}" for name in cx.scenes.class_names()]
    trace = cx.record(embedded, scene.image, ["a dog", "a bicycle"])
    maps = [cx.explain(trace), cx.explain(trace, redundant=labels)]
    header = view.MethodComparison(maps, mask={"a dog": scene.mask("dog")}).payload().header
    names = {panel["name"] for panel in header["panels"]}
    assert names == {"CLIP Surgery", "CLIP Surgery (redundant=110 of them)"}
    assert max(len(layout["story"]) for layout in header["layouts"]) < 240
    assert labels[-1] in maps[1].provenance["options"], "there all of them are kept"
