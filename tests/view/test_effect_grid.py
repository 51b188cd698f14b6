"""Does the grid of effects show its numbers, and where effect and share disagree?"""

from dataclasses import replace

import numpy as np
import pytest
from inside_examples import PICTURE, TEXTS, effects, head_contributions
from view_examples import HOSTILE, example, texts_of

from clipxai.results.findings import AttentionMaps, HeadNames
from clipxai.view import EffectGrid, save, show
from clipxai.view.html import page
from clipxai.view.number import number, signed
from clipxai.view.payload import unpack

FOUND, SHARES = effects(), head_contributions()
VIEWER = EffectGrid(FOUND, SHARES)


def test_payload_holds_the_numbers_exactly():
    payload = VIEWER.payload()
    arrays = unpack(payload)
    cells = arrays["cells"].reshape(2, 2, 3, 4)
    np.testing.assert_array_equal(cells[:, 0], -FOUND.change.transpose(2, 1, 0))
    np.testing.assert_allclose(cells[:, 1], SHARES.heads.sum(-1).transpose(2, 1, 0), rtol=1e-6)
    assert payload.header["first"] == 0 * 4 + 1, "head 0 of layer 1"
    reach = float(abs(FOUND.change[..., 0]).max())
    scale = {"low": -reach, "high": reach, "colours": "RdBu_r"}
    assert payload.header["scales"][0][0] == pytest.approx(scale)


def test_disagreement_is_where_share_and_effect_differ_by_half_of_the_largest():
    apart = unpack(VIEWER.payload())["apart"].reshape(2, 3, 4)
    lost, added = -FOUND.change[..., 0].T, SHARES.heads[:, :, 0].sum(-1).T
    expected = abs(lost / abs(lost).max() - added / abs(added).max()) > 0.5
    np.testing.assert_array_equal(apart[0], expected)
    assert apart[0, 1, 2] and apart[0, 0, 1], "the largest share, the largest effect"
    assert not unpack(EffectGrid(FOUND).payload())["apart"].any()


def test_the_page_says_what_it_shows():
    written = " ".join(texts_of(VIEWER.figure()))
    assert "lost without it" in written and "its own share" in written
    assert f"layer 1, head 0: the cosine {number(float(FOUND.similarity[0]))}" in written
    assert "owes it +0.750" in written and "(they disagree)" in written
    assert "set to its mean" in written and "effects need not add up" in written
    assert signed(0.001) in written
    alone = " ".join(texts_of(EffectGrid(FOUND).figure()))
    assert "its own share" not in alone and "Pass shares= to see both." in alone
    guessed = EffectGrid(replace(FOUND, estimated=True))
    assert "estimates to first order" in " ".join(texts_of(guessed.figure()))
    changed = replace(PICTURE, provenance={"changed": "block 2 to zero"})
    started = EffectGrid(replace(FOUND, picture=changed))
    assert "What if: block 2 to zero. The rest ran again." in " ".join(texts_of(started.figure()))


@pytest.mark.parametrize("of", ["attention", "ffn", "blocks"])
def test_whole_modules_are_one_row(of, tmp_path):
    viewer = show(effects(of))
    assert isinstance(viewer, EffectGrid)
    assert viewer.payload().header["parts"] == [of]
    assert save(effects(of), tmp_path / "one.png").stat().st_size > 5000


def test_words_stand_beside_their_rows():
    change = np.array([[[-0.1], [0.2]], [[-0.3], [0]]], np.float32)
    words = replace(
        FOUND,
        texts=("an owl",),
        of="words",
        tower="text",
        change=change,
        similarity=FOUND.similarity[:1],
        layers=(0, 5),
        words=("an", "owl"),
    )
    header = EffectGrid(words).payload().header
    assert header["parts"] == ["an", "owl"] and header["ticks"] == ["layer 0", "5"]
    assert "of the text tower" in header["summary"]


def known_heads(**more):
    """Attention, names and maps of heads, of made-up numbers."""
    P, rng = PICTURE.grid.patches, np.random.default_rng(0)
    looks = rng.random((4, 3, P + 1)).astype(np.float32)
    some = np.zeros((4, 3), np.float32)
    attention = AttentionMaps(PICTURE, {"qk": looks}, {"qk": looks}, some, some, some, some, ())
    texts = tuple(tuple((f"name {n}.{h}", "b") for h in range(3)) for n in range(4))
    names = HeadNames(texts, np.ones((4, 3, 2)), some, {}, 12, (0, 1, 2, 3), {})
    own = example("clip", TEXTS)
    before = replace(own, image=PICTURE.image, grid=PICTURE.grid)
    without = {(1, 0): replace(before, scores=before.scores * 2)}
    return dict(attention=attention, names=names, before=before, without=without) | more


def test_a_head_has_its_maps_what_it_looks_at_and_its_name():
    known = known_heads()
    viewer = EffectGrid(FOUND, SHARES, **known)
    header, arrays = viewer.payload().header["details"], unpack(viewer.payload())
    cell = 0 * 4 + 1  # head 0 of layer 1, row by row
    assert header["mapped"] == [cell] and header["names"][cell] == "name 1.0; b"
    maps = arrays["maps"].reshape(2, 2, 196)
    scores = known["before"].scores.reshape(2, 196)
    np.testing.assert_allclose(maps[:, 0], scores, atol=1e-4)
    np.testing.assert_allclose(maps[:, 1], 2 * scores, atol=1e-4)
    looks = arrays["looks"].reshape(12, 196)
    np.testing.assert_allclose(
        looks[cell], known["attention"].class_rows["qk"][1, 0, 1:], atol=1e-4
    )
    assert header["scales"][0]["high"] == pytest.approx(2 * abs(scores[0]).max())
    written = " ".join(texts_of(viewer.figure()))
    assert "Named: name 1.0; b." in written and {"without it", "it looks at"} < {
        *texts_of(viewer.figure())
    }
    assert "looks at: from the class token, each" in written
    pooled = replace(known["attention"], whole="[pool]", beside="")
    written = " ".join(
        texts_of(EffectGrid(FOUND, SHARES, **known | {"attention": pooled}).figure())
    )
    assert "all tokens together, each as much as the pool reads of it, each head" in written
    assert EffectGrid(FOUND).payload().header["details"] is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (dict(before=None), "before= and without= belong together"),
        (dict(without={(9, 0): None}), "expected Explanation"),
        (dict(attention=SHARES), "AttentionMaps or None is needed"),
        (dict(before=example("clip", ("a", "b"))), "of all their texts"),
    ],
)
def test_details_of_something_else_are_refused(more, message):
    with pytest.raises((TypeError, ValueError), match=message):
        EffectGrid(FOUND, SHARES, **known_heads(**more))
    with pytest.raises(IndexError, match="head 0 of layer 9, the effects have not"):
        EffectGrid(FOUND, **known_heads(without={(9, 0): known_heads()["before"]}))
    with pytest.raises(ValueError, match="of the image tower's heads"):
        EffectGrid(effects("ffn"), names=known_heads()["names"])


def test_files(tmp_path):
    for suffix in (".html", ".png", ".svg", ".pdf"):
        assert save(VIEWER, tmp_path / f"effects{suffix}").stat().st_size > 5000


def test_wrong_input_and_hostile_texts():
    with pytest.raises(ValueError, match="effects of patches are no grid"):
        EffectGrid(replace(FOUND, of="patches"))
    with pytest.raises(ValueError, match="not of the same trace"):
        EffectGrid(FOUND, head_contributions(seed=4))
    with pytest.raises(ValueError, match="effects are not"):
        EffectGrid(effects("ffn"), SHARES)
    with pytest.raises(TypeError, match="expected Effects"):
        EffectGrid(SHARES)
    with pytest.raises(ValueError, match="no text 'a dog'"):
        EffectGrid(FOUND, texts="a dog")
    hostile = EffectGrid(replace(FOUND, texts=(HOSTILE, TEXTS[1])))
    text = page(hostile)
    assert "<img src=x" not in text and text.count("</script>") == 2
