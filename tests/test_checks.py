"""Does every verb say in one line what it was given instead of what it reads?"""

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai import view
from clipxai.checks import layer_of, number_of, several

FROM_TRACE = (
    cx.explain,
    cx.rewrite,
    cx.attention_maps,
    cx.contributions,
    cx.ablate,
    cx.effects,
    cx.sinks,
    cx.head_contributions,
    cx.token_scores,
    cx.word_maps,
    cx.word_relevance,
)
VIEWERS = (
    view.LayerAttentionViewer,
    view.ModuleComparison,
    view.HeadGrid,
    view.EffectGrid,
    view.TokenMap,
    view.Tracing,
    view.WordRanking,
    view.ContrastMap,
    view.LabelRanking,
)


@pytest.mark.parametrize("verb", FROM_TRACE, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize(
    "given",
    ["photo.jpg", np.zeros((4, 4, 3), np.uint8), None],
    ids=lambda given: type(given).__name__,
)
def test_verbs_that_read_a_trace(verb, given):
    with pytest.raises(
        TypeError, match=rf"expected Trace \(from clipxai.record\), got {type(given).__name__}"
    ):
        verb(given)


@pytest.mark.parametrize("verb", [cx.segment, cx.recognise], ids=lambda verb: verb.__name__)
def test_verbs_that_read_an_explanation(verb, trace):
    with pytest.raises(
        TypeError, match=r"expected Explanation \(from clipxai.explain\), got Trace"
    ):
        verb(trace)


@pytest.mark.parametrize(
    "verb", [cx.record, cx.explain_windows, lambda *given: next(cx.explain_each(*given))]
)
def test_verbs_that_run_a_model(verb):
    with pytest.raises(TypeError, match=r"expected CLIP \(from clipxai.load\), got str"):
        verb("ViT-B/16", "photo.jpg", ["a dog"])


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.__name__)
def test_viewers(viewer, trace):
    with pytest.raises(TypeError, match=r"expected \w+ \(from clipxai\.\w+\), got Trace"):
        viewer(trace)


@pytest.mark.parametrize("given", [3, None])
def test_figures(given, trace, tmp_path):
    for draw in (view.MethodComparison, view.figure):
        with pytest.raises(TypeError, match=r"expected Explanation \(from clipxai.explain\), got"):
            draw(given)
    with pytest.raises(
        TypeError, match=r"expected Segmentation \(from clipxai.segment\), got Explanation"
    ):
        view.RegionMap(cx.explain(trace))


@pytest.mark.parametrize(
    "verb",
    [
        cx.attention_maps,
        cx.contributions,
        cx.head_contributions,
        cx.token_scores,
        cx.word_maps,
        cx.word_relevance,
    ],
)
def test_an_image_that_is_not_there(verb, trace):
    with pytest.raises(IndexError, match=r"image number 9, but this trace has \d"):
        verb(trace, image=9)
    for not_a_number in ("0", 1.5, True, [0]):
        with pytest.raises(TypeError, match="image=.+, but a whole number is needed"):
            verb(trace, image=not_a_number)


@pytest.mark.parametrize("verb", [cx.token_scores, cx.word_relevance])
def test_a_text_by_itself_and_by_its_number(verb, trace):
    two = trace.with_texts(["a dog", "an owl in the snow"])
    assert (
        verb(two, text="an owl in the snow").text
        == verb(two, text=1).text
        == verb(two, text=-1).text
        == "an owl in the snow"
    )
    np.testing.assert_array_equal(verb(two, text="a dog").words, verb(two, text=0).words)
    with pytest.raises(
        ValueError, match="no text 'a cat' in this trace; it has: 'a dog', 'an owl in the snow'"
    ):
        verb(two, text="a cat")
    with pytest.raises(IndexError, match="text number 5, but this trace has 2"):
        verb(two, text=5)


def test_what_is_printed_when_it_is_looked_at(trace):
    two = trace.with_texts(["a dog", "an owl"])
    found = [
        cx.attention_maps(two),
        cx.contributions(two),
        cx.token_scores(two),
        cx.head_contributions(two),
        cx.word_relevance(two),
        two,
    ]
    for thing in found:
        assert repr(thing).startswith(f"<{type(thing).__name__} ") and len(repr(thing)) < 200, repr(
            thing
        )


def test_numbers_of_things_in_a_list():
    assert [number_of(("a", "b"), asked, "text", "this figure") for asked in ("b", 0, -1)] == [
        1,
        0,
        1,
    ]
    with pytest.raises(ValueError, match="no text 'c' in this figure; it has: 'a', 'b'"):
        number_of(("a", "b"), "c", "text", "this figure")
    with pytest.raises(IndexError, match=r"text number 2, but this figure has 2 \(0 to 1\)"):
        number_of(("a", "b"), 2, "text", "this figure")
    with pytest.raises(TypeError, match="text 1.0, but a whole number is needed"):
        number_of(("a", "b"), 1.0, "text", "this figure")


def test_numbers_from_numpy_are_numbers_like_any_other(trace, tmp_path):
    whole = np.int64(1)
    assert trace.attention(whole).equal(trace.attention(1)) and type(layer_of(12, whole)) is int
    found = cx.attention_maps(trace, image=np.int64(0))
    view.LayerAttentionViewer(found, layer=whole).save(tmp_path / "numpy.html")
    view.LayerAttentionViewer(found, layer=1).save(tmp_path / "python.html")
    assert (tmp_path / "numpy.html").read_bytes() == (tmp_path / "python.html").read_bytes()
    for not_a_number in ("last", 0.5, None, True):
        with pytest.raises(TypeError, match=f"layer {not_a_number!r}, but a whole number"):
            layer_of(12, not_a_number)


def test_an_explanation_is_asked_of_an_image_by_its_number(trace):
    with pytest.raises(TypeError, match="image='0', but a whole number or None is needed"):
        cx.explain(trace, image="0")
    with pytest.raises(TypeError, match="image=False, but"):
        cx.explain(trace, image=False)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("a cat", ["a cat"]),
        (3, [3]),
        (np.int64(3), [3]),
        (np.array(3), [3]),
        (["a", 1], ["a", 1]),
        (np.arange(2), [0, 1]),
        ((), []),
        (range(2), [0, 1]),
    ],
)
def test_one_or_several(asked: object, found: list):
    assert several(asked) == found


def test_truth_values_from_numpy_are_truth_values(embedded, scene):
    pixels = torch.rand(1, 3, 112, 112, generator=torch.Generator().manual_seed(0))
    for said in (True, False):
        plain, again = (
            cx.record(embedded, pixels, "a dog", normalized=kind(said), truncate=kind(said))
            for kind in (bool, np.bool_)
        )
        assert torch.equal(plain.pixels, again.pixels) and plain.notes == again.notes
    with pytest.raises(TypeError, match="True or False is needed"):
        cx.record(embedded, scene.image, "a dog", truncate=np.int64(1))


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (lambda t: cx.ablate(t, ffn=[3]), "ablate has no ffn=; .*: did you mean ffns=?"),
        (lambda t: cx.ablate(t, head={1: [2]}), "did you mean heads=?"),
        (lambda t: cx.patch(t, t, "heads", layer=1), "unknown what 'heads'; .* mean 'head'?"),
        (lambda t: cx.effects(t, "ffns"), "unknown of 'ffns'; .* mean 'ffn'?"),
        (lambda t: view.EffectGrid(t, share=1), "EffectGrid has no share=; it takes effects, .*"),
    ],
)
def test_a_name_that_is_nearly_right(asked, meant, trace):
    with pytest.raises((TypeError, ValueError), match=meant.replace("?", r"\?")):
        asked(trace)


def test_who_passes_a_model_is_told_so_first(embedded):
    """Not that a text is no number, which is what comes next to it."""
    with pytest.raises(TypeError, match=r"got CLIP: call record\(model, image, texts\) first"):
        cx.explain(embedded, "photo.jpg", "a dog")
