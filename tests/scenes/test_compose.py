"""Scenes are what they say: right objects, exact masks, the same for the same seed."""

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
