"""Which true masks belong to a text, and where are they drawn?"""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import clipxai as cx
from clipxai.measure import score_contrast
from clipxai.scenes.naming import masks_of, things_named
from clipxai.view import MaskSteps, MethodComparison, RegionMap
from clipxai.view.given import outlines


def test_masks_belong_to_the_texts_that_name_them():
    dog, cat = np.eye(2, dtype=bool), ~np.eye(2, dtype=bool)
    found = masks_of(
        ("a photo of a Dog", "a hotdog", "a dog and a cat", "a bird"), {"dog": dog, "cat": cat}
    )
    assert set(found) == {"a photo of a Dog", "a dog and a cat"}
    assert_array_equal(found["a photo of a Dog"], dog)
    assert found["a dog and a cat"].all()


def test_the_longest_name_counts_and_there_may_be_several():
    assert things_named("a fire truck", ["truck"]) == []
    assert things_named("a fire truck and a truck", ["truck", "fire truck"]) == [
        "truck",
        "fire truck",
    ]
    assert things_named("two dogs, three buses", ["dog", "bus", "cat"]) == ["dog", "bus"]


@pytest.fixture(scope="module")
def e(embedded):
    scene = cx.scenes.compose(["cat", "owl"], seed=1)
    return scene, cx.explain(cx.record(embedded, scene.image, ["a cat", "an owl", "a dog"]))


def test_a_scene_is_the_truth_of_what_its_texts_name(e, tmp_path):
    scene, maps = e
    by_hand = {"a cat": scene.mask("cat"), "an owl": scene.mask("owl")}
    made = {
        MethodComparison: (maps, MethodComparison(maps, mask=by_hand)),
        RegionMap: (cx.segment(maps), RegionMap(cx.segment(maps), truth=by_hand)),
        MaskSteps: (cx.refine(maps), MaskSteps(cx.refine(maps), truth=by_hand)),
    }
    for kind, (what, expected) in made.items():
        for known in ({"scene": scene}, {"truth": by_hand}):
            shown = cx.show(what, **known)
            assert type(shown) is kind
            assert shown.payload().header == expected.payload().header
    page = cx.save([maps], tmp_path / "maps.html", scene=scene).read_text(encoding="utf-8")
    assert "the right way up" in page
    none = replace(maps, texts=("a key", "a dog", "a car"))  # nothing of it is named
    plain = cx.show(none, scene=scene).payload().header
    assert plain == cx.show(none).payload().header


def test_maps_of_different_texts_have_each_their_truth(e, embedded):
    scene, _ = e
    apart = [cx.explain(cx.record(embedded, scene.image, text)) for text in ("a cat", "an owl")]
    by_hand = {"a cat": scene.mask("cat"), "an owl": scene.mask("owl")}
    shown = cx.show(apart, scene=scene).payload().header
    assert shown == MethodComparison(apart, mask=by_hand).payload().header


def test_a_scene_of_another_picture_is_refused(e):
    _, maps = e
    for other in (cx.scenes.compose(["cat", "owl"], seed=2), cx.scenes.compose(["key"])):
        with pytest.raises(ValueError, match="is another picture than the one that was explained"):
            cx.show(maps, scene=other)


def test_outlines_stand_in_attention_modules_heads_and_words(embedded):
    """Of the text, of the word, and in attention, which has no text, of all things."""
    scene = cx.scenes.compose(["cat", "owl"], seed=1)
    trace = cx.record(embedded, scene.image, ["an owl and a key", "a dog"])
    cat, owl = (outlines(scene.mask(name)) for name in ("cat", "owl"))
    assert cat and owl
    drawn = cx.show(cx.attention_maps(trace), scene=scene).payload().header["outlines"]
    assert sorted(drawn) == sorted([*cat, *owl])
    for found in (cx.contributions(trace), cx.head_contributions(trace)):
        assert cx.show(found, scene=scene).payload().header["outlines"] == [owl, []]
        by_hand = cx.show(found, truth={"a dog": scene.mask("cat")})
        assert by_hand.payload().header["outlines"] == [[], cat]
        with pytest.raises(ValueError, match="none of the masks"):
            cx.show(found, truth={"a bird": scene.mask("cat")})
    modes = cx.show(cx.token_scores(trace), scene=scene).payload().header["modes"]
    told = {unit["name"]: unit["outlines"] for unit in modes[0]["units"]}
    assert told.pop("owl") == owl and not any(told.values())
    lines = [
        [len(area.lines) for area in cx.show(cx.head_contributions(trace), **known).figure().axes]
        for known in ({}, {"scene": scene})
    ]
    assert sum(lines[1]) == sum(lines[0]) + 2 * 3 * len(owl), "three maps, each light on dark"


def test_outlines_stand_in_contrasts_effects_and_tracing(embedded):
    """Of both sides, and of every text; what has no map has them on the image."""
    scene = cx.scenes.compose(["cat", "owl"], seed=1)
    trace = cx.record(embedded, scene.image, ["an owl", "a dog"])
    cat, owl = (outlines(scene.mask(name)) for name in ("cat", "owl"))
    contrast = cx.contrast(trace, "an owl", "a cat")
    shown = cx.show(contrast, scene=scene)
    assert sorted(shown.payload().header["outlines"]) == sorted([*cat, *owl])
    assert shown.payload().header["verdict"].count("outline") > 0
    kinds = [
        contrast,
        cx.effects(trace, "ffn"),
        cx.effects(trace, "patches", layers=[4]),
        cx.effects(trace, "words", cx.record(embedded, scene.image, ["a cat", "a dog"])),
    ]
    for found in kinds:
        shown = cx.show(found, scene=scene)
        if found is not contrast:
            expected = [owl, []][: len(shown.payload().header["texts"])]
            assert shown.payload().header["outlines"] == expected
        assert lines_of(shown) > lines_of(cx.show(found)), "on paper, too"
        with pytest.raises(ValueError, match="none of the masks"):
            cx.show(found, truth={"a bird": scene.mask("cat")})


def test_the_model_as_one_picture_says_which_way_up_its_maps_are(embedded):
    """As the measures have it of the same maps."""
    scene = cx.scenes.compose(["cat", "guitar"], background="wood", seed=0, size=336)
    trace = cx.record(embedded, scene.image, ["a cat", "a dog"])
    shown, plain = cx.show(trace, scene=scene), cx.show(trace)
    fine = 336 / 144  # a pixel of the largest map
    cat = outlines(scene.mask("cat"), fine)
    header = shown.payload().header
    assert 0 < len(cat[0]) < len(outlines(scene.mask("cat"))[0]) and header["outlines"] == [cat, []]
    raw, surgery = (
        score_contrast(cx.explain(trace, method).heatmap("a cat"), scene.mask("cat"))
        for method in ("clip", "clip_surgery")
    )
    assert raw < 0 < surgery
    said = f"The raw map is upside down −{-raw:.0f}, CLIP Surgery's is right way up +{surgery:.0f}."
    assert header["openings"][0].endswith(said)
    assert header["openings"][1] == plain.payload().header["openings"][1]
    assert lines_of(shown) == lines_of(plain) + 2 * 2 * len(cat), "two maps, each light on dark"
    with pytest.raises(ValueError, match="none of the masks"):
        cx.show(trace, truth={"a bird": scene.mask("cat")})


def test_the_model_as_one_picture_claims_nothing_of_maps_that_show_nothing(embedded):
    scene = cx.scenes.compose(["cat", "guitar"], background="wood", seed=0, size=336)
    trace = cx.record(embedded, scene.image, ["", "a guitar", "a cat"])
    cat = scene.mask("cat")
    told = cx.show(trace, truth={"": cat}).payload().header["openings"]
    assert "The raw map is right way up +52, CLIP Surgery's is near zero all over." in told[0]
    assert "rank correlation" not in cx.show(trace).payload().header["openings"][0]
    known = [cx.show(trace, truth={"": mask}) for mask in (cat & ~cat, cat | ~cat, cat)]
    said = ["Outlined" in " ".join(one.payload().header["captions"]) for one in known]
    assert said == [False, False, True], "an outline that is there"


def test_both_words_of_a_fire_truck_name_it_and_none_a_truck(embedded):
    scene = cx.scenes.compose(["fire truck", "truck"], seed=1, size=336)
    fire, other = scene.mask("fire truck"), scene.mask("truck")
    for text, named in (
        ("a fire truck on a road", {"fire": fire, "truck": fire}),
        ("a truck and fire", {"truck": other}),
        ("a fire truck and a truck", {"fire": fire, "truck (3)": fire, "truck (6)": other}),
        ("no trucks, fire trucks", {"trucks (2)": other, "fire": fire, "trucks (5)": fire}),
    ):
        trace = cx.record(embedded, scene.image, text)
        expected = {label: outlines(mask) for label, mask in named.items()}
        shown = cx.show(cx.word_relevance(trace), scene=scene)
        told = {unit["label"]: unit["outlines"] for unit in shown.payload().header["units"]}
        assert {label: lines for label, lines in told.items() if lines} == expected, text
        header = cx.show(cx.token_scores(trace), scene=scene).payload().header
        told = {unit["label"]: unit["outlines"] for unit in header["modes"][0]["units"]}
        assert {label: lines for label, lines in told.items() if lines} == expected, text
    assert any(note.startswith("Outlined") for note in shown.payload().header["notes"])


def test_what_cannot_be_shown_is_told_so_with_a_scene_too(e, trace):
    scene, _ = e
    for what in ("x", None, 3, [trace, trace]):
        with pytest.raises(TypeError, match="needed|cannot be shown|Explanation"):
            cx.show(what, scene=scene)


def test_what_a_word_names_is_outlined_while_it_is_told_of(embedded):
    scene = cx.scenes.compose(["cat", "owl"], seed=1)
    found = cx.word_relevance(cx.record(embedded, scene.image, "a photo of an owl"))
    shown, owl = cx.show(found, scene=scene), outlines(scene.mask("owl"))
    told = {unit["name"]: unit["outlines"] for unit in shown.payload().header["units"]}
    assert told.pop("owl") == owl and not any(told.values())
    assert lines_of(shown) == lines_of(cx.show(found)) + 2 * len(owl)
    with pytest.raises(ValueError, match="none of the masks"):
        cx.show(found, truth={"cat": scene.mask("cat")})


def lines_of(viewer):
    return sum(len(area.lines) for area in viewer.figure().axes)


def test_the_scene_of_attention_has_to_name_its_things(trace):
    class Other:
        def truth(self, texts):
            return {}

    with pytest.raises(TypeError, match="attention has no texts"):
        cx.show(cx.attention_maps(trace), scene=Other())


def test_a_truth_that_is_not_drawn_is_refused(e, trace, tmp_path):
    scene, maps = e
    with pytest.raises(TypeError, match="is told its truth when it is made"):
        cx.show(MethodComparison(maps), scene=scene)
    with pytest.raises(TypeError, match="scene='cat.png', but a Scene is needed"):
        cx.show(maps, scene="cat.png")
    with pytest.raises(TypeError, match="say the same"):
        cx.show(maps, scene=scene, truth={})
    with pytest.raises(ValueError, match="holds numbers alone"):
        cx.save(maps, tmp_path / "maps.npz", scene=scene)


def test_what_is_no_mask_is_refused(e, trace):
    """A soft mask would be inside wherever it is not exactly 0, and its IoU that of another one."""
    scene, maps = e
    soft = np.where(scene.masks[0], 0.9, 0.1)
    for what in (maps, cx.attention_maps(trace)):
        text = maps.texts[0] if what is maps else "any"
        for truth, error, words in (
            ({text: soft}, ValueError, "other numbers than 0 and 1"),
            ({text: [[True]]}, TypeError, "is no numpy array"),
            (scene.masks[0], TypeError, "a table text -> mask is needed"),
        ):
            with pytest.raises(error, match=words):
                cx.show(what, truth=truth)
    one, other = (
        cx.show(maps, truth={maps.texts[0]: mask}).payload().header["panels"][0]["overlaps"]
        for mask in (scene.masks[0], scene.masks[0].astype(float))
    )
    assert one == other and any(one)
    for nothing in (np.zeros_like(scene.masks[0]), np.ones_like(scene.masks[0])):
        [panel] = cx.show(maps, truth={maps.texts[0]: nothing}).payload().header["panels"][:1]
        assert panel["overlaps"] == [] and "contrast" not in panel.get("merits", {})
