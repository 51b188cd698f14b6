"""Segmentation by words against torch, pixel by pixel, and what feature surgery cannot change about
it.
"""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

import clipxai as cx
from clipxai.tasks.segmentation import UNSEEN, voc_palette
from clipxai.view.payload import unpack

TEXTS = ("dog", "bicycle", "grass", "sky")
SIZE = (60, 90)


def explanation(scores, texts=TEXTS, box=None):
    grid = cx.Grid(*scores.shape[1:], SIZE, box or (0, 0, *SIZE))
    image = np.random.default_rng(1).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    return cx.Explanation(
        scores.astype(np.float32),
        texts,
        "clip",
        grid,
        "cosine similarity",
        image,
        np.zeros(len(texts), np.float32),
    )


@pytest.fixture
def e():
    return explanation(np.random.default_rng(0).normal(0.2, 0.05, (4, 5, 7)))


def onto_pixels(scores, size=SIZE):
    """(T, gh, gw) -> (T, H, W) by torch, as the field's protocol has it."""
    return F.interpolate(torch.tensor(scores)[None], size, mode="bilinear", align_corners=False)[0]


def mostly_equal(a, b):
    """Equal but for pixels where two texts are level to the last digit."""
    return (a == b).mean() > 0.999


def test_every_pixel_goes_to_its_highest_text(e):
    found = cx.segment(e)
    assert found.classes == TEXTS and found.labels.shape == SIZE
    assert mostly_equal(found.labels, onto_pixels(e.scores).argmax(0).numpy())
    coarse = onto_pixels(torch.tensor(e.scores).argmax(0)[None].float().numpy())[0].round().numpy()
    # the argmax of patches, drawn larger, is something else
    assert (coarse != found.labels).mean() > 0.05


@pytest.mark.parametrize("scale", [40.0, 100.0])
def test_background_by_probability(e, scale):
    probability = (scale * onto_pixels(e.scores)).softmax(0).numpy()
    found = cx.segment(e, threshold=0.6, scale=scale)
    assert found.classes == ("background", *TEXTS)
    np.testing.assert_allclose(found.confidence, probability.max(0), rtol=1e-4)
    expected = np.where(probability.max(0) < 0.6, 0, probability.argmax(0) + 1)
    assert mostly_equal(found.labels, expected) and 0.1 < (expected == 0).mean() < 0.9


def test_background_by_texts_and_both(e):
    """As SCLIP: a softmax over all texts, the best text of each class, then the threshold."""
    probability = (40 * onto_pixels(e.scores)).softmax(0).numpy()
    by_class = np.stack([probability[[2, 3]].max(0), probability[0], probability[1]])
    found = cx.segment(e, background=["grass", "sky"])
    assert found.classes == ("background", "dog", "bicycle") and mostly_equal(
        found.labels, by_class.argmax(0)
    )
    found = cx.segment(e, background=["grass", "sky"], threshold=0.5)
    assert mostly_equal(found.labels, np.where(by_class.max(0) < 0.5, 0, by_class.argmax(0)))
    assert found.rule == (
        "highest of 4 texts, 2 of which are background; background where its softmax probability "
        "(scale 40) is below 0.5"
    )


def test_by_maps_on_their_own_scales(e):
    heats = np.stack([e.heatmap(n) for n in range(4)])
    found = cx.segment(e, threshold=0.7, of="map")
    assert (found.labels == np.where(heats.max(0) < 0.7, 0, heats.argmax(0) + 1)).all()
    alone = cx.segment(explanation(e.scores[:1], ("dog",)), threshold=0.5, of="map")
    assert (alone.mask("dog") == e.mask("dog", 0.5)).all()


def test_feature_surgery_changes_a_winner_only_through_its_weights(trace):
    """What it subtracts is the same for all texts of a pixel."""
    plain = cx.segment(cx.explain(trace, "clip_surgery_architecture"))
    assert mostly_equal(
        cx.segment(cx.explain(trace, "clip_surgery", redundant="empty")).labels, plain.labels
    )
    tokens = F.normalize(cx.rewrite(trace), dim=-1)
    s = (tokens @ trace.text_features.T)[0]  # N T
    for temperature in (0.0, 2.0, 60.0):
        w = (temperature * s[0]).softmax(-1)
        weighted = (s[1:] * (w / w.mean())).T.reshape(-1, *trace.grid).numpy()
        expected = onto_pixels(weighted, plain.labels.shape).argmax(0).numpy()
        found = cx.segment(
            cx.explain(trace, "clip_surgery", redundant="labels", temperature=temperature)
        ).labels
        assert mostly_equal(found, expected)
        assert mostly_equal(found, plain.labels) == (temperature == 0)  # all weights are 1


def test_objects_are_found(embedded):
    overlaps = []
    for scene in (s for s in map(cx.scenes.sample, range(24)) if len(s.objects) == 1):
        text, true = f"a photo of {cx.scenes.noun(scene.objects[0])}", scene.masks[0]
        found = cx.segment(
            cx.explain(cx.record(embedded, scene.image, text), "clip_surgery"),
            threshold=0.5,
            of="map",
        )
        # as a mask is read from a file
        shown = cx.view.RegionMap(found, truth={text: true.astype(np.uint8)}).overlaps()
        overlaps.append((found.mask(text) & true).sum() / (found.mask(text) | true).sum())
        assert shown[text] == pytest.approx(overlaps[-1]) and list(shown) == ["background", text]
    assert len(overlaps) > 5 and np.mean(overlaps) > 0.4


def test_where_the_model_did_not_look(e):
    cropped = explanation(e.scores, box=(0, 15, 60, 75))
    found = cx.segment(cropped, threshold=0.3)
    outside = np.ones(SIZE, bool)
    outside[:, 15:75] = False
    assert ((found.labels == UNSEEN) == outside).all() and (
        np.isnan(found.confidence) == outside
    ).all()
    assert sum(found.legend.values()) == pytest.approx((~outside).mean())


def test_windows_make_segmentations_too(embedded, scene):
    large = cv2.resize(scene.image, (224, 168))
    e = cx.explain_windows(
        embedded, large, ["a dog", "a bicycle", "grass"], "clip_surgery_architecture", stride=56
    )
    assert cx.segment(e).labels.shape == (168, 224)


def test_a_mask_is_saved_as_voc_saves_them(e, tmp_path):
    found = cx.segment(explanation(e.scores, box=(0, 15, 60, 75)), background=["sky"])
    with Image.open(found.save_mask(tmp_path / "m.png")) as saved:
        assert (
            saved.mode == "P"
            and (np.array(saved) == np.where(found.labels < 0, 255, found.labels)).all()
        )
        assert saved.getpalette()[:15] == [
            0,
            0,
            0,
            128,
            0,
            0,
            0,
            128,
            0,
            128,
            128,
            0,
            0,
            0,
            128,
        ]  # background, aeroplane, bicycle, bird, boat
    # tv monitor, void
    assert voc_palette()[20].tolist() == [0, 64, 128] and voc_palette()[255].tolist() == [
        224,
        224,
        192,
    ]
    with pytest.raises(ValueError, match="cannot save labels as 'm.jpg': only .png"):
        found.save_mask(tmp_path / "m.jpg")
    many = explanation(np.zeros((300, 2, 2)), tuple(map(str, range(300))))
    with pytest.raises(ValueError, match="300 classes, but an indexed PNG holds 255"):
        cx.segment(many).save_mask(tmp_path / "m.png")


def test_a_mask_that_fails_half_way_leaves_what_was_there(tmp_path, monkeypatch):
    def half(image, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "m.png").write_text("before")
    monkeypatch.setattr(Image.Image, "save", half)
    with pytest.raises(OSError, match="No space"):
        cx.segment(explanation(np.zeros((4, 2, 3)))).save_mask(tmp_path / "m.png")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


def test_legend_and_words(e):
    found = cx.segment(e)
    assert list(found.legend) == sorted(found.legend, key=found.legend.get, reverse=True) and sum(
        found.legend.values()
    ) == pytest.approx(1)
    assert repr(found).startswith("<Segmentation by clip into 4 classes: '")


@pytest.mark.parametrize(
    "options, message",
    [
        (dict(background=["cat"]), "no text 'cat' in this explanation; it has: 'dog', 'bicycle'"),
        (dict(background=TEXTS), "all 4 texts are background"),
        (dict(threshold=1.5), "threshold=1.5, but a finite number from 0 to 1 or None is needed"),
        (dict(of="maps"), "unknown of 'maps'; choose one of probability, map"),
    ],
)
def test_wrong_input(e, options, message):
    with pytest.raises(ValueError, match=message):
        cx.segment(e, **options)


def test_a_text_called_background_is_the_background_or_a_class_like_others(e):
    e = explanation(e.scores, ("background", "dog", "cat", "sky"))
    assert cx.segment(e).classes == e.texts
    assert cx.segment(e, ["background"], 0.5).classes == ("background", "dog", "cat", "sky")
    with pytest.raises(
        ValueError, match="one of the texts is 'background' itself: pass it as background="
    ):
        cx.segment(e, threshold=0.5)


def test_a_single_text_wins_everything(e):
    with pytest.raises(
        ValueError, match="'dog' alone wins every pixel: give more texts, or cut its own map"
    ):
        cx.segment(explanation(e.scores[:1], ("dog",)), threshold=0.5)


def test_figures(e, tmp_path):
    found = cx.segment(e, background=["sky"])
    for name in ("s.html", "s.png", "s.svg", "s.pdf"):
        assert cx.save(found, tmp_path / name).stat().st_size > 5000
    with pytest.raises(ValueError, match=".npz holds the numbers of one Explanation"):
        cx.save(found, tmp_path / "s.npz")
    truth = np.zeros(SIZE, bool)
    truth[10:30] = True
    shown = cx.view.RegionMap(found, truth={"dog": truth})
    texts = " ".join(text.get_text() for text in shown.figure().texts)
    share = 100 * found.legend["dog"]
    assert "truth" in texts and f"{share:.0f} % · IoU {shown.overlaps()['dog']:.2f}" in texts
    with pytest.raises(
        ValueError, match="the truth names 'cat', but the classes are 'background', 'dog'"
    ):
        cx.view.RegionMap(found, truth={"cat": truth})
    with pytest.raises(ValueError, match="segment without size= to draw it"):
        cx.show(cx.segment(e, size=(30, 45)))


def test_what_travels_into_a_page(e):
    """Every pixel by its place in the key; what was not seen, and what has no truth, by 255."""
    truth = {name: np.zeros(SIZE, bool) for name in ("grass", "dog")}
    truth["grass"][10:30], truth["dog"][12:15] = True, True  # the dog stands on the grass
    found = cx.segment(explanation(e.scores, box=(0, 15, 60, 75)))
    viewer = cx.view.RegionMap(found, truth=truth)
    payload = viewer.payload()
    key = [entry["name"] for entry in payload.header["classes"]]
    arrays = unpack(payload)
    names = np.array([*key, *[""] * (256 - len(key))])
    expected = np.where(found.labels == UNSEEN, "", np.array(TEXTS)[found.labels])
    assert key[:2] == ["dog", "grass"] and (names[arrays["labels"][0]] == expected).all()
    assert (names[arrays["labels"][1][12:15]] == "dog").all() and (
        names[arrays["labels"][1][20]] == "grass"
    ).all()
    assert (arrays["labels"][1][:10] == 255).all()
    np.testing.assert_allclose(
        arrays["confidence"] / 255, np.nan_to_num(found.confidence), atol=0.003
    )
    grid, photo = cx.Grid(5, 7, (600, 1000), (0, 0, 600, 1000)), np.zeros((600, 1000, 3), np.uint8)
    large = cx.show(
        cx.segment(cx.Explanation(e.scores, TEXTS, "clip", grid, "", photo, e.presence))
    )
    sent = unpack(large.payload())["labels"][0]
    assert sent.shape == (96, 160) and large.payload().size < 60_000
    key, middles = (
        [entry["name"] for entry in large.payload().header["classes"]],
        (np.arange(160) + 0.5) * 6.25,
    )
    rows, columns = middles[:96:7].astype(int), middles[::9].astype(int)
    assert (
        np.array(key)[sent[::7, ::9]]
        == np.array(TEXTS)[large.segmentation.labels[np.ix_(rows, columns)]]
    ).all()


def test_prompts_are_said_once(e):
    viewer = cx.show(
        cx.segment(
            explanation(e.scores, tuple(f"a photo of {name}" for name in TEXTS)),
            background=["a photo of sky"],
        )
    )
    assert viewer.regions.prompt == "a photo of" and viewer.regions.names == [
        "background",
        "dog",
        "bicycle",
        "grass",
    ]
    assert "Every class begins with “a photo of”." in viewer.payload().header["notes"]
    assert cx.show(cx.segment(e)).regions.prompt == ""


def test_many_classes_and_hostile_names_can_be_drawn():
    scores = np.random.default_rng(2).normal(size=(28, 6, 8))
    e = explanation(scores, tuple(f"$x_{n}$ <b>\n " + "long " * 9 for n in range(28)))
    viewer = cx.show(cx.segment(e))
    texts = [text.get_text() for text in viewer.figure().texts]
    assert any(text.startswith("and ") and text.endswith(" more") for text in texts)
    assert len(viewer.payload().header["classes"]) > 24 and "\n" not in viewer.summary


def test_a_flat_map_wins_no_pixel_of_its_own_scale():
    """Drawn as 0.5 everywhere, it won wherever no other map reached half its height."""
    scores = np.random.default_rng(4).random((3, 5, 7))
    scores[1] = 0.25
    e, without = explanation(scores, TEXTS[:3]), explanation(scores[[0, 2]], (TEXTS[0], TEXTS[2]))
    for threshold in (None, 0.0, 0.5, 0.9):
        found = cx.segment(e, threshold=threshold, of="map")
        assert TEXTS[1] not in found.legend
        alone = cx.segment(without, threshold=threshold, of="map")
        assert found.legend == alone.legend
        np.testing.assert_array_equal(found.confidence, alone.confidence)


def test_where_no_map_has_a_height_there_is_background_or_nothing():
    flat = explanation(np.full((2, 5, 7), 0.25), TEXTS[:2])
    for background, threshold in (((), 0.0), ((), 0.5), ("dog", None)):
        found = cx.segment(flat, background, threshold, of="map")
        assert found.legend == {"background": 1.0} and not found.confidence.any()
    found = cx.segment(flat, of="map")
    assert (found.labels == UNSEEN).all() and np.isnan(found.confidence).all()


@pytest.mark.parametrize("of", ["probability", "map"])
def test_a_text_that_is_not_known_somewhere_does_not_compete_there(of: str):
    scores = np.random.default_rng(4).random((3, 5, 7)).astype(np.float32)
    scores[1, 2, 3], scores[:, 4, 6] = np.nan, np.nan
    e = explanation(scores, TEXTS[:3])
    found = cx.segment(e, of=of)
    heats = [e.heatmap(n, normalize="none" if of == "probability" else "minmax") for n in range(3)]
    unknown, nowhere = np.isnan(heats[1]), np.isnan(heats).all(0)
    assert nowhere.any() and (unknown & ~nowhere).any()
    expected = np.argmax(np.nan_to_num(heats, nan=-np.inf), axis=0)
    np.testing.assert_array_equal(found.labels, np.where(nowhere, UNSEEN, expected))
    assert (np.isnan(found.confidence) == nowhere).all()
    if of == "probability":
        logits = 40 * np.nan_to_num(heats, nan=-np.inf)[:, ~nowhere]
        expected = torch.from_numpy(logits).softmax(0).amax(0).numpy()
        np.testing.assert_allclose(found.confidence[~nowhere], expected, atol=1e-5)


def test_texts_that_are_one_to_the_model(trace):
    """By their features: "cat" and "Cat" are one, so the second can win no pixel."""
    told = trace.with_texts(["sky", "cat", "a dog", "Cat"])
    for method in ("clip_surgery", "grad_cam"):
        e = cx.explain(told, method)
        made = cx.segment(e)
        assert "'cat' and 'Cat' are the same to the model, the first wins" in made.rule
        assert not made.mask("Cat").any()
        for name in ("cat", "Cat"):
            with pytest.raises(ValueError, match="is background, but the same to the model as"):
                cx.segment(e, background=["sky", name])
        together = cx.segment(e, background=["cat", "Cat"])
        np.testing.assert_array_equal(together.mask("background"), made.mask("cat"))
        assert "same to the model" not in together.rule
    assert "same to the model" not in cx.segment(cx.explain(told.with_texts(["cat", "a cat"]))).rule


def test_differences_are_no_scores_of_texts(trace):
    for e in (cx.word_maps(trace), cx.contrast(trace, 0, 1)):
        with pytest.raises(ValueError, match="segment compares scores of texts"):
            cx.segment(e, of="map", threshold=0.5)
        with pytest.raises(ValueError, match="refine compares scores of texts"):
            cx.refine(e)
        for by in ("class token", "maps"):
            with pytest.raises(ValueError, match="recognise compares scores of texts"):
                cx.recognise(e, by)


def test_more_texts_than_numbers():
    grid = cx.results.explanation.Grid(1, 1, (1, 1), (0, 0, 1, 1))
    many = 1 << 15
    e = cx.Explanation(
        scores=np.arange(many, dtype=np.float32).reshape(-1, 1, 1),
        texts=tuple(map(str, range(many))),
        method="clip",
        grid=grid,
        unit="",
        image=np.zeros((1, 1, 3), np.uint8),
        presence=np.arange(many),
    )
    with pytest.raises(ValueError, match="32,768 texts, but at most 32,767 can win a pixel"):
        cx.segment(e)
