"""Is the truth beside the maps what the scene without the thing gives?"""

import html
import re

import numpy as np
import pytest

import clipxai as cx


@pytest.fixture
def explorer(embedded):
    return cx.Explorer(embedded)


def cells(explorer):
    rows = re.findall("<tr>(.*?)</tr>", explorer.controls.left_out.value)
    return [re.findall("<td>(.*?)</td>", row) for row in rows]


def test_the_truth_stands_beside_what_the_maps_promised(explorer, embedded):
    c = explorer.controls
    assert c.left_out.layout.display == "none"
    c.leave_out.value = True
    assert cells(explorer)[0] == [
        "the cosine changes without",
        "cat",
        "guitar",
        "brightest by clip",
        "brightest by clip_surgery",
    ]
    scene, texts = explorer.wish().scene, ["a cat", "a guitar"]
    found = np.array(
        [[float(cell.replace("−", "-")) for cell in row[1:3]] for row in cells(explorer)[1:]]
    )
    for n, name in enumerate(scene.objects):
        bare = cx.record(embedded, scene.without(name).image, texts)
        lost = cx.explain(bare, "clip").presence - cx.explain(explorer.trace, "clip").presence
        np.testing.assert_allclose(found[:, n], lost, atol=6e-4)
    assert found[0, 0] < -0.1, "without the cat there is less of a cat"
    promised = [row[3:] for row in cells(explorer)[1:]]
    assert promised == [["✗ guitar", "✓ cat"], ["✗ cat", "✓ guitar"]]


def test_where_the_truth_is_not_known_that_is_said(explorer):
    c = explorer.controls
    c.leave_out.value = True
    c.silencer.off = {"heads": [[6, 3]]}
    assert "while something is silenced" in c.left_out.value
    c.hear.click()
    c.texts.value = "<b>a cat</b>"
    assert "&lt;b&gt;" in c.left_out.value and "<b>" not in c.left_out.value
    c.view.value = "words"
    assert c.left_out.layout.display == "none" and html.unescape(c.left_out.value) == ""
