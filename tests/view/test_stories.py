"""Does the first sentence of a figure say what is so? Each is held against numbers that are found
another way, on data where the story differs.
"""

import re
from dataclasses import replace

import numpy as np
import pytest
from attention_examples import attention_example
from inside_examples import (
    contributions,
    effects,
    head_contributions,
    left_out,
    traced,
    word_relevance,
)
from view_examples import MASKS, SCENE, TEXTS, contrast, example, texts_of

import clipxai as cx
from clipxai.results.explanation import SAME_FOR_ALL
from clipxai.view import (
    BlindRanking,
    ContrastMap,
    EffectGrid,
    HeadGrid,
    LayerAttentionViewer,
    MaskSteps,
    MethodComparison,
    ModuleComparison,
    RegionMap,
    TokenMap,
    Tracing,
    TrainingSteps,
    WordRanking,
)
from clipxai.view.method_names import method_name
from clipxai.view.sentences import way_up


def stories(viewer: MethodComparison) -> dict[str | None, str]:
    return {one["text"]: one["story"] for one in viewer.payload().header["layouts"]}


def contrast_of(e: cx.Explanation, text: int, mask: np.ndarray) -> int:
    """In hundredths: the min-max map at the size of the image, inside minus outside."""
    heat = e.heatmap(text)
    heat = (heat - heat.min()) / (heat.max() - heat.min())
    return round(100 * float(heat[mask].mean() - heat[~mask].mean()))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_verdict_is_the_sign_of_the_contrast(sign: int):
    one, other = example("clip", sign=sign), example("clip_surgery", sign=-sign, seed=1)
    viewer = MethodComparison([one, other], mask=MASKS)
    mask = MASKS["an owl"]
    first, second = (contrast_of(e, 0, mask) for e in (one, other))
    ways = {1: "right way up", -1: "upside down"}
    panels = viewer.payload().header["panels"]
    verdicts = [panel["verdict"] for panel in panels]
    numbers = [panel["merits"]["contrast"] for panel in panels]
    assert all(told.endswith(f" {one}") for told, one in zip(verdicts, numbers)), "in one unit"
    assert verdicts[0] == f"{ways[sign]} {first:+d}".replace("-", "−")
    assert verdicts[1] == f"{ways[-sign]} {second:+d}".replace("-", "−")
    told = stories(viewer)
    assert told[None] == "2 of 4 maps are the right way up."
    said = f"“an owl”: raw CLIP is {ways[sign]} ({first:+d})".replace("is right", "is the right")
    assert told["an owl"].startswith(said.replace("-", "−"))


def test_a_contrast_of_noise_is_no_way_up_and_a_verdict_tells_of_a_hottest_pixel_outside():
    """The rule's reason, counted: min-max maps of noise on a thing of a dozen patches."""
    rng = np.random.default_rng(0)
    maps = rng.standard_normal((4000, 196))
    maps = (maps - maps.min(1, keepdims=True)) / np.ptp(maps, axis=1, keepdims=True)
    scatter = (maps[:, :12].mean(1) - maps[:, 12:].mean(1)).std()
    assert 0.045 < scatter < 0.06 and 0.17 < maps.std() < 0.2
    said = {c: way_up(c) for c in (-0.046, -0.044, 0.0, 0.044, 0.046, 0.6)}
    assert list(said.values()) == [
        "upside down −5",
        "near chance −4",
        "near chance 0",
        "near chance +4",
        "right way up +5",
        "right way up +60",
    ]
    faint = example("gem", sign=0.0, seed=5)  # nothing but noise
    good = example("clip")
    spot = good.scores.copy()
    spot[0, 0, 0] = 1.2 * spot[0].max()
    header = (
        MethodComparison([good, replace(good, method="rise", scores=spot), faint], mask=MASKS)
        .payload()
        .header
    )
    panels = header["panels"][:3]
    assert panels[2]["verdict"].startswith("near chance ")
    assert [panel["merits"]["hottest pixel"] for panel in panels[:2]] == ["inside", "outside"]
    assert [panel["told"] for panel in panels[:2]] == ["", "hottest pixel outside"]
    assert panels[1]["verdict"].startswith("right way up +")
    assert header["layouts"][1]["story"].startswith("“an owl”: 2 of 3 maps are the right way up")
    assert any("hottest pixel: whether" in note for note in header["notes"])
    drawn = MethodComparison([replace(good, scores=spot)], texts=[0], mask=MASKS).figure()
    assert any("hottest pixel outside" in text.get_text() for text in drawn.texts)


def test_of_many_methods_the_best_and_the_last_are_named():
    several = [
        example(name, sign=sign, seed=n)
        for n, (name, sign) in enumerate((("gem", 1), ("clip", -1), ("rise", 0.2), ("sclip", -0.3)))
    ]
    found = {e.method: contrast_of(e, 1, MASKS["a clock"]) for e in several}
    told = stories(MethodComparison(several, mask=MASKS))["a clock"]
    names = {"gem": "GEM", "clip": "raw CLIP", "rise": "RISE", "sclip": "SCLIP"}
    best, last = max(found, key=found.get), min(found, key=found.get)
    up = sum(value > 0 for value in found.values())
    assert f"{up} of 4 maps" in told
    ends = f"best {names[best]} ({found[best]:+d}), last {names[last]} ({found[last]:+d})"
    assert ends.replace("-", "−") in told


def test_no_map_is_best_among_equal_ones():
    same = [replace(example("clip"), method=name) for name in ("clip", "gem", "rise")]
    told = stories(MethodComparison(same, mask=MASKS))["an owl"]
    assert "best" not in told and "all with the contrast" in told


def test_without_truth_methods_agree_or_disagree():
    one = example("clip")
    turned = replace(example("gem"), scores=-one.scores)
    against = stories(MethodComparison([one, turned]))["an owl"]
    alike = stories(MethodComparison([one, example("gem", seed=0)]))["an owl"]
    assert "GEM and raw CLIP disagree" in against and "(rank correlation −1.00)" in against
    assert "disagree" not in alike and alike.endswith("a rank correlation of 1.00.")
    row, column = np.unravel_index(one.scores[0].argmax(), (14, 14))
    alone = stories(MethodComparison(one))["an owl"]
    assert alone == (f"The map of “an owl” by raw CLIP is highest in row {row}, column {column}.")


@pytest.mark.parametrize("seed", range(3))
def test_modules_open_on_the_largest_part_and_name_it(seed: int):
    parts = contributions(seed=seed)
    viewer = ModuleComparison(parts)
    told = viewer.payload().header["stories"]
    for text in range(2):
        both = {"attention": parts.attention[:, text, 0], "FFN": parts.ffn[:, text, 0]}
        ends = [(v, f"{name} of layer {n}") for name, of in both.items() for n, v in enumerate(of)]
        (most, adds), (least, takes) = max(ends), min(ends)
        assert f"{adds} adds most" in told[text] and f": {most:+.3f}" in told[text]
        assert (f"{takes} takes most away" in told[text]) == (least < 0)
    strength = np.abs([parts.attention[:, 0, 0], parts.ffn[:, 0, 0]]).max(0)
    assert viewer.layer == int(strength.argmax()) == viewer.payload().header["layer"]


def test_a_map_that_is_near_zero_or_not_of_the_text_gets_no_verdict_but_why():
    good, faint, blind = example("clip"), example("gem", seed=1), example("attention", seed=2)
    blind = replace(blind, notes=(SAME_FOR_ALL,))
    for unit, small, enough in (
        ("cosine similarity", 0.004, 0.006),
        ("share of the cosine", 0.01 / 196, 2 / 196),
        ("gradient", 1e-9, 1e-9),  # of which it is not known what is small
    ):
        for reach in (small, enough):
            scores = faint.scores * (reach / abs(faint.scores).max())
            three = [good, replace(faint, scores=scores, unit=unit), blind]
            viewer = MethodComparison(three, mask=MASKS)
            said = [panel["verdict"] for panel in viewer.payload().header["panels"][:3]]
            assert said[0].startswith("right way up +")
            assert said[2] == "no verdict: does not read the text"
            near = reach == small and unit != "gradient"
            assert (said[1] == "no verdict: all near zero") == near, (unit, reach)
            told = stories(viewer)["an owl"]
            assert told.endswith(f"; {1 + near} without a verdict.")
            assert "raw attention" not in told
    assert "verdict" not in stories(MethodComparison([blind], mask=MASKS))["an owl"]
    course = {"raw": [replace(faint, scores=faint.scores / 100), good]}
    told = TrainingSteps(course, [0, 5], {"loss": [2.0, 1.0]}, truth=MASKS).payload().header
    assert told["stories"][0] == "Step 0: raw has no verdict: all near zero."
    jury = BlindRanking([good, blind], MASKS).payload().header
    told = [panel["verdict"] for panel in jury["maps"]]
    assert sorted(one[:10] for one in told) == ["no verdict", "right way "]


def test_a_part_is_a_share_only_of_what_it_lies_within():
    heads, parts, lost = head_contributions(), contributions(), effects()
    told = [HeadGrid(heads), ModuleComparison(parts), EffectGrid(lost)]
    for whole in (5.0, 0.001, -0.029):
        of = np.full(len(TEXTS), whole, np.float32)
        told = [
            HeadGrid(replace(heads, similarity=of)).payload().header["stories"][0],
            ModuleComparison(replace(parts, similarity=np.full_like(parts.similarity, whole)))
            .payload()
            .header["stories"][0],
            EffectGrid(replace(lost, similarity=of)).payload().header["stories"][0],
        ]
        written = f"{whole:+.3f}".replace("-", "−")
        for one in told:
            assert (f" of {written}" in one) == (whole == 5), one
            assert (f": {written})" in one or f"(the match is {written})" in one) == (whole < 5)


def test_modules_that_only_take_away_are_told_so():
    parts = contributions()
    parts = replace(parts, attention=-abs(parts.attention), ffn=-abs(parts.ffn))
    (told, _) = ModuleComparison(parts).payload().header["stories"]
    assert told.startswith("No module adds to “an owl”; ")


@pytest.mark.parametrize("query", [(1, 2), (4, 4)])
def test_attention_tells_where_a_patch_looks_most_beside_itself(query: tuple[int, int]):
    maps = attention_example()
    viewer = LayerAttentionViewer(maps, query=query, layer=1)
    told = viewer.payload().header["story"]
    token = 1 + query[0] * 6 + query[1]
    assert told.startswith(f"In layer 1, row {query[0]}, column {query[1]} looks most")
    for kind, name in (("qk", "q-k"), ("vv", "v-v")):
        row = maps.mean[kind][1, token].copy()
        row[[0, token]] = 0
        at = int(row.argmax()) - 1
        said = f"row {at // 6}, column {at % 6} by {name} ({31 * row.max():.1f}×"
        assert said in told


def test_attention_that_is_the_same_everywhere_is_not_said_to_look_somewhere_most():
    maps = attention_example(whole="[pool]")
    even = np.where(np.arange(31) == 5, 0.9, 1.0) / 30
    qk, vv = (maps.mean[kind].copy() for kind in ("qk", "vv"))

    def story():
        viewer = LayerAttentionViewer(replace(maps, mean={"qk": qk, "vv": vv}), layer=1)
        viewer.query = 0  # a reader asks the pool
        return viewer.payload().header["story"]

    vv[1, 0] = even
    told = story()
    assert told.startswith("In layer 1, [pool] looks most, beside itself, at row")
    assert told.endswith("; at all patches nearly alike by v-v at 0.90 to 1.00 times an even gaze.")
    qk[1, 0] = even
    span = "at 0.90 to 1.00 times an even gaze"
    assert story() == (
        f"In layer 1, [pool] looks at all patches nearly alike: by q-k {span}, by v-v {span}."
    )


@pytest.mark.parametrize("seed", range(2))
def test_heads_and_effects_name_the_strongest_and_its_opposite(seed: int):
    heads = head_contributions()
    if seed:
        heads = replace(heads, heads=-heads.heads)
    (told, _) = HeadGrid(heads).payload().header["stories"]
    sums = heads.heads[:, :, 0].sum(-1, dtype=float)
    most, least = (np.unravel_index(f(sums), sums.shape) for f in (np.argmax, np.argmin))
    assert f"head {most[1]} of layer {most[0]} brought most" in told
    assert f"head {least[1]} of layer {least[0]} took most away" in told
    found = effects()
    if seed:
        found = replace(found, change=-found.change)
    told = EffectGrid(found).payload().header["stories"][0]
    lost = -found.change[..., 0]
    row = np.unravel_index(lost.argmax(), lost.shape)
    assert f"of layer {found.layers[row[0]]} the match with" in told
    assert f"{lost.max():+.3f}" in told


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("attention", "Without the attention of layer 1 the match"),
        ("ffn", "Without the FFN of layer 1 the match"),
        ("blocks", "Without all of layer 1 the match"),
        ("words", "Without “owl” entering layer 0 the match"),
    ],
)
def test_effects_name_a_part_as_it_is_called(of: str, said: str):
    if of == "words":
        words = traced(of)
        found = replace(
            words, by="zero", layers=(0,), change=words.change[:1], other=None, gap=None
        )
    else:
        found = effects(of)
        found = replace(found, change=np.array([[0.1], [-0.3], [0], [0.2]] * np.ones(2)))
    assert EffectGrid(found).payload().header["stories"][0].startswith(said)


def test_no_effect_is_no_growth():
    found = effects()
    for change in (0.0, -0.0004):  # what is written +0.000
        told = EffectGrid(replace(found, change=np.full_like(found.change, change)))
        assert "stays what it is" in told.payload().header["stories"][0]


def test_words_name_what_adds_most_and_what_speaks_against():
    viewer = TokenMap(left_out())
    (story, *_) = [path["story"] for path in viewer.payload().header["modes"][0]["paths"]][-1:]
    assert story == "“owl” adds most to the cosine of image and text: 0.3; then “oak”, 0.2."
    turned = replace(left_out(), whole={k: -v for k, v in left_out().whole.items()})
    told = TokenMap(turned).payload().header["modes"][0]["paths"][-1]["story"]
    assert told == "“an (4)” adds most to the cosine of image and text: 0.01."
    first = viewer.payload().header["modes"][0]["paths"][0]["story"]
    assert re.fullmatch(
        r"Of all words, “.+” has the highest patch, in row \d+, column \d+: .+\.", first
    )
    relevant = word_relevance()
    told = WordRanking(relevant).payload().header["story"]
    assert told == (
        "“owl” matters most, with 50.0 % of what all words matter; “by” speaks most against the "
        "match (−25.0 %)."
    )
    against = WordRanking(replace(relevant, scores=-abs(relevant.scores))).payload().header["story"]
    assert against.startswith("No word speaks for the match; “owl”")


def test_contrasts_and_tracing_tell_whether_the_strongest_patch_is_on_its_thing():
    owl, clock = MASKS["an owl"], MASKS["a clock"]
    for truth, told in (
        (MASKS, "“an owl” lies in its outline; the one for “a clock” lies in its outline."),
        (
            {"an owl": clock, "a clock": owl},
            "“an owl” lies in the outline of “a clock”; the one for “a clock” lies in the outline "
            "of “an owl”.",
        ),
        (
            {"an owl": ~owl},
            "“an owl” lies outside its outline; the one for “a clock” lies in the outline of “an "
            "owl”.",
        ),
        ({"a clock": clock}, "“a clock” lies in its outline."),
        ({"an owl": np.ones_like(owl)}, ""),  # without an outside, nothing is inside
    ):
        verdict = ContrastMap(contrast(), truth=truth).payload().header["verdict"]
        said = f" The patch that speaks most for {told}" if told else ""
        assert verdict.endswith(f"by 0.125 of the cosine.{said}")
    grid = traced().picture.grid
    row, column = divmod(30, grid.width)
    side = owl.shape[0] // grid.height
    at = np.zeros_like(owl)
    at[row * side : (row + 1) * side, column * side : (column + 1) * side] = True
    for mask, where in ((at, "in the outline"), (~at, "outside the outline")):
        for found, told in (
            (traced("patches"), f" It lies {where}."),
            # "it" in between is the class token
            (
                traced(),
                f" it carries more than any patch. The patch that matters most lies {where}.",
            ),
        ):
            [verdict, _] = Tracing(found, truth={"an owl": mask}).payload().header["verdicts"]
            assert verdict.endswith(told)


def test_effects_tell_what_becomes_of_the_contrast():
    found, before, after = effects(), example("clip"), example("clip", sign=-1)
    told = EffectGrid(found, before=before, without={(1, 0): after}, truth=MASKS)
    ends = [contrast_of(e, 0, MASKS["an owl"]) for e in (before, after)]
    said = f"{ends[0]:+d} with the head, {ends[1]:+d} without it".replace("-", "−")
    [owl, _] = told.payload().header["details"]["turned"]
    assert owl == [f"Contrast of the map with the truth: {said}"]
    assert any(said in line for line in texts_of(told.figure()))
    unknown = EffectGrid(found, before=before, without={(1, 0): after})
    assert unknown.payload().header["details"]["turned"] == [[""], [""]]


def test_regions_and_steps_tell_of_the_truth():
    made = cx.segment(example("clip"), threshold=0.5, of="map")
    told = RegionMap(made, truth=MASKS).payload().header["story"]
    overlaps = RegionMap(made, truth=MASKS).overlaps()
    best = max(MASKS, key=overlaps.__getitem__)
    assert told.startswith("Best found of 2 is") and f"(IoU {overlaps[best]:.2f})" in told
    largest = max(MASKS, key=lambda name: made.legend.get(name, 0)).split()[-1]
    assert f"{largest}” has the largest part" in RegionMap(made).payload().header["story"]
    for mask, moved in ((SCENE.mask("owl"), "raised"), (~SCENE.mask("owl"), "lowered")):
        refined = cx.refine(example("clip"), lambda *_, mask=mask: ([mask], [0.9]))
        (one, *_) = MaskSteps(refined, truth=MASKS).payload().header["texts"]
        assert one["story"].startswith(f"“an owl”: refinement {moved} the IoU from")


def test_titles_have_switches_in_words_and_the_code_where_they_are_pointed_at():
    options = "attention=qk, dual_path=False, ffn=True"
    given = [example("clip_surgery"), example("clip_surgery", seed=1)]
    told = {**given[1].provenance, "options": options}
    header = MethodComparison([given[0], replace(given[1], provenance=told)]).payload().header
    panel = header["panels"][1]
    assert panel["name"] == ("CLIP Surgery (q-k attention, single path, with FFN)")
    assert panel["method"].startswith("clip_surgery (attention=qk, dual_path=False")
    for code, name in (
        ("clip_surgery (blocks=1, attention=vv)", "CLIP Surgery (last layer, v-v attention)"),
        ("legrad (layer=11, sigma=0.5)", "LeGrad (layer 11, sigma=0.5)"),
        ("clip_surgery (ffn=False, map 2)", "CLIP Surgery (no FFN, map 2)"),
        ("clip (changed: ffn=True of layer 3)", "raw CLIP (changed: ffn=True of layer 3)"),
        ("mine (ffn=True)", "mine (with FFN)"),
    ):
        assert method_name(code) == name
