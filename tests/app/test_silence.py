"""Do the parts that were clicked off do what `cx.ablate` does, and does the line say so?"""

import html
import re

import numpy as np
import pytest

import clipxai as cx
from clipxai.app.silence import Silence

ALL = {
    "heads": [[6, 3], [6, 1], [2, 0]],
    "ffns": [4],
    "attention": [1],
    "patches": [100, 30],
    "words": [[1, 1], [0, 1]],
}


@pytest.fixture
def explorer(embedded):
    return cx.Explorer(embedded)


def line(explorer):
    return html.unescape(re.search("<code>(.*)</code>", explorer.controls.message.value)[1])


def test_the_line_is_runnable_and_gives_the_map_that_is_shown(explorer):
    c = explorer.controls
    c.silencer.off = ALL
    assert line(explorer) == (
        "cx.explain(cx.ablate(cx.ablate(cx.ablate(trace, heads={2: [0], 6: [1, 3]}, attention=[1], "
        "ffns=[4], patches=[30, 100]), words=[1]), words=[1], text=1), 'clip_surgery')"
    )
    run = eval(line(explorer), {"cx": cx, "trace": explorer.trace})
    np.testing.assert_array_equal(run.scores, explorer.viewer.explanations[-1].scores)
    np.testing.assert_array_equal(run.scores, explorer.explanation.scores)
    assert np.abs(run.scores - cx.explain(explorer.trace).scores).max() > 0.05
    for view in ("attention", "modules"):
        c.view.value = view
        assert "ablate" in line(explorer) and explorer.error is None
        np.testing.assert_array_equal(explorer.explanation.scores, run.scores)


def test_what_cannot_be_asked_without_words_is_told(explorer):
    explorer.controls.silencer.off = {"words": [[0, 1]]}
    explorer.controls.view.value = "words"  # leaves words out of a text that is none any more
    assert "let them speak, or choose another view" in explorer.controls.message.value


def test_one_click_hears_everything_again(explorer):
    c, before = explorer.controls, explorer.explanation.scores
    c.silencing.value = True
    assert "→" not in c.scored.value and c.hear.disabled
    assert c.scored.value.endswith("; click a head, FFN, patch or word to silence it")
    c.silencer.off = {"heads": [[6, 3]]}
    was, now = (
        cx.explain(pass_).presence
        for pass_ in (explorer.trace, cx.ablate(explorer.trace, heads={6: [3]}))
    )
    assert c.scored.value == (
        f"cosine with “a guitar” {was[1]:.2f} → {now[1]:.2f}, “a cat” {was[0]:.2f} → {now[0]:.2f}"
    )
    assert c.silencing.description == "silence (1)"
    c.hear.click()
    assert "ablate" not in line(explorer) and c.silencer.off == {}
    np.testing.assert_array_equal(explorer.explanation.scores, before)
    assert explorer.session.recorded == 1, "all from one recording"


def test_a_changed_rank_is_told(explorer):
    c = explorer.controls
    c.silencing.value, c.texts.value = True, "a guitar\na cat"
    on_guitar = np.flatnonzero(cx.explain(explorer.trace).heatmap(0, (14, 14)).ravel() > 0.4)
    c.silencer.off = {"patches": on_guitar.tolist()}
    assert "“a cat”" in c.scored.value.split(",")[0] and "(rank 2 → 1)" in c.scored.value


def test_what_is_silent_stays_as_long_as_it_is_there(explorer, embedded):
    c = explorer.controls
    c.silencer.off = {"heads": [[6, 3]], "words": [[0, 1]]}
    c.seed.value = 5
    assert "words=[1]" in line(explorer), "another image, the same words"
    c.texts.value = "a pizza"
    assert line(explorer) == "cx.explain(cx.ablate(trace, heads={6: [3]}), 'clip_surgery')"


def test_a_tower_without_blocks_has_nothing_to_silence(embedded, golden_resnet):
    resnet = golden_resnet[0]
    resnet.tokenizer = embedded.tokenizer
    try:
        explorer = cx.Explorer({"small": embedded, "resnet": resnet})
        c = explorer.controls
        c.silencing.value, c.silencer.off = True, {"heads": [[6, 3]]}
        c.model.value = "resnet"
        assert c.silencing.disabled and not c.silencing.value
        assert not c.silencer.silence
    finally:
        resnet.tokenizer = None


def test_nothing_is_nothing(explorer):
    nothing = Silence.of({"heads": [], "words": []})
    assert not nothing and nothing.of_trace(explorer.trace) is explorer.trace
