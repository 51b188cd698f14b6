"""Effects are what leaving things out by hand gives, and their measures what one counts by hand."""

import json
import math

import numpy as np
import pytest
import torch
from test_bench import write_voc

import clipxai as cx
from clipxai.cli import main
from clipxai.measure import effect_scores, questions
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.effect_meter import EffectMeter
from clipxai.measure.effect_scores import effects, inside, pairs
from clipxai.measure.meters import DRAWS
from clipxai.measure.metrics import METRICS
from clipxai.measure.summary import summary
from clipxai.results.maps import rank_correlation

NAN = math.nan


@pytest.fixture(scope="module")
def bench(embedded):
    return Bench(embedded, dataset("emoji-world"), ["decomposition", "rollout"], ["effect"])


@pytest.fixture(scope="module")
def of_two(bench):
    """(scene, what it was asked) of the first held-out scene that shows two things."""
    seed = next(n for n in range(50) if len(bench.data.read(str(n)).labels) == 2)
    read = bench._read(str(seed))
    return cx.scenes.sample(seed), bench._asked(read, bench.record(read.sample.image))


def test_an_effect_is_what_the_cosine_loses_without_the_thing(bench, of_two):
    scene, asked = of_two
    model = bench.model
    texts = model.encode_text([f"a photo of {cx.scenes.noun(name)}" for name in scene.objects])

    def cosine(image):
        return (model.encode_image(model.preprocess(image)) @ texts.T)[0].numpy()

    by_hand = [cosine(scene.image) - cosine(scene.without(name).image) for name in scene.objects]
    np.testing.assert_allclose(effects(bench, asked, "left out"), by_hand, atol=1e-5)


@pytest.mark.parametrize("how", ["mean", "blur"])
def test_a_thing_that_is_filled_in_is_gone_and_nothing_else(bench, of_two, how, monkeypatch):
    scene, asked = of_two
    seen = []
    encode = type(bench.model).encode_image
    monkeypatch.setattr(
        type(bench.model),
        "encode_image",
        lambda self, pixels: seen.append(pixels) or encode(self, pixels),
    )
    found = effects(bench, asked, how)
    (pixels,), (whole,) = seen, asked.trace.pixels
    for picture, mask in zip(pixels, scene.masks):
        changed = (picture != whole).any(0).numpy()
        assert not changed[~mask].any() and changed[mask].mean() > 0.99
    if how == "mean":
        assert (pixels[0][:, scene.masks[0]] == 0).all()
    assert (np.diag(found) > 0).all(), "what is there raises its own text"
    whole_image = asked.trace.image_features @ asked.trace.text_features[:2].T
    without = encode(bench.model, pixels) @ asked.trace.text_features[:2].T
    np.testing.assert_allclose(found, (whole_image - without).numpy(), atol=1e-5)


def test_sums_inside_masks_are_in_patches():
    grid = cx.Grid(2, 2, image_size=(20, 20), box=(0, 0, 20, 20))
    scores = np.array([[[1.0, 1], [1, 1]], [[2, 2], [2, np.nan]]], np.float32)
    maps = cx.Explanation(
        scores, ("a", "b"), "clip", grid, "cosine", np.zeros((20, 20, 3), np.uint8), np.zeros(2)
    )
    masks = np.zeros((2, 20, 20), bool)
    masks[0, :10], masks[1, 10:] = True, True
    # half of a map of ones is two patches; of the second text's lower half one patch is not known
    np.testing.assert_allclose(inside(maps, masks), [[2, 4], [2, 2]], atol=1e-5)


def test_the_first_thing_is_asked_for_where_there_are_several():
    true = np.array([[0.4, -0.1], [-0.2, 0.3]])
    right = pairs(np.array([[5.0, 1], [4, 2]]), true)
    assert right == [[1, 5, 0.4, 1], [0, 1, -0.1, pytest.approx(NAN, nan_ok=True)]] + [
        [0, 4, -0.2, pytest.approx(NAN, nan_ok=True)],
        [1, 2, 0.3, 1],
    ]
    wrong = pairs(np.array([[1.0, 3], [4, 2]]), true)
    assert [row[3] for row in wrong if row[0]] == [0, 0]
    assert math.isnan(pairs(np.array([[1.0]]), np.array([[0.3]]))[0][3])


def metered(*parts):
    meter = EffectMeter()
    for rows in parts:
        meter.update(rows)
    return meter.compute()


def rows_of(pictures, noise, seed=0):
    """Pictures of two things whose scores are the effects, in disorder by some noise."""
    draw = np.random.default_rng(seed)
    rows = []
    for place in range(pictures):
        true = np.where(np.eye(2) > 0, 0.4, -0.2) + draw.normal(0, 0.1, (2, 2))
        said = pairs(true + noise * draw.normal(size=(2, 2)), true)
        rows += [[place, *row] for row in said]
    return rows


def test_perfect_scores_and_their_opposite():
    found = metered(rows_of(30, noise=0))
    assert found["rank correlation"] == pytest.approx(100)
    assert found["right sign"] == found["right first thing"] == 100
    assert found["rank correlation error"] == pytest.approx(0, abs=1e-9)
    turned = metered([[p, own, -s, e, first] for p, own, s, e, first in rows_of(30, noise=0)])
    assert turned["rank correlation"] == pytest.approx(-100) and turned["right sign"] == 0
    flat = metered([[p, own, 0.0, e, first] for p, own, _, e, first in rows_of(5, noise=0)])
    assert math.isnan(flat["rank correlation"]) and math.isnan(flat["right sign"])


def test_a_correlation_is_that_of_ranks():
    rows = rows_of(40, noise=0.3)
    score, effect = np.array(rows)[:, 2], np.array(rows)[:, 3]
    places = [np.argsort(np.argsort(values)) for values in (score, effect)]  # no two are the same
    n, apart = len(rows), places[0] - places[1]
    spearman = 1 - 6 * (apart**2).sum() / (n * (n**2 - 1))
    assert metered(rows)["rank correlation"] == pytest.approx(100 * spearman)
    own = np.array([row[1] for row in rows]) == 1
    by_hand = np.corrcoef(*(np.argsort(np.argsort(v[own])) for v in (score, effect)))[0, 1]
    assert metered(rows)["rank correlation on own text"] == pytest.approx(100 * by_hand)


def test_an_error_is_the_deviation_over_other_pictures():
    """The error told from one set of pictures is how much sets of that size differ."""
    sets = [metered(rows_of(40, noise=0.3, seed=seed)) for seed in range(12)]
    for name in ("rank correlation", "right sign"):
        differ = np.std([found[name] for found in sets])
        told = np.mean([found[f"{name} error"] for found in sets])
        assert told == pytest.approx(differ, rel=0.5)


def test_an_error_is_that_of_rows_that_are_drawn():
    """Weights say of every draw what its rows, put together and ranked, do; of equal values too."""
    rows = np.array(rows_of(9, noise=0.2))
    rows[:, 2:4] = rows[:, 2:4].round(1)
    place = rows[:, 0].astype(int)
    count = len(np.unique(place))
    draws = np.random.default_rng(0).integers(count, size=(DRAWS, count))
    drawn = [rows[np.concatenate([np.flatnonzero(place == n) for n in draw])] for draw in draws]
    again = [rank_correlation(few[:, 2], few[:, 3]) for few in drawn]
    assert metered(rows)["rank correlation error"] == pytest.approx(100 * np.std(again))


def test_order_and_processes_do_not_matter():
    rows = rows_of(12, noise=0.2)
    np.testing.assert_equal(metered(rows[::-1]), metered(rows))
    np.testing.assert_equal(metered(rows[20:], rows[:20]), metered(rows))


def test_it_is_a_metric_of_the_bench(bench):
    scores = summary(bench, [bench.measure(name) for name in bench.data.ids[:12]])["scores"]
    assert set(scores) == {
        "(thing filled in: mean)",
        "(thing filled in: blur)",
        "decomposition",
        "rollout",
    }
    assert scores["decomposition"]["effect"]["rank correlation"] > 80
    assert abs(scores["rollout"]["effect"]["rank correlation"]) < 60
    filled = {how: scores[f"(thing filled in: {how})"]["effect"] for how in ("mean", "blur")}
    assert filled["mean"]["rank correlation"] > filled["blur"]["rank correlation"]


def test_who_compares_texts_is_asked_about_the_pictures_own(bench, of_two):
    """Absent labels are recorded too, and say nothing of what this picture's things did."""
    _, asked = of_two
    mine = Bench(bench.model, bench.data, ["decomposition_among_texts"], ["effect"])
    assert len(asked.trace.texts) > len(asked.labels) == 2
    rows = METRICS["effect"](mine, asked, cx.explain(asked.trace, "decomposition_among_texts"))
    plain = inside(cx.explain(asked.trace, "decomposition"), asked.sample.masks)
    np.testing.assert_allclose(
        np.array(rows)[:, 1].reshape(2, 2), plain - plain.mean(1, keepdims=True), atol=1e-6
    )


def test_photographs_are_filled_in_and_nothing_is_left_out(embedded, tmp_path):
    data = dataset(write_voc(tmp_path / "VOC2012", {"a": cx.scenes.compose("dog", seed=3)}))
    with pytest.raises(ValueError, match="effect needs pictures that can be drawn again"):
        Bench(embedded, data, ["clip"], ["effect"])
    mine = Bench(embedded, data, ["decomposition"], ["effect-mean", "effect-blur"])
    scores = mine.measure("a")["scores"]["decomposition"]
    for metric in mine.metrics:
        own, score, effect, first = scores[metric][0]
        assert own == 1 and score > 0 and effect > 0.1 and math.isnan(first)
    read = mine._read("a")
    asked = mine._asked(read, mine.record(read.sample.image))
    with pytest.raises(ValueError, match="fill it in"):
        effect_scores.effects(mine, asked, "left out")


def test_effects_of_one_picture_are_computed_once(bench, monkeypatch):
    asked = []
    real = effect_scores.effects
    monkeypatch.setattr(
        effect_scores, "effects", lambda *given: asked.append(given[2]) or real(*given)
    )
    with torch.no_grad():
        bench.measure("0")
    assert sorted(asked) == ["blur", "left out", "mean"]


def test_three_questions_stand_beside_one_another(embedded, tmp_path, capsys):
    """One table and one plot, where more than one was asked; each method says which it answers."""
    asked = "localisation,effect,words"
    command = ["bench", "--limit=4", "--methods=decomposition,clip_surgery", f"--metrics={asked}"]
    assert main([*command, f"--out={tmp_path}"]) == 0
    printed = capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text())
    page = (tmp_path / "leaderboard.md").read_text()
    table = page.split("Three questions:")[1].split("Everything that was measured:")[0]
    rows = {
        cells[0].strip("` "): [cell.strip() for cell in cells[1:]]
        for cells in (line.strip("|").split("|") for line in table.splitlines() if line)
    }
    assert rows["decomposition"][0] == "what made the score"
    assert rows["clip_surgery"][0] == "where"
    effect = results["scores"]["decomposition"]["effect"]
    told = f"{effect['rank correlation']:.1f} ± {effect['rank correlation error']:.1f}"
    assert told in rows["decomposition"] and told in printed
    report = (tmp_path / "report.html").read_text()
    assert "Which method for which question?" in report
    assert report.count("<svg") == 3 and "what made the score: rank correlation" in report
    points = questions.place_and_effect(results)
    assert {name for _, _, name in points} == {"decomposition", "clip_surgery"}
    of = results["scores"]["clip_surgery"]
    expected = of["localisation"]["mIoU at best of other half"], of["effect"]["rank correlation"]
    assert expected in [point[:2] for point in points]


def test_one_question_has_no_table_of_three(embedded):
    mine = Bench(embedded, dataset("emoji-world"), ["decomposition"], ["effect"])
    results = summary(mine, [mine.measure("0")])
    assert questions.questions(results, list(results["scores"])) == []
