"""Does the matplotlib figure tell the truth, and does nothing run over its edge?"""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from view_examples import HOSTILE, MASKS, SCENE, cropped, example

from clipxai.measure import iou, score_contrast
from clipxai.results.maps import rank_correlation
from clipxai.view import figure
from clipxai.view.method_comparison.panels import panels_of, rows_of
from clipxai.view.method_comparison.sentences import NOT_KNOWN
from clipxai.view.paper.maps import overlay
from clipxai.view.scales import Scale, colour_table, scales_of


def words(drawn: Figure) -> list[str]:
    return [
        text.get_text() for text in (*drawn.texts, *(t for area in drawn.axes for t in area.texts))
    ]


def boxes(drawn: Figure) -> list[tuple[float, float, float, float]]:
    renderer = FigureCanvasAgg(drawn).get_renderer()
    return [text.get_window_extent(renderer).extents for text in drawn.texts if text.get_text()]


def assert_tidy(drawn: Figure) -> None:
    """No text over the edge of the page, and no text over another."""
    width, height = drawn.get_size_inches() * drawn.dpi
    found = boxes(drawn)
    for left, bottom, right, top in found:
        assert left >= 0 and bottom >= 0 and right <= width and top <= height
    for n, a in enumerate(found):
        for b in found[n + 1 :]:
            assert a[2] <= b[0] + 1 or b[2] <= a[0] + 1 or a[3] <= b[1] + 2 or b[3] <= a[1] + 2, (
                "texts overlap"
            )


@pytest.mark.parametrize("count", range(1, 9))
def test_one_to_eight_panels_are_tidy(count: int):
    drawn = figure(example(texts=tuple(f"a photo of thing {n}" for n in range(count))))
    pictures = [area for area in drawn.axes if area.images]
    assert len(pictures) == 1 + 2 * count  # the image, then a map and a colour bar each
    assert_tidy(drawn)


@pytest.mark.parametrize(("methods", "columns"), [(2, 3), (4, 5), (5, 6), (7, 4)])
def test_every_text_begins_a_row_where_methods_are_compared(methods: int, columns: int):
    panels = panels_of([replace(example(), method=f"method {n}") for n in range(methods)])
    rows = rows_of(panels)
    assert max(map(len, rows)) == columns
    assert all(len({panels[n].text for n in row if n is not None}) == 1 for row in rows)
    assert [panels[row[1]].text for row in rows if row[0] is None] == list(example().texts)


def test_prompts_are_shown_letter_by_letter_and_never_break_the_page():
    texts = (
        "$x_1$ costs $5",
        HOSTILE,
        "a very long prompt " * 20,
        "W" * 200,
        "one\ntwo\tthree\x00",
        "",
    )
    drawn = figure(example(texts=texts), mask=SCENE.mask("owl"))
    assert "$x_1$ costs $5" in words(drawn) and "one two three\ufffd" in words(drawn)
    assert any(line.endswith("…") for line in words(drawn))
    assert_tidy(drawn)


def test_the_empty_text_has_a_title():
    assert "(empty text)" in words(figure(example(texts=("an owl", ""))))


def test_letters_without_a_font_are_marked_and_explained():
    drawn = figure(example(texts=("a \U00013080 b",)))
    assert "a \ufffd b" in words(drawn)
    assert "missing from the fonts" in " ".join(words(drawn))
    assert "none of the fonts" not in " ".join(words(figure(example())))


def test_presence_unit_normalisation_and_notes_are_written():
    drawn = figure(example(notes=("the empty text was subtracted",)))
    assert "clip_surgery" in words(drawn) and all(
        any(line.startswith(w) for line in words(drawn))
        for w in ("presence 0.30", "presence −0.10")
    )
    everything = " ".join(words(drawn))
    assert (
        "Colour: cosine similarity; each map on its own scale" in everything
        and "the empty text was subtracted" in everything
    )


def test_colour_bar_has_the_maps_own_numbers():
    e = example(texts=("an owl",))
    assert {f"{e.scores.min():.3g}".replace("-", "−"), f"{e.scores.max():.3g}"} <= set(
        words(figure(e))
    )


def test_overlay_shows_the_tables_colour_of_each_patch():
    (panel,) = panels_of([example(texts=("an owl",))])
    (scale,) = scales_of([panel.scores], ["a"], "minmax")
    row, column = np.unravel_index(panel.scores.argmax(), (14, 14))
    pixels = overlay(panel.picture, panel.scores, scale, opacity=1.0)
    centre = pixels[
        int((row + 0.5) * pixels.shape[0] / 14), int((column + 0.5) * pixels.shape[1] / 14)
    ]
    np.testing.assert_allclose(centre, colour_table("viridis")[255], atol=3)


def test_outside_of_a_crop_is_dimmed_and_uncoloured():
    (panel,) = panels_of([cropped()])
    (scale,) = scales_of([panel.scores], ["a"], "minmax")
    pixels = overlay(panel.picture, panel.scores, scale, opacity=1.0).astype(int)
    outside, inside = pixels[:, : pixels.shape[1] // 6], pixels[:, pixels.shape[1] // 2]
    assert np.ptp(outside, axis=2).max() == 0 and outside.max() <= 0.3 * 255 + 1
    assert np.ptp(inside, axis=1).min() > 20
    assert_tidy(figure(cropped()))


def test_constant_map_says_so_and_missing_patches_are_hatched():
    e = example(texts=("flat", "holes", "nothing"))
    scores = e.scores.copy()
    scores[0], scores[1, 3, 4:6], scores[2] = 0.25, np.nan, np.nan
    e = replace(e, scores=scores)
    drawn = figure(e)
    assert NOT_KNOWN in words(drawn) and NOT_KNOWN not in words(figure(example()))
    assert "no variation" in words(drawn) and "no finite value" in words(drawn)
    assert [
        len(area.patches) for area in drawn.axes if area.images and area.get_xlim()[1] == 112
    ] == [0, 0, 2, 196]
    assert_tidy(drawn)


def test_truth_gives_outline_overlap_and_contrast():
    good, bad = example("good"), example("bad", sign=-1.0, seed=1)
    panels = panels_of([bad, good], mask=MASKS)
    assert panels[1].merits["IoU"] > 0.5 > panels[0].merits["IoU"]
    assert panels[1].merits["contrast"] > 0.3 and panels[0].merits["contrast"] < -0.3
    heat = good.heatmap("an owl")
    assert panels[1].merits["contrast"] == pytest.approx(
        heat[MASKS["an owl"]].mean() - heat[~MASKS["an owl"]].mean()
    )
    drawn = figure([bad, good], mask=MASKS)
    assert sum(len(area.collections) for area in drawn.axes) == 4
    assert_tidy(drawn)


def test_rank_correlation_agrees_with_known_values():
    assert rank_correlation(np.array([1, 2, 3]), np.array([10, 20, 15])) == pytest.approx(0.5)
    assert rank_correlation(np.array([1, 2, 2, 4]), np.array([1, 2, 2, 4]) ** 3) == pytest.approx(1)
    assert rank_correlation(np.array([1, 2, 2, 3]), np.array([1, 2, 3, 4])) == pytest.approx(
        0.9486832980505138
    )
    assert np.isnan(rank_correlation(np.ones(3), np.arange(3)))


def test_every_map_is_compared_with_the_first_method_on_its_text():
    panels = panels_of([example("a"), example("b", sign=-1.0), example("c", grid=7)])
    assert [(p.text, p.explanation.method, "rank corr." in p.merits) for p in panels[:3]] == [
        ("an owl", "a", False),
        ("an owl", "b", True),
        ("an owl", "c", True),
    ]
    assert panels[2].merits["rank corr."] > 0.2  # another grid, same owl


def test_rows_keep_methods_of_a_text_together():
    methods = [example(str(n)) for n in range(3)]
    assert rows_of(panels_of(methods)) == [[None, 0, 1, 2], [None, 3, 4, 5]]
    assert rows_of(panels_of(methods[:1])) == [[None, 0, 1]]


def test_wrong_input_is_explained():
    e = example()
    with pytest.raises(TypeError, match="expected Explanation .* got str"):
        figure("photo.jpg")
    with pytest.raises(ValueError, match="list is empty"):
        figure([])
    with pytest.raises(ValueError, match="no text was chosen"):
        figure(e, texts=[])
    with pytest.raises(ValueError, match="no text 'a dog'"):
        figure(e, texts=["a dog"])
    with pytest.raises(ValueError, match="different images"):
        figure([e, cropped()])
    with pytest.raises(ValueError, match=r"shape \(3, 3\)"):
        figure(e, mask=np.ones((3, 3), bool))
    with pytest.raises(ValueError, match="none of the masks"):
        figure(e, mask={"owl": MASKS["an owl"]})
    with pytest.raises(ValueError, match="opacity"):
        figure(e, alpha=2)


def test_nothing_global_changes():
    before = dict(rcParams)
    figure([example("a"), example("b")])
    assert dict(rcParams) == before


def test_figure_heat_map_and_measure_know_the_same_pixels():
    """What is hatched is what no number counts; the colours around it are the heat-map's."""
    e = example(texts=("an owl", "a clock"))
    scores = e.scores.copy()
    scores[0, 3, 4:6], scores[0, 9, 9] = np.nan, np.nan
    holed = replace(e, scores=scores)
    panel, other = panels_of([holed, e], texts=["an owl"], mask=MASKS)
    heat, truth = holed.heatmap(), MASKS["an owl"]
    patch = 112 // 14
    expected = np.zeros((112, 112), bool)
    for row, column in ((3, 4), (3, 5), (9, 9)):
        expected[row * patch : (row + 1) * patch, column * patch : (column + 1) * patch] = True
    assert (np.isnan(heat) == expected).all()
    pixels = overlay(panel.picture, panel.scores, Scale(0, 1, "viridis"), opacity=1.0)
    coloured = np.ptp(pixels[2::5, 2::5].astype(int), axis=2) > 0  # five pixels for one
    assert not coloured[expected].any() and coloured[~expected].all()
    known = ~expected
    hot = heat[known] >= 0.5
    assert panel.merits["IoU"] == pytest.approx(iou(hot, truth[known]) / 100)
    assert panel.merits["contrast"] == pytest.approx(score_contrast(heat, truth) / 100)
    patches = ~np.isnan(scores[0])
    assert other.merits["rank corr."] == pytest.approx(1)
    assert rank_correlation(scores[0][patches], e.scores[0][patches]) == pytest.approx(1)
