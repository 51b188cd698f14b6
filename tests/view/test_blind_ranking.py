"""Does a ranking by eye hide whose map is whose, and count what a class pasted?"""

from dataclasses import replace

import numpy as np
import pytest
from view_examples import HOSTILE, MASKS, example, texts_of

from clipxai.view import BlindRanking
from clipxai.view.html import fragment, page

ELSEWHERE = {"model": "another"}, {"changed": "head 3 of layer 6 to zero"}
UPRIGHT = [example(name, seed=n) for n, name in enumerate(("gem", "legrad", "maskclip"))]
MAPS = [*UPRIGHT, example("clip", sign=-1.0)]  # the last is upside down


def test_the_seed_deals_and_contrast_is_that_of_the_mask():
    ballot = BlindRanking(MAPS, MASKS, seed=5).ballot
    assert {e.method for e in ballot.dealt} == {e.method for e in MAPS}
    for e, contrast in zip(ballot.dealt, ballot.contrasts):
        heat, mask = e.heatmap("an owl"), MASKS["an owl"]
        assert contrast == pytest.approx(heat[mask].mean() - heat[~mask].mean())
    dealt = BlindRanking(MAPS, MASKS, seed=5).payload().header["maps"]
    beside = [not mask.flat[e.heatmap("an owl").argmax()] for e in ballot.dealt]
    assert [one["told"] for one in dealt] == ["hottest pixel outside" * out for out in beside]
    assert any(beside) and not all(beside)
    assert ballot.by_contrast()[[e.method for e in ballot.dealt].index("clip")] == 4
    dealt = {
        tuple(e.method for e in BlindRanking(MAPS, MASKS, seed=s).ballot.dealt) for s in range(9)
    }
    assert len(dealt) > 3


def test_nothing_that_is_seen_first_names_a_method():
    viewer = BlindRanking(MAPS, MASKS)
    header = viewer.payload().header
    seen = [viewer.summary, header["story"], *header["notes"], *header["words"].values()]
    seen += texts_of(viewer.first_state())
    for name in viewer.ballot.names:
        assert not any(name in words for words in seen), name
        assert name in " ".join(texts_of(viewer.figure()))


def test_maps_by_one_method_are_told_apart():
    one, other, third = (example("gem", seed=n) for n in range(3))
    other = replace(other, provenance=other.provenance | {"model": "another"})
    ballot = BlindRanking([one, other, third, MAPS[3]], MASKS).ballot
    letters = {id(e): letter for e, letter in zip(ballot.dealt, ballot.letters)}
    names = {id(e): name for e, name in zip(ballot.dealt, ballot.names)}
    assert names[id(other)] == "GEM, another" and names[id(MAPS[3])] == "raw CLIP"
    for e in (one, third):
        assert names[id(e)].endswith(f", map {letters[id(e)]}")
    assert len({*ballot.names}) == 4


def test_codes_of_a_class_are_counted():
    ballot = BlindRanking(MAPS, MASKS).ballot
    best = "".join(ballot.letters[n] for n in np.argsort(-ballot.contrasts))
    end = f"-{ballot.stamp}"
    codes = f"{best}{end}\n {(best[::-1] + end).lower()}; {best}{end}"
    found = BlindRanking(MAPS, MASKS, votes=codes).ballot
    assert found.agreements().tolist() == [6, 0, 6], "all six pairs, or none"
    first, last = (found.letters.index(best[n]) for n in (0, -1))
    assert found.counts()[first].tolist() == [2, 0, 0, 1]
    np.testing.assert_allclose(found.means()[[first, last]], [(1 + 1 + 4) / 3, (4 + 4 + 1) / 3])
    assert found.order()[0] == first
    story = BlindRanking(MAPS, MASKS, votes=codes).payload().header["story"]
    assert (
        story.startswith(
            f"3 rankings: the class puts {found.names[first]} first; by contrast it is "
        )
        and "guessing gives 3." in story
    )
    assert "4.0 of 6 pairs" in story


def test_codes_of_another_figure_are_refused():
    stamp = BlindRanking(MAPS, MASKS).ballot.stamp
    for code in ("ABCD-0000", f"ABC-{stamp}", f"AABC-{stamp}", "so much", f"ABCE-{stamp}"):
        with pytest.raises(ValueError, match=f"is no code of this figure.*end in {stamp}"):
            BlindRanking(MAPS, MASKS, votes=code)
    others = [
        BlindRanking(MAPS[::-1], MASKS),
        BlindRanking(MAPS[:3], MASKS),
        BlindRanking(MAPS, MASKS, text="a clock"),
        BlindRanking([replace(e, image=255 - e.image) for e in MAPS], MASKS),
        *(BlindRanking([replace(e, provenance=told) for e in MAPS], MASKS) for told in ELSEWHERE),
        # of another model that is called the same, as those that came from memory are
        BlindRanking([replace(e, scores=e.scores[:, ::-1]) for e in MAPS], MASKS),
    ]
    last_digits = [replace(e, scores=e.scores * np.float32(1.000001)) for e in MAPS]
    assert BlindRanking(last_digits, MASKS).ballot.stamp == stamp
    assert all(other.ballot.stamp != stamp for other in others)


def test_refused():
    flat = replace(example("flat"), scores=np.ones((2, 14, 14), np.float32))
    for given, words in (
        (lambda: BlindRanking(MAPS[:1], MASKS), "1 maps cannot be ranked by eye: pass 2 to 12"),
        (lambda: BlindRanking(MAPS, {"a key": MASKS["an owl"]}), "the truth of 'an owl' is not"),
        (lambda: BlindRanking([*MAPS, flat], MASKS), "by flat has no variation"),
        (lambda: BlindRanking(MAPS, np.zeros((112, 112), bool)), "has no inside"),
        (lambda: BlindRanking(MAPS, np.zeros((9, 9), bool)), "the mask has shape"),
        (lambda: BlindRanking(MAPS, MASKS, text="a key"), "a key"),
    ):
        with pytest.raises(ValueError, match=words):
            given()


def test_a_hostile_text_stays_a_text():
    hostile = [replace(e, texts=(HOSTILE, "b")) for e in MAPS]
    viewer = BlindRanking(hostile, MASKS["an owl"])
    assert "<img src=x" not in page(viewer) + fragment(viewer)
