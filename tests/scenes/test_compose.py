"""Scenes are what they say: right objects, exact masks, the same for the same seed."""

import cv2
import numpy as np
import pytest

import clipxai as cx
from clipxai.scenes.captions import plural
from clipxai.scenes.sprites import sheet
from clipxai.scenes.textures import TEXTURES


def test_the_world():
    assert len(cx.scenes.class_names()) == 110 == len(sheet())
    assert set(cx.scenes.backgrounds()) == set(TEXTURES) and len(TEXTURES) == 12
    for name, sprite in sheet().items():
        assert sprite.shape == (96, 96, 4) and 0.1 < sprite[..., 3].mean() < 1, name


def test_same_seed_same_scene():
    a, b = cx.scenes.sample(5), cx.scenes.sample(5)
    assert (a.image == b.image).all() and (a.masks == b.masks).all() and a.caption == b.caption
    assert not (a.image == cx.scenes.sample(6).image).all()
    assert not (a.image == cx.scenes.sample(5, split="train").image).all()


def test_a_scene_drawn_finer_is_the_same_scene():
    small, large = cx.scenes.sample(7), cx.scenes.sample(7, size=224)
    assert small.caption == large.caption and small.objects == large.objects
    assert large.image.shape == (224, 224, 3)
    shrunk = large.image.reshape(112, 2, 112, 2, 3).mean((1, 3))
    assert abs(shrunk - small.image).mean() < 25
    half = large.masks.reshape(-1, 112, 2, 112, 2).mean((2, 4)) > 0.5
    for a, b in zip(small.masks, half):
        assert (a & b).sum() / (a | b).sum() > 0.9


def test_masks_are_exact():
    """Pixels inside a mask change when the object is another one; pixels far outside all masks do
    not.
    """
    scene = cx.scenes.compose(["dog", "bicycle"], background="wall", seed=3)
    assert scene.masks.shape == (2, 112, 112) and scene.masks.dtype == bool
    assert not (scene.masks[0] & scene.masks[1]).any()
    assert 0.02 < scene.mask("dog").mean() < 0.3
    other = cx.scenes.compose(["pizza", "bicycle"], background="wall", seed=3)
    changed = abs(scene.image.astype(int) - other.image).max(-1) > 40
    either = scene.mask("dog") | other.mask("pizza")
    assert changed[either].mean() > 0.6
    assert changed[~(either | scene.mask("bicycle") | other.mask("bicycle"))].mean() < 0.03


def test_two_of_a_kind_share_a_mask():
    scene = cx.scenes.compose(["cat", "cat"], seed=0)
    assert scene.objects == ("cat",) and len(scene.masks) == 1 and "two cats" in scene.caption


def test_captions_name_what_is_there():
    scenes = [cx.scenes.sample(seed, size=32) for seed in range(300)]
    assert all(
        any(name.split()[0][:4] in scene.caption for name in scene.objects) for scene in scenes
    )
    placed = [
        any(phrase in scene.caption for phrase in cx.scenes.background_phrases(scene.background))
        for scene in scenes
    ]
    assert 0.38 < np.mean(placed) < 0.52
    assert {len(scene.objects) for scene in scenes} == {1, 2, 3}


@pytest.mark.parametrize(
    ("name", "one", "many"),
    [
        ("owl", "an owl", "owls"),
        ("butterfly", "a butterfly", "butterflies"),
        ("cup of coffee", "a cup of coffee", "cups of coffee"),
        ("sheep", "a sheep", "sheep"),
        ("grapes", "grapes", "grapes"),
        ("bus", "a bus", "buses"),
        ("tomato", "a tomato", "tomatoes"),
        ("couch", "a couch", "couches"),
        ("monkey", "a monkey", "monkeys"),
    ],
)
def test_english(name, one, many):
    assert cx.scenes.noun(name) == one and plural(name) == many


def far_from(mask, pixels):
    """Where a mask, `pixels` wider all around, is not."""
    kernel = np.ones((2 * pixels + 1,) * 2, np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel) == 0


@pytest.mark.parametrize("seed", range(40))
def test_without_is_the_same_scene_with_one_thing_not_drawn(seed):
    """Pixel for pixel outside the thing, as far as the camera's blur reaches; inside it changes."""
    scene = cx.scenes.sample(seed, size=96)
    for name in scene.objects:
        less = scene.without(name)
        assert less.objects == tuple(o for o in scene.objects if o != name)
        assert less.background == scene.background
        changed = (less.image != scene.image).any(-1)
        # what lies before a thing may be half transparent, and so may its own edge, which the
        # camera blurs by 0.6 pixels: so its whole shape, and 8 pixels around
        alone = scene
        for other in less.objects:
            alone = alone.without(other)
        alpha = sheet()[name][..., 3]
        steam = ((alpha > 0.02) & (alpha < 0.5)).mean() > 0.05  # thin all over, so in no mask
        assert not changed[far_from(alone.mask(name), 30 if steam else 8)].any()
        assert changed[scene.mask(name)].mean() > 0.5
        for other in less.objects:  # what it hid is seen
            assert (less.mask(other) >= scene.mask(other)).all()
            hidden = less.mask(other) & ~scene.mask(other)
            assert (scene.mask(name) | ~hidden).all()


def test_without_twice_and_without_both_of_a_kind():
    scene = cx.scenes.compose(["dog", "bicycle"], background="grass", seed=1)
    one, other = (
        scene.without("dog").without("bicycle"),
        scene.without("bicycle").without("dog"),
    )
    assert (one.image == other.image).all() and one.objects == () and one.masks.shape[0] == 0
    pair = cx.scenes.compose(["cat", "cat"], seed=0).without("cat")
    assert pair.objects == ()
    with pytest.raises(ValueError, match="no 'dog' in this scene; it shows: bicycle"):
        scene.without("dog").without("dog")


def test_places_are_where_they_were_asked_for():
    at = [(0.25, 0.7, 0.3), (0.75, 0.3, 0.4)]
    told = cx.scenes.compose(["dog", "bicycle"], background="wall", seed=2, at=at)
    left = cx.scenes.compose(["dog", "bicycle"], background="wall", seed=2)
    for name, (y, x, side) in zip(told.objects, at):
        rows, columns = told.mask(name).nonzero()
        assert abs((rows.min() + rows.max()) / 2 / 112 - y) < 0.08
        assert abs((columns.min() + columns.max()) / 2 / 112 - x) < 0.08
        assert max(np.ptp(rows), np.ptp(columns)) < 1.3 * side * 112
    assert told.caption == left.caption
    away = far_from(told.masks.any(0) | left.masks.any(0), 8)
    assert away.any() and (told.image == left.image)[away].all(), "all else is drawn the same"
    with pytest.raises(ValueError, match="at= has 1 places, but 2 objects"):
        cx.scenes.compose(["dog", "cat"], at=at[:1])
    with pytest.raises(ValueError, match="is no place"):
        cx.scenes.compose("dog", at=[(0.5, 1.5, 0.3)])


def test_a_scene_tells_its_places():
    """Composed at them it is the same scene."""
    thrown = cx.scenes.compose(["dog", "bicycle", "dog"], background="wall", seed=2)
    again = cx.scenes.compose(["dog", "bicycle", "dog"], "wall", seed=2, at=thrown.places)
    np.testing.assert_array_equal(again.image, thrown.image)
    assert again.places == thrown.places and len(set(thrown.places)) == 3
    assert thrown.without("dog").places == thrown.places[1:2]


def test_errors():
    with pytest.raises(ValueError, match="unknown object 'bycicle'; nearest: bicycle"):
        cx.scenes.compose("bycicle")
    with pytest.raises(ValueError, match="unknown background 'gras'; nearest: grass"):
        cx.scenes.compose("dog", background="gras")
    with pytest.raises(ValueError, match="one to three objects, not 4"):
        cx.scenes.compose(["dog"] * 4)
    with pytest.raises(ValueError, match="no 'cat' in this scene; it shows: dog"):
        cx.scenes.compose("dog").mask("cat")
    with pytest.raises(ValueError, match="split must be 'train' or 'test'"):
        cx.scenes.sample(0, split="val")
    for draw in (lambda **told: cx.scenes.compose("dog", **told), cx.scenes.sample):
        with pytest.raises(ValueError, match="seed=-1, but a whole number from 0"):
            draw(seed=-1)
        with pytest.raises(ValueError, match="size=0, but a whole number from 1"):
            draw(seed=1, size=0)


def test_a_notebook_shows_the_picture():
    scene = cx.scenes.compose("cat", seed=1)
    shown = cv2.imdecode(np.frombuffer(scene._repr_jpeg_(), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert shown.shape == scene.image.shape
    assert np.abs(shown.astype(int) - scene.image).mean() < 6
