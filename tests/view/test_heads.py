"""Does the viewer of heads show the shares it was given, and do they add up?"""

import re
from dataclasses import replace

import numpy as np
import pytest
from inside_examples import contributions, head_contributions
from view_examples import HOSTILE, MASKS, SCENE, damaged, texts_of

from clipxai.view import HeadGrid, save, show
from clipxai.view.head_grid.sentences import proof
from clipxai.view.html import page
from clipxai.view.number import fill, number, signed
from clipxai.view.payload import unpack

OWL = MASKS["an owl"]
PARTS = head_contributions()


def test_cells_are_the_shares_of_every_head_bias_and_ffn():
    viewer = HeadGrid(PARTS)
    cells = viewer.shares.cells(1)
    assert cells.shape == (3 + 2, 4)
    for layer in range(4):
        for head in range(3):
            assert cells[head, layer] == pytest.approx(
                sum(PARTS.heads[layer, head, 1].tolist()), abs=1e-7
            )
    np.testing.assert_array_equal(cells[3:], [PARTS.attention_bias[:, 1], PARTS.ffn[:, 1]])
    np.testing.assert_allclose(
        cells.sum() + PARTS.embedding[1] + PARTS.norm_bias[1], PARTS.similarity[1], atol=1e-6
    )


def test_the_strongest_head_comes_first_unless_another_is_asked_for():
    assert HeadGrid(PARTS).head == (2, 1)
    assert HeadGrid(PARTS, head=(-1, 0)).head == (3, 0)
    one, every = HeadGrid(PARTS).shares.maps(0, 2, 1)
    np.testing.assert_array_equal(one, PARTS.heads[2, 1, 0, 1:])
    np.testing.assert_allclose(every, PARTS.heads[:, :, 0, 1:].sum((0, 1)), atol=1e-7)
    assert [scale.high for scale in HeadGrid(PARTS).shares.scales(0)] == [
        abs(PARTS.heads[:, :, 0, 1:]).max(),
        pytest.approx(abs(every).max()),
    ]


def test_the_closure_names_every_part_and_shows_a_missing_one():
    assert re.fullmatch(
        rf"heads \S+, their biases \S+, FFNs \S+, embedding \S+, final bias \S+: parts add up to "
        rf"{number(float(PARTS.similarity[0]))}; difference \d(e−\d+)?",
        proof(HeadGrid(PARTS).shares, 0),
    )
    broken = damaged(head_contributions())
    broken.similarity[0] += 0.1
    assert proof(HeadGrid(broken).shares, 0).endswith("difference 0.1")


def test_payload_holds_shares_within_the_codings_bound_and_sums_exactly():
    viewer = HeadGrid(PARTS)
    arrays = unpack(viewer.payload())
    bound = np.ptp(PARTS.heads[..., 1:], axis=-1, keepdims=True) / 131068 + 1e-8
    assert (abs(arrays["heads"] - PARTS.heads[..., 1:]) <= bound).all()
    np.testing.assert_array_equal(arrays["from_class"], PARTS.heads[..., 0])
    np.testing.assert_array_equal(arrays["cells"][1], viewer.shares.cells(1).astype(np.float32))
    only = HeadGrid(PARTS, texts=["a clock"])
    np.testing.assert_array_equal(
        unpack(only.payload())["cells"][0], viewer.shares.cells(1).astype(np.float32)
    )


def inside_of(mask: np.ndarray) -> list[int]:
    """Patches of 8 × 8 pixels, more than half of them inside, counted one by one."""
    side = mask.shape[0] // 14
    blocks = mask.reshape(14, side, 14, side).swapaxes(1, 2).reshape(196, -1)
    return [patch for patch, block in enumerate(blocks) if 2 * block.sum() > side * side]


def test_the_messenger_tells_what_was_fetched_and_written_on_the_thing():
    inside = inside_of(OWL)
    outside = sorted({*range(196)} - {*inside})
    assert 2 < len(inside) < 100
    viewer = HeadGrid(PARTS, truth={"an owl": OWL})
    header, found = viewer.payload().header, unpack(viewer.payload())
    owl, clock = header["messages"]
    for layer in range(4):
        wrote = [PARTS.written[layer, 0, of].mean(dtype=float) for of in (inside, outside)]
        np.testing.assert_allclose(found["written_on"][0, layer, :2], wrote, atol=1e-7)
        for head in range(3):
            fetched = PARTS.heads[layer, head, 0, 1:][inside].sum(dtype=float)
            np.testing.assert_allclose(found["fetched_on"][0, layer, head], fetched, atol=1e-7)
    assert "{on_it:signed} of it on the outline" in owl and "{outside:signed} into others" in owl
    assert np.isnan(found["fetched_on"][1]).all() and "outline" not in clock
    means = PARTS.written[:, 1].mean(-1, dtype=float)
    np.testing.assert_allclose(found["written_on"][1, :, 2], means, atol=1e-7)
    assert fill(clock, mean=float(means[2])).endswith(f"wrote {signed(means[2])} into each (mean).")
    bound = np.ptp(PARTS.written, axis=-1, keepdims=True) / 131068 + 1e-8
    assert (abs(found["written"] - PARTS.written) <= bound).all()
    assert header["gathers"] == "[class]" and "(key m)" in header["words"]["messenger_help"]


def test_a_thing_without_a_patch_is_no_thing_to_the_messenger():
    speck = np.zeros(SCENE.image.shape[:2], bool)
    speck[0, 0] = True
    viewer = HeadGrid(PARTS, truth={"an owl": speck})
    assert "outline" not in viewer.payload().header["messages"][0]
    words = texts_of(viewer.figure())
    assert "written by layer 2" in words
    mean = number(float(PARTS.written[2, 0].mean(dtype=float)))
    assert f"mean over patches {mean}" in words


def test_no_messenger_where_it_is_not_known_what_was_written():
    viewer = HeadGrid(replace(PARTS, written=None), truth={"an owl": OWL})
    header = viewer.payload().header
    assert not header["messages"] and not header["words"]["messenger_help"]
    assert "written" not in unpack(viewer.payload())
    assert "written by layer 2" not in texts_of(viewer.figure())


def test_figure_shows_every_share_and_the_closure():
    viewer = HeadGrid(PARTS)
    words = texts_of(viewer.figure())
    for value in viewer.shares.cells(0).ravel():
        assert f"{value:+.3f}".replace("-", "−") in words
    assert {"“an owl”", "layer 2, head 1", "all heads together", "FFN", "bias"} <= set(words)
    everything = " ".join(words)
    assert proof(viewer.shares, 0) in everything and "Direct shares only" in everything


def test_sixteen_heads_of_24_layers_are_drawn_without_numbers():
    large = head_contributions(texts=("an owl",), layers=24, heads=16)
    words = texts_of(HeadGrid(large).figure())
    assert "head 15" in words and not any(re.fullmatch(r"[+−]\d\.\d{3}", word) for word in words)
    payload = HeadGrid(large).payload()
    assert payload.size - len(payload.header["photo"]) < 300_000


def test_values_that_are_no_numbers_survive():
    broken = damaged(head_contributions())
    broken.heads[1, 0, 0, 5] = np.nan
    viewer = HeadGrid(broken)
    assert viewer.head == (2, 1) and np.isnan(unpack(viewer.payload())["heads"][1, 0, 0, 4])
    viewer.figure()


def test_show_and_save_know_head_contributions(tmp_path):
    assert isinstance(show(PARTS), HeadGrid)
    for suffix in (".html", ".png", ".svg", ".pdf"):
        assert save(PARTS, tmp_path / f"heads{suffix}").stat().st_size > 5000


def test_hostile_texts_never_become_markup():
    assert "<img src=x" not in page(HeadGrid(head_contributions(texts=(HOSTILE,))))


def test_wrong_input_is_explained():
    with pytest.raises(TypeError, match="expected HeadContributions .* got Contributions"):
        HeadGrid(contributions())
    with pytest.raises(IndexError, match="no head 3 in layer 0: there are 4 layers and 3 heads"):
        HeadGrid(PARTS, head=(0, 3))
    with pytest.raises(ValueError, match="no text 'a dog'"):
        HeadGrid(PARTS, texts=["a dog"])
