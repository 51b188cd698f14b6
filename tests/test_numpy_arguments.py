"""Is numpy's 3 a 3, and one image one image, for every public verb?"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import clipxai as cx
from clipxai.checks import plain

TEXTS = ["a dog", "a bicycle"]
# verbs and classes that take no number, or of which another line of the table speaks
NUMBERLESS = {"load", "methods", "METHODS", "PRESETS", "IMAGENET_TEMPLATES", "SURGERY_TEMPLATES"}
NUMBERLESS |= {"show", "save", "Explorer", "doctor", "score_maps", "playground", *cx._MODULES}


class Python:
    whole, real, truth = int, float, bool


class Wide:
    whole, real, truth = np.int64, np.float64, np.bool_


class Narrow:
    whole, real, truth = np.uint8, np.float32, np.bool_


# the numbers are such that float32 holds them exactly
ASKED = {
    "CLIP": lambda model, trace, n: model.encode_text(TEXTS, normalize=n.truth(False)),
    "CLIP.preprocess": lambda model, trace, n: model.preprocess(
        trace.images[0], size=(n.whole(56), n.whole(64)), normalized=n.truth(False)
    ),
    "record": lambda model, trace, n: cx.record(
        model,
        trace.images[0],
        ["a dog " * 50],
        size=n.whole(56),
        truncate=n.truth(True),
        normalized=n.truth(False),
    ).similarity(),
    "Trace": lambda model, trace, n: trace.of(n.whole(0)).attention(n.whole(2)),
    "Trace.image_tokens": lambda model, trace, n: trace.image_tokens(normalize=n.truth(False)),
    "Trace.words": lambda model, trace, n: trace.words(n.whole(1)),
    "Rewrite": lambda model, trace, n: cx.Rewrite(
        blocks=n.whole(3), ffn=n.truth(True), sharpen=n.real(2), normalize=n.truth(True)
    ),
    "rewrite": lambda model, trace, n: cx.rewrite(trace, cx.Rewrite("gem", iterations=n.whole(2))),
    "feature_surgery": lambda model, trace, n: cx.feature_surgery(
        trace.image_tokens(), trace.text_features, temperature=n.real(3)
    ),
    "explain": lambda model, trace, n: cx.explain(
        trace, "naclip", image=n.whole(0), neighbourhood=n.real(3), ffn=n.truth(True)
    ),
    "explain rise": lambda model, trace, n: cx.explain(
        trace, "rise", masks=n.whole(4), share=n.real(0.5), cells=n.whole(3), seed=n.whole(5)
    ),
    "explain_all": lambda model, trace, n: cx.explain_all(trace, blocks=n.whole(3)),
    "word_relevance": lambda model, trace, n: cx.word_relevance(
        trace, "bimodal", text=n.whole(1), image=n.whole(0), blocks=n.whole(2)
    ),
    "word_maps": lambda model, trace, n: cx.word_maps(trace, text=n.whole(1), image=n.whole(0)),
    "contrast": lambda model, trace, n: cx.contrast(trace, n.whole(0), n.whole(1), "clip"),
    "ablate": lambda model, trace, n: cx.ablate(
        trace,
        heads={n.whole(3): [n.whole(1)]},
        ffns=[n.whole(2)],
        patches=[n.whole(5)],
        words=[n.whole(0)],
        text=n.whole(1),
        layer=n.whole(1),
    ).similarity(),
    "name_heads": lambda model, trace, n: cx.name_heads(
        model,
        [np.roll(trace.images[0], by, 1) for by in range(10)],
        ["a dog", "a cat"],
        count=n.whole(1),
        layers=n.whole(3),
    ),
    "sinks": lambda model, trace, n: cx.sinks(
        trace, image=n.whole(0), norm_above=n.real(4.0), attention_above=n.real(5.0)
    ),
    "register_neurons": lambda model, trace, n: cx.register_neurons(
        model, [trace.images[0]], count=n.whole(2), norm_above=n.real(1.25)
    ),
    "with_registers": lambda model, trace, n: cx.with_registers(
        model, [(n.whole(3), n.whole(5))], count=n.whole(2)
    ).encode_image(trace.pixels),
    "effects": lambda model, trace, n: cx.effects(
        trace,
        "patches",
        layers=[n.whole(3)],
        image=n.whole(0),
        batch=n.whole(64),
    ),
    "patch": lambda model, trace, n: cx.patch(
        trace, trace.with_texts(list(trace.texts)), "ffn", layer=n.whole(3), tokens=[n.whole(0)]
    ).similarity(),
    "attention_maps": lambda model, trace, n: cx.attention_maps(trace, image=n.whole(0)),
    "contributions": lambda model, trace, n: cx.contributions(trace, image=n.whole(0)),
    "head_contributions": lambda model, trace, n: cx.head_contributions(trace, image=n.whole(0)),
    "overview": lambda model, trace, n: cx.overview(trace, image=n.whole(0)),
    "surgery_steps": lambda model, trace, n: cx.surgery_steps(trace, image=n.whole(0)),
    "token_scores": lambda model, trace, n: cx.token_scores(trace, n.whole(1), image=n.whole(0)),
    "segment": lambda model, trace, n: cx.segment(
        cx.explain(trace),
        background=[n.whole(1)],
        threshold=n.real(0.5),
        scale=n.real(32),
        size=(n.whole(20), n.whole(30)),
    ),
    "refine": lambda model, trace, n: cx.refine(cx.explain(trace), text=n.whole(1)),
    "patch_similarity": lambda model, trace, n: cx.patch_similarity(
        trace, (n.whole(2), n.whole(4)), image=n.whole(0)
    ),
    "recognise": lambda model, trace, n: cx.recognise(cx.explain(trace), "maps", top=n.whole(3)),
    "recognise scale": lambda model, trace, n: cx.recognise(cx.explain(trace), scale=n.real(8)),
    "Explanation": lambda model, trace, n: [
        cx.explain(trace).heatmap(n.whole(1), (n.whole(20), n.whole(30))),
        cx.explain(trace).mask(n.whole(1), n.real(0.5)),
        cx.explain(trace).points(n.whole(0), n.real(0.75), (n.whole(20), n.whole(30))),
    ],
    "Grid": lambda model, trace, n: cx.Grid(
        n.whole(2), n.whole(3), (n.whole(40), n.whole(60)), (n.real(0), n.real(0), 40, n.real(60))
    ),
    "explain_each": lambda model, trace, n: [
        e
        for _, e in cx.explain_each(
            model, trace.images, TEXTS, "clip", size=n.whole(56), batch=n.whole(2)
        )
    ],
    "explain_pairs": lambda model, trace, n: [
        e
        for _, e in cx.explain_pairs(
            model,
            [(trace.images[0], "a dog")],
            size=n.whole(56),
            batch=n.whole(2),
            truncate=n.truth(True),
        )
    ],
    "explain_windows": lambda model, trace, n: cx.explain_windows(
        model,
        trace.images[0],
        TEXTS,
        window=n.whole(112),
        stride=n.whole(56),
        size=n.whole(168),
        batch=n.whole(2),
    ),
    "explain_windows of two sides": lambda model, trace, n: cx.explain_windows(
        model, trace.images[0], TEXTS, window=(n.whole(56), n.whole(112)), size=n.whole(112)
    ),
}


@pytest.fixture(scope="module")
def small(embedded, scene):
    return cx.record(embedded, scene.image, TEXTS, size=56)


def parts(value: object) -> object:
    """What an answer is made of, so that it can be compared."""
    if isinstance(value, torch.Tensor):
        return value.numpy()
    if is_dataclass(value):
        return [parts(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, Mapping):
        return {name: parts(one) for name, one in value.items()}
    return [parts(one) for one in value] if isinstance(value, (list, tuple)) else value


def test_every_verb_is_tried():
    assert {name.split()[0].split(".")[0] for name in ASKED} == set(cx.__all__) - NUMBERLESS


@pytest.mark.parametrize("numbers", [Wide, Narrow], ids=["wide", "narrow"])
@pytest.mark.parametrize("asked", ASKED)
def test_numbers_of_numpy_are_numbers(embedded, small, asked, numbers):
    """The same answer, to the letter of what it says of itself."""
    expected, found = (ASKED[asked](embedded, small, n) for n in (Python, numbers))
    np.testing.assert_equal(parts(found), parts(expected))


def test_what_is_no_whole_number_is_none_in_numpy(small):
    for wrong in (np.float64(2), np.bool_(True), np.str_("2")):
        with pytest.raises(TypeError, match=f"blocks={plain(wrong)!r}, but a whole number"):
            cx.explain(small, blocks=wrong)


def test_a_grid_of_numpys_numbers_can_be_kept(small, tmp_path):
    e = cx.explain(small)
    grid = cx.Grid(*map(np.int64, (7, 7)), tuple(map(np.int32, e.grid.image_size)), e.grid.box)
    again = cx.Explanation(e.scores, e.texts, "mine", grid, e.unit, e.image, e.presence)
    again.to_npz(tmp_path / "e.npz")
    assert cx.Explanation.from_npz(tmp_path / "e.npz").grid == grid == e.grid
    assert cx.save(again, tmp_path / "e.html").exists()


def kinds(image: np.ndarray, folder: Path) -> dict[str, object]:
    """One image in every form there is."""
    file, encoded = folder / "one.png", BytesIO()
    Image.fromarray(image).save(file)
    Image.fromarray(image).save(encoded, "PNG")
    planes = torch.tensor(image).permute(2, 0, 1)
    return {
        "text": str(file),
        "path": file,
        "bytes": encoded.getvalue(),
        "buffer": memoryview(encoded.getvalue()),
        "Pillow": Image.fromarray(image),
        "array": image,
        "array of one": image[None],
        "floats": image / 255,
        "tensor": planes,
        "tensor of one": planes[None],
        "float tensor of one": planes[None] / 255,
    }


def test_one_image_is_one_image_everywhere(embedded, scene, tmp_path):
    expected = cx.explain(cx.record(embedded, scene.image, TEXTS[:1], size=56), "clip").scores
    large = cx.explain_windows(embedded, scene.image, TEXTS[:1], "clip", size=112).scores
    for name, one in kinds(scene.image, tmp_path).items():
        trace = cx.record(embedded, one, TEXTS[:1], size=56)
        found = [cx.explain(trace, "clip")]
        found += [e for _, e in cx.explain_each(embedded, one, TEXTS[:1], "clip", size=56)]
        found += [e for _, e in cx.explain_each(embedded, [one], TEXTS[:1], "clip", size=56)]
        pairs = [(one, TEXTS[0])]
        found += [e for _, e in cx.explain_pairs(embedded, pairs, "clip", size=56)]
        assert len(found) == 4, name
        for e in found:
            np.testing.assert_allclose(e.scores, expected, atol=1e-5, err_msg=name)
        windows = cx.explain_windows(embedded, one, TEXTS[:1], "clip", size=112)
        np.testing.assert_allclose(windows.scores, large, atol=1e-5, err_msg=name)
        assert embedded.preprocess(one, size=56).shape == (1, 3, 56, 56), name


def test_an_array_of_paths_is_many(embedded, scene, tmp_path):
    file = kinds(scene.image, tmp_path)["text"]
    found = list(cx.explain_each(embedded, np.array([file, file]), TEXTS, "clip", size=56))
    assert [name for name, _ in found] == [file, file]


@pytest.mark.parametrize("kind", [None, object])
def test_an_array_of_texts_is_a_list_of_them(small, scene, kind):
    """Compared with a word, such as "labels", an array is an array of answers."""
    labels = np.array(["a car", "a tree", "a photo"], dtype=kind)
    asked = dict(method="clip_surgery", redundant=labels)
    expected = cx.explain(small, "clip_surgery", redundant=labels.tolist())
    found = cx.explain(small, **asked)
    ((_, of_folder),) = cx.explain_each(small.model, [scene.image], np.array(TEXTS), **asked)
    assert found.unit == of_folder.unit == expected.unit
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert found.provenance["options"] == expected.provenance["options"]
    assert torch.equal(small.features_beside(labels), small.features_beside(labels.tolist()))
    mixed = np.array(["a car", 3], dtype=object)
    with pytest.raises(TypeError, match="redundant=.* each a text"):
        cx.explain(small, "clip_surgery", redundant=mixed)
