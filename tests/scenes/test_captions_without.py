"""A scene without a thing is told in the same words, less the thing."""

from itertools import permutations

import pytest

import clipxai as cx
from clipxai.scenes.captions import plural

SEVERAL = [
    scene for scene in (cx.scenes.sample(seed) for seed in range(60)) if len(scene.objects) > 1
]


def named_in(caption, objects):
    """The objects that a caption names, in its order, and what is said around them."""
    for count in range(len(objects), 0, -1):
        for order in permutations(objects, count):
            nouns = [cx.scenes.noun(name) for name in order]
            listed = " and ".join([", ".join(nouns[:-1]), nouns[-1]] if count > 1 else nouns)
            if listed in caption:
                return list(order), caption.replace(listed, "{}")
    return [], caption


@pytest.mark.parametrize("scene", SEVERAL, ids=repr)
def test_the_caption_says_all_but_the_thing_in_the_same_words(scene):
    named, around = named_in(scene.caption, scene.objects)
    assert named
    for name in scene.objects:
        rest = [other for other in named if other != name]
        if rest:
            assert named_in(scene.without(name).caption, scene.objects) == (rest, around)
        assert cx.scenes.noun(name) not in scene.without(name).caption


def test_of_a_scene_without_things_it_says_where_one_is():
    scene = cx.scenes.compose(["dog", "bicycle"], "grass", seed=4)
    one, other = scene.without("dog").without("bicycle"), scene.without("bicycle").without("dog")
    assert (one.image == other.image).all() and one.caption == other.caption
    assert one.caption.strip(".") in cx.scenes.background_phrases("grass")


def test_both_of_a_kind_go():
    left = cx.scenes.compose(["cat", "cat", "owl"], seed=1).without("cat")
    assert plural("cat") not in left.caption and "owl" in left.caption
