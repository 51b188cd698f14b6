"""Do maps, sentences and diagram of the walk belong to the same step?"""

import json
from dataclasses import replace

import numpy as np
import pytest
from surgery_examples import contrast, surgery_steps
from view_examples import HOSTILE, MASKS, TEXTS, texts_of

import clipxai as cx
from clipxai.view import SurgeryWalk
from clipxai.view.html import page
from clipxai.view.number import hundredths
from clipxai.view.payload import unpack
from clipxai.view.surgery_walk.content import Walk
from clipxai.view.surgery_walk.diagram import board_of
from clipxai.view.surgery_walk.sentences import stories, whole

FOUND = surgery_steps()


def test_every_step_has_its_map_contrast_and_sentence():
    viewer = SurgeryWalk(FOUND, truth=MASKS)
    header, arrays = viewer.payload().header, unpack(viewer.payload())
    for n, text in enumerate(TEXTS):
        told, known = header["texts"][n], []
        for step, e in enumerate(FOUND.maps):
            span = np.ptp(e.scores[n])
            np.testing.assert_allclose(
                arrays[f"map{n}"][step], e.scores[n].ravel(), atol=span / 60_000
            )
            known.append(contrast(e.heatmap(n), MASKS[text]))
            assert told["contrasts"][step] == pytest.approx(known[-1] / 100)
            assert told["verdicts"][step].endswith(told["written"][step])
        raw, path, attention, ffn, empty = told["stories"]
        assert raw == f"Raw CLIP: the map of “{text}” is upside down {told['written'][0]}."
        assert "as it was: upside down" in path
        assert f"turns the map of “{text}” the right way up: contrast" in attention
        assert f" {told['written'][1]} to {told['written'][2]}." in attention
        for story, before, after in ((ffn, known[2], known[3]), (empty, known[3], known[4])):
            if round(before) != round(after):
                assert ("raises" in story) == (after > before)
                assert ("lowers" in story) == (after < before)
        gains = np.diff(known)
        most = ("a second path", "v-v attention", "no FFN", "− empty text")[gains.argmax()]
        assert f"Most came from {most}: +{gains.max():.0f}." in empty
        assert told["outlines"]
    written = " ".join(" ".join(texts_of(viewer.figure())).split())
    assert written.count("Raw CLIP's map of") == 2 and "CLIP Surgery's the right way up" in written
    assert " ".join(texts_of(viewer.first_state())).count("Raw CLIP's map of") == 1


@pytest.mark.parametrize(
    ("contrasts", "most"),
    [
        ([-0.3, -0.3, 0.6, 0.5, 0.6], " Most came from v-v attention: +90."),
        ([0.2, 0.2, 0.11, 0.1, 0.12], ""),  # less than at first
        ([-0.26, -0.26, 0.02, 0.29, 0.5], ""),  # three parts did a third each
        ([-0.3, -0.3, None, 0.5, 0.7], ""),  # who knows what made +50
    ],
)
def test_most_came_from_a_part_only_where_it_did(contrasts, most):
    walk = Walk.of(FOUND, MASKS, [0])
    walk.__dict__["contrasts"] = [contrasts]
    assert stories(walk, 0)[-1].endswith(f"to {hundredths(contrasts[-1])}.{most}")
    assert ("Most" in whole(walk, 0)) == bool(most)


def test_without_truth_and_with_other_parts():
    bare = SurgeryWalk(FOUND, texts=["a clock"]).payload().header
    (told,) = bare["texts"]
    assert told["name"] == "a clock" and told["stories"][2].endswith(": the map of “a clock”.")
    assert told["contrasts"] == [None] * 5 and not any(told["verdicts"] + told["written"])
    assert not any("contrast" in note for note in bare["notes"])
    pool = SurgeryWalk(surgery_steps(("raw", "attention", "empty"), 1, 1), truth=MASKS)
    told = pool.payload().header
    assert [step["name"] for step in told["steps"]] == ["raw CLIP", "v-v attention", "− empty text"]
    assert all("attention pool" in step["why"] for step in told["steps"][:2]), "and no stream"
    assert not any(box["word"] == "FFN" for box in told["board"]["boxes"])
    assert "pool" in " ".join(texts_of(pool.figure()))
    single = surgery_steps(layers=12, blocks=1)
    assert "the last layer." in SurgeryWalk(single).payload().header["steps"][1]["why"]
    cut = SurgeryWalk(surgery_steps(("raw", "path", "attention", "ffn")), truth=MASKS, step=-1)
    assert cut.payload().header["step"] == 3
    assert any("no empty text to subtract" in note for note in cut.payload().header["notes"])
    assert not any("no empty text" in note for note in bare["notes"])
    assert "CLIP Surgery's" not in " ".join(texts_of(cut.figure())), "without the empty text"
    flat = replace(FOUND.maps[4], scores=np.zeros_like(FOUND.maps[4].scores))
    flat = SurgeryWalk(replace(FOUND, maps=(*FOUND.maps[:4], flat)), truth=MASKS)
    told = flat.payload().header["texts"][0]
    assert told["remarks"][4] == "no variation" and told["contrasts"][4] is None
    json.dumps(flat.payload().header, allow_nan=False)


def there(board, step: int) -> set[str]:
    """Words of the second path's boxes at a step, with a minus where they are crossed out."""
    boxes = [box for box in board.boxes if box.kind == "second"]
    return {
        ("−" if step >= box.out else "") + box.word
        for box in boxes
        if box.since <= step <= box.until
    }


def test_the_diagram_has_what_the_step_has():
    board = board_of(FOUND)
    told = [there(board, step) for step in range(5)]
    assert told == [
        set(),
        {"q-k", "FFN"},
        {"v-v", "FFN"},
        {"v-v", "−FFN"},
        {"v-v", "−FFN", "− empty"},
    ]
    assert [word for _, word in board.ticks] == ["0–1", "layer 2", "3", "4", "5", "6", "7"]
    for layers, blocks, first in (
        (8, 8, "layer 0"),
        (9, 8, "0"),
        (24, 6, "0–17"),
        (3, 3, "layer 0"),
    ):
        board = board_of(surgery_steps(layers=layers, blocks=blocks))
        assert board.ticks[0][1] == first
        own = [box for box in board.boxes if box.kind == "model" and box.word == "q-k"]
        assert len(own) == blocks
        every = sorted(
            (box.left, box.left + box.width) for box in board.boxes if box.kind == "model"
        )
        assert all(end <= start for (_, end), (start, _) in zip(every, every[1:], strict=False))
        assert every[0][0] >= 0 and every[-1][1] <= 1000
    # where patches are read: one line leads to the map at every step, from the second path once
    # there is one
    ends = [
        [
            line.kind
            for line in board.lines
            if line.points[-2] == 934 and line.since <= n <= line.until
        ]
        for n in range(5)
    ]
    assert ends == [["model"]] + [["second"]] * 4


def test_shown_by_show_and_refused():
    trace = cx.record(cx.load(), cx.scenes.compose(["cat", "guitar"]).image, ["a cat", "xyz"])
    scene = cx.scenes.compose(["cat", "guitar"])
    viewer = cx.show(cx.surgery_steps(trace), scene=scene)
    assert type(viewer) is SurgeryWalk
    cat, nonsense = viewer.payload().header["texts"]
    assert cat["outlines"] and not nonsense["outlines"] and cat["contrasts"][0] is not None
    for given, error, words in (
        (lambda: SurgeryWalk("steps"), TypeError, "surgery_steps"),
        (lambda: SurgeryWalk(FOUND, texts=["a dog"]), ValueError, "a dog"),
        (lambda: SurgeryWalk(FOUND, truth={"a dog": MASKS["an owl"]}), ValueError, "none of the"),
        (lambda: SurgeryWalk(FOUND, step=5), IndexError, "step number 5"),
        (lambda: SurgeryWalk(FOUND, budget=100).payload(), ValueError, "budget"),
    ):
        with pytest.raises(error, match=words):
            given()
    turned = SurgeryWalk(surgery_steps(texts=("", "cat \u202eb\nc"))).payload().header
    assert [text["name"] for text in turned["texts"]] == ["(empty text)", "cat \ufffdb c"]
    assert turned["summary"].endswith("; (empty text), cat \ufffdb c")
    assert "“cat \ufffdb c”" in turned["texts"][1]["stories"][0], "nothing turns the sentence over"
    hostile = SurgeryWalk(surgery_steps(texts=(HOSTILE, "b")))
    assert "<img src=x" not in page(hostile)
