"""Encoders: any size, any prompt, the same answer however they are asked."""

import pytest
import torch
import torch.nn.functional as F

import clipxai as cx
from clipxai.model.towers.positions import POSITION_SIZES_KEPT, resize_positions


def test_features_are_unit_length_unless_asked_otherwise(embedded, scene):
    pixels = embedded.preprocess(scene.image)
    assert torch.allclose(embedded.encode_image(pixels).norm(dim=-1), torch.ones(1))
    raw = embedded.encode_text(["a dog"], normalize=False)
    assert not torch.allclose(raw.norm(dim=-1), torch.ones(1))
    assert torch.allclose(F.normalize(raw, dim=-1), embedded.encode_text("a dog"))


def test_prompt_ensemble_is_normalise_mean_normalise(embedded):
    templates = ["a photo of a {}.", "there is a {} in the scene"]
    each = [embedded.encode_text([t.format("dog"), t.format("cat")]) for t in templates]
    expected = F.normalize((each[0] + each[1]) / 2, dim=-1)
    torch.testing.assert_close(embedded.encode_text(["dog", "cat"], templates=templates), expected)
    with pytest.raises(ValueError, match="every template needs a {}"):
        embedded.encode_text(["dog"], templates=["a photo"])
    with pytest.raises(ValueError, match="no text given"):
        embedded.encode_text([])


def test_template_sets():
    assert len(cx.IMAGENET_TEMPLATES) == len(set(cx.IMAGENET_TEMPLATES)) == 80
    assert cx.SURGERY_TEMPLATES[:80] == cx.IMAGENET_TEMPLATES and len(cx.SURGERY_TEMPLATES) == 85


def test_padding_behind_end_changes_nothing(embedded):
    ids = embedded.tokenize(["a dog", "a photo of a dog and two cats on the grass"])
    padded = F.pad(ids, (0, embedded.text.context - ids.shape[1]))
    assert torch.equal(embedded.encode_text(ids), embedded.encode_text(padded))
    assert embedded.text(padded).shape[1] == ids.shape[1], (
        "nothing behind the longest text is computed"
    )


def test_any_size_in_any_order(golden_vit):
    model, arrays, _ = golden_vit
    before = model.encode_image(arrays["image"])
    table = model.visual.positions.table.clone()
    for height, width in [(128, 128), (64, 120), (40, 200), (8, 8), (64, 64)]:
        image = torch.randn(1, 3, height, width)
        trace = cx.record(model, image, arrays["tokens"], normalized=True)
        assert trace.grid == (height // 8, width // 8)
        assert trace.image_tokens().shape == (1, 1 + height * width // 64, 64)
    assert torch.equal(model.visual.positions.table, table)
    assert torch.equal(model.encode_image(arrays["image"]), before)
    with pytest.raises(
        ValueError, match="image of 60x64 pixels does not fit patches of 8.*such as 56x64"
    ):
        model.encode_image(torch.randn(1, 3, 60, 64))


def test_resized_positions_are_remembered_but_not_for_ever(golden_vit):
    model, _, _ = golden_vit
    positions = model.visual.positions
    assert positions((9, 9)) is positions((9, 9))
    for side in range(10, 30):
        positions((side, side))
    assert len(positions._resized) <= POSITION_SIZES_KEPT
    positions.mode = "bicubic"
    bicubic = positions((9, 9))
    positions.mode = "bilinear"
    assert not torch.equal(bicubic, positions((9, 9)))
    torch.testing.assert_close(
        bicubic, resize_positions(positions.table, (8, 8), (9, 9), "bicubic")
    )


def test_bicubic_positions_can_be_asked_for(embedded, scene):
    bicubic = cx.load(positions="bicubic")
    same, larger = embedded.preprocess(scene.image), embedded.preprocess(scene.image, size=160)
    assert torch.equal(bicubic.encode_image(same), embedded.encode_image(same))
    assert 1e-4 < (bicubic.encode_image(larger) - embedded.encode_image(larger)).abs().max() < 0.3
    with pytest.raises(ValueError, match="unknown positions='nearest'"):
        cx.load(positions="nearest")


def test_positions_are_averaged_where_the_grid_shrinks_if_told(embedded):
    smooth, table = cx.load(positions="bicubic-antialias"), embedded.visual.positions.table
    patches = table[1:].T.reshape(1, -1, 14, 14)
    expected = torch.nn.functional.interpolate(patches, (8, 8), mode="bicubic", antialias=True)
    torch.testing.assert_close(smooth.visual.positions((8, 8))[1:], expected.flatten(2)[0].T)
    rough = cx.load(positions="bicubic").visual.positions((8, 8))
    assert not torch.allclose(rough, smooth.visual.positions((8, 8)), atol=1e-3)


def test_changed_weights_are_noticed(embedded):
    from clipxai.model.towers.positions import Positions

    positions = Positions((4, 4), 8).requires_grad_(False)
    before = positions((6, 6))
    positions.table.mul_(2)
    torch.testing.assert_close(positions((6, 6)), 2 * before)


def test_foreign_ids_are_refused(embedded):
    with pytest.raises(ValueError, match="token ids from 0 to 49407, but this model knows 0 to"):
        embedded.encode_text(torch.tensor([[0, 49407]]))
    for ids in (
        torch.zeros(3),
        torch.zeros(0, 5, dtype=torch.long),
        torch.zeros(2, 0, dtype=torch.long),
    ):
        with pytest.raises(
            ValueError, match=r"whole numbers of shape \(T, S\), both at least 1, not torch"
        ) as caught:
            embedded.encode_text(ids)
        assert str(tuple(ids.shape)) in str(caught.value)
    with pytest.raises(ValueError, match="texts of 40 tokens, but this model reads at most 32"):
        embedded.encode_text(torch.ones(1, 40, dtype=torch.long))
