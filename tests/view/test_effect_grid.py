"""Does the grid of effects show its numbers, and where effect and share disagree?"""

from dataclasses import replace

import numpy as np
import pytest
from inside_examples import PICTURE, TEXTS, effects, head_contributions
from view_examples import HOSTILE, texts_of

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
