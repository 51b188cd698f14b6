"""One meaning for every shape and kind of image and text, in every verb; and a trace is its own."""

import copy
import gc
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import clipxai as cx
from clipxai.model.image import CLIP_MEAN, CLIP_STD

TEXTS = ["a dog", "a bicycle"]


@pytest.fixture(scope="module")
def right(embedded, scene):
    """The maps of the picture as an array of bytes, which can only be read one way."""
    return cx.explain(cx.record(embedded, scene.image, TEXTS), "clip_surgery")


@pytest.fixture(scope="module")
def unit(embedded, scene):
    """The same picture as a DataLoader gives it after ToTensor: (3, 112, 112) in 0…1."""
    small = Image.fromarray(scene.image).resize((112, 112), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.asarray(small).copy()).permute(2, 0, 1).float() / 255


@pytest.fixture(scope="module")
def normalised(embedded, unit):
    """That by hand, with OpenAI's mean and deviation."""
    mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(3, 1, 1)
    std = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(3, 1, 1)
    return (unit - mean) / std


def ways(unit, normalised):
    """Every way to give the same picture, and what is said of it."""
    return {
        "picture": (unit, {}),
        "batch of pictures": (unit[None], {}),
        "pictures, said so": (unit[None], {"normalized": False}),
        "picture of half precision": (unit.half(), {}),
        "array": (unit.permute(1, 2, 0).numpy(), {}),
        "normalised": (normalised, {}),
        "normalised batch": (normalised[None], {}),
        "normalised, said so": (normalised[None], {"normalized": True}),
        "list of normalised": ([normalised], {}),
        "normalised array": (normalised.numpy(), {}),
        "normalised in half precision": (normalised.half(), {}),
    }


@pytest.mark.parametrize(
    "way",
    [
        "picture",
        "batch of pictures",
        "pictures, said so",
        "picture of half precision",
        "array",
        "normalised",
        "normalised batch",
        "normalised, said so",
        "list of normalised",
        "normalised array",
        "normalised in half precision",
    ],
)
def test_a_tensor_means_the_same_in_every_verb(embedded, unit, normalised, right, way):
    given, said = ways(unit, normalised)[way]
    expected = embedded.encode_image(normalised[None])
    recorded = cx.record(embedded, given, TEXTS, **said)
    torch.testing.assert_close(recorded.image_features, expected, rtol=0, atol=3e-3)
    e = cx.explain(recorded, "clip_surgery")
    # Pillow's resizing rounds to bytes, ours does not
    assert np.corrcoef(e.scores.ravel(), right.scores.ravel())[0, 1] > 0.999
    features = embedded.encode_image(embedded.preprocess(given, **said))
    torch.testing.assert_close(features, expected, rtol=0, atol=3e-3)
    [(_, each)] = cx.explain_each(embedded, given, TEXTS, **said)
    np.testing.assert_allclose(each.scores, e.scores, atol=1e-5)
    noted = [note for note in e.notes if "was taken for normalised pixels" in note]
    assert bool(noted) == ("normalised" in way and not said)
    assert each.notes == e.notes


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x: x * 255, "from 0.00 to 255.00 are no image.*divide bytes by 255"),
        (lambda x: x * 2 - 1, "may be normalised by mean and deviation 0.5"),
        (lambda x: x.where(x > 0.5, float("nan")), "not finite"),
        (lambda x: (x - 0.45) / 0.1, "are no image"),
    ],
)
def test_a_range_that_says_nothing_is_asked_about(embedded, unit, spoil, message):
    pixels = spoil((unit - unit.min()) / (unit.max() - unit.min()))[None]
    for verb in (cx.record, lambda *given: list(cx.explain_each(*given))):
        with pytest.raises(ValueError, match=message):
            verb(embedded, pixels, TEXTS)
    if torch.isfinite(pixels).all():
        said = cx.record(embedded, pixels, TEXTS, normalized=True)
        torch.testing.assert_close(said.pixels, pixels)
    with pytest.raises(ValueError):
        cx.record(embedded, pixels, TEXTS, normalized=False)


def test_mode_and_size_do_not_act_on_normalised_pixels(embedded, normalised):
    for options in ({"mode": "crop"}, {"size": 56}):
        with pytest.raises(ValueError, match="these are normalised pixels already"):
            cx.record(embedded, normalised, TEXTS, **options)
    with pytest.raises(ValueError, match="unknown mode 'nonsense'"):
        cx.record(embedded, normalised, TEXTS, mode="nonsense")
    with pytest.raises(ValueError, match=r"normalized=True, but .* not uint8 of shape \(9, 9, 3\)"):
        cx.record(embedded, np.zeros((9, 9, 3), np.uint8), TEXTS, normalized=True)


def test_one_image_is_one_image(embedded, scene, right):
    file = BytesIO()
    Image.fromarray(scene.image).save(file, "PNG")
    planes = torch.from_numpy(scene.image.copy()).permute(2, 0, 1)
    for one in (
        scene.image,
        planes,
        Image.fromarray(scene.image),
        file.getvalue(),
        BytesIO(file.getvalue()),
    ):
        [(given, e)] = cx.explain_each(embedded, one, TEXTS)
        assert given is one
        np.testing.assert_allclose(e.scores, right.scores, atol=1e-5)
    for _ in range(2):  # wherever the last reader left the file
        again = cx.explain(cx.record(embedded, file, TEXTS))
        np.testing.assert_allclose(again.scores, right.scores, atol=1e-5)
    with pytest.raises(TypeError, match="a mapping"):
        next(cx.explain_each(embedded, {"a": scene.image}, TEXTS))


def test_each_of_a_list_is_looked_at_by_itself(embedded, unit, normalised):
    """As if there were no others, whichever verb and however many at a time."""
    pale = unit * 0.5 + 0.5
    given = [unit, normalised, pale]
    alone = [cx.record(embedded, one, TEXTS) for one in given]
    together = cx.record(embedded, given, TEXTS)
    features = torch.cat([one.image_features for one in alone])
    expected = embedded.encode_image(torch.stack([normalised, normalised]))
    torch.testing.assert_close(features[:2], expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(together.image_features, features, atol=1e-5, rtol=0)
    each = [e for _, e in cx.explain_each(embedded, given, TEXTS, batch=3)]
    for n, (e, one) in enumerate(zip(each, alone)):
        assert e.notes == cx.explain(one).notes == cx.explain(together, image=n).notes
    pairs = [(one, "a dog") for one in given]
    by_size = [[e for _, e in cx.explain_pairs(embedded, pairs, batch=n)] for n in (1, 2, 3)]
    for several in by_size[1:]:
        for e, other in zip(several, by_size[0]):
            np.testing.assert_allclose(e.scores, other.scores, atol=1e-5)
            assert e.notes == other.notes
    with pytest.raises(ValueError, match=r"different shapes \[\(56, 56\), \(112, 112\)\]"):
        cx.record(embedded, [unit, normalised[:, :56, :56]], TEXTS)


def test_a_picture_that_overshoots_is_asked_about(embedded, unit):
    """Resized bicubically in floats, or noisy; clamped it is the picture that Pillow resizes."""
    large = torch.zeros(1, 3, 20, 20)
    large[..., ::2, ::2] = 1  # as sharp as can be
    sharp = torch.nn.functional.interpolate(large, (112, 112), mode="bicubic")[0]
    noise = torch.randn(unit.shape, generator=torch.Generator().manual_seed(0))
    noisy = unit + (0.05 * noise).clamp(-0.25, 0.25)
    for one in (sharp, noisy):
        assert -0.3 < one.min() < 0 and one.max() > 1.02
        for given in (one, one[None], [one], one.numpy()):
            with pytest.raises(ValueError, match=r"overshoots.* clamp\(0, 1\).* normalized=True"):
                cx.record(embedded, given, TEXTS)
        for given in (one.permute(1, 2, 0).numpy(), one):
            with pytest.raises(ValueError, match=r"made it overshoot, pass it as clamp\(0, 1\)"):
                cx.record(embedded, given, TEXTS, normalized=False)
    # what really is normalised, and pale, asks too
    mean, std = (torch.tensor(c).view(3, 1, 1) for c in (CLIP_MEAN, CLIP_STD))
    pale = ((0.45 + unit * 0.3) - mean) / std
    with pytest.raises(ValueError, match="pale picture that was normalised"):
        cx.record(embedded, pale, TEXTS)
    said = cx.record(embedded, pale, TEXTS, normalized=True)
    expected = cx.record(embedded, 0.45 + unit * 0.3, TEXTS)
    torch.testing.assert_close(said.image_features, expected.image_features, atol=1e-5, rtol=0)


def test_loaders(embedded, normalised, unit):
    flipped = normalised.flip(-1)
    loader = DataLoader(TensorDataset(torch.stack([normalised, flipped, normalised])), batch_size=2)
    found = list(cx.explain_each(embedded, (images for (images,) in loader), TEXTS))
    assert len(found) == 3
    for (image, e), given in zip(found, (normalised, flipped, normalised)):
        assert torch.equal(image, given)
        alone = cx.explain(cx.record(embedded, given[None], TEXTS, normalized=True))
        np.testing.assert_allclose(e.scores, alone.scores, atol=1e-5)
    labelled = DataLoader(TensorDataset(unit[None], torch.tensor([3])))
    with pytest.raises(TypeError, match="images for images, _ in loader"):
        list(cx.explain_each(embedded, labelled, TEXTS))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (torch.zeros(50, 60, 3), r"channels first.*shape \(50, 60, 3\): pass tensor.permute"),
        (
            torch.zeros(2, 50, 60, 3),
            r"first.*shape \(2, 50, 60, 3\): pass tensor.permute\(0, 3, 1, 2",
        ),
        (np.zeros((2, 3, 50, 60)), r"shape \(2, 3, 50, 60\): pass array.transpose\(0, 2, 3, 1\)"),
        (np.zeros((3, 50, 60), np.uint8), r"\(3, 50, 60\): pass array.transpose\(1, 2, 0\)"),
        (torch.zeros(0, 3, 8, 8), "no image given"),
        (torch.zeros(2, 5, 8, 8), r"channels first, \(3, H, W\), but has shape \(5, 8, 8\)"),
        (np.full((4, 4), 255, np.uint16), "reaches 255 only and would be black"),
    ],
)
def test_pictures_of_another_shape(embedded, image, message):
    with pytest.raises(ValueError, match=message):
        cx.record(embedded, image, TEXTS)


def test_a_name_that_is_too_long_is_not_there(embedded):
    for name in ("x" * 300, "photos/*" + "x" * 300):
        for verb in (cx.record, cx.explain_each):
            with pytest.raises(FileNotFoundError, match="no such image file|no images in"):
                verb(embedded, name, TEXTS)


def test_deep_greys(embedded):
    """What 16 bits hold is shown; what would be black is asked about, whichever way it comes."""
    ramp = np.tile(np.linspace(0, 255, 32).astype(np.uint8), (32, 1))
    plain = embedded.preprocess(ramp)
    for deep in (ramp.astype(np.uint16) * 257, Image.fromarray(ramp.astype(np.uint16) * 257)):
        torch.testing.assert_close(embedded.preprocess(deep), plain)
    black = np.zeros((8, 8), np.uint16)
    torch.testing.assert_close(embedded.preprocess(black), embedded.preprocess(black.astype("u1")))
    for dark in (ramp.astype(np.uint16), ramp.astype(np.int32)):
        with pytest.raises(
            ValueError, match="reaches 255 only and would be black: pass it as uint8"
        ):
            embedded.preprocess(Image.fromarray(dark))


def test_one_channel_is_grey(embedded):
    """A batch, a tensor and an array of one channel are that grey three times."""
    grey = torch.rand(1, 1, 48, 64, generator=torch.Generator().manual_seed(0))
    three = embedded.preprocess(grey[0].repeat(3, 1, 1))
    for one in (grey, grey[0], grey[0].permute(1, 2, 0).numpy(), grey[0, 0].numpy()):
        torch.testing.assert_close(embedded.preprocess(one), three, atol=1e-6, rtol=0)
    with pytest.raises(ValueError, match=r"normalised pixels are floats of shape \(3, h, w\)"):
        cx.record(embedded, grey, TEXTS, normalized=True)


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        (None, TypeError, "texts=None, but a text or a list"),
        (b"a dog", TypeError, "=b'a dog', but a text or a list"),
        ({"a dog", "a cat"}, TypeError, "not a set"),
        ({"input_ids": [[1]], "attention_mask": [[1]]}, TypeError, "pass its token ids"),
        (["a dog", 3], TypeError, "a text must be a string, not int: 3"),
        ([], ValueError, "no text given"),
        ((text for text in ()), ValueError, "no text given"),
    ],
)
def test_what_is_no_text(embedded, scene, trace, texts, error, message):
    for verb in (
        # record takes None for an image without texts
        *([lambda texts: cx.record(embedded, scene.image, texts)] if texts is not None else []),
        trace.with_texts,
        embedded.encode_text,
        lambda texts: cx.explain_windows(embedded, scene.image, texts),
        lambda texts: cx.explain_each(embedded, [scene.image], texts),
        *(
            [lambda texts: embedded.encode_text(["a"], templates=texts)]
            if texts is not None
            else []
        ),
    ):
        with pytest.raises(error, match=message):
            verb(texts)


def test_texts_may_be_generated_and_a_template_may_stand_alone(embedded, scene):
    listed = cx.record(embedded, scene.image, TEXTS, templates=["a photo of {}."])
    generated = cx.record(
        embedded, scene.image, (text for text in TEXTS), templates="a photo of {}."
    )
    assert generated.texts == listed.texts and generated.templates == listed.templates
    torch.testing.assert_close(generated.text_features, listed.text_features)
    with pytest.raises(ValueError, match="every template needs a {} for the text, but one is 'a'"):
        cx.record(embedded, scene.image, TEXTS, templates=["{}", "a"])


def test_a_trace_is_its_own(embedded, normalised):
    pixels, ids = normalised[None].clone(), embedded.tokenize(TEXTS)
    trace = cx.record(embedded, pixels, ids)
    before = [cx.explain(trace, name).scores.copy() for name in ("clip", "gradient_x_input")]
    image, features = trace.images[0].copy(), trace.text_features.clone()
    pixels.zero_()
    ids.fill_(1)
    after = [cx.explain(trace, name).scores for name in ("clip", "gradient_x_input")]
    for one, other in zip(before, after):
        np.testing.assert_array_equal(one, other)
    assert torch.equal(trace.with_texts(trace.token_ids).text_features, features)
    with pytest.raises(ValueError, match="read-only"):
        trace.images[0][:] = 0
    np.testing.assert_array_equal(trace.images[0], image)


def test_memory_of_a_large_picture(embedded):
    """A strip at a time: never the whole picture in floats, which would take 12 bytes a pixel."""
    import tracemalloc

    large = np.zeros((4000, 3000, 3), np.uint8)
    gc.collect()
    tracemalloc.start()
    embedded.preprocess(large)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * large.shape[0] * large.shape[1]


def test_work_has_a_bound_that_is_named(embedded, trace, monkeypatch):
    line = np.zeros((500, 1, 3), np.uint8)
    with pytest.raises(ValueError, match=r"7000x14 are 98,000 patches.* at most 16,384"):
        cx.record(embedded, line, TEXTS, mode="aspect")
    with pytest.raises(ValueError, match=r"1024x1024 are 1,048,576 patches"):
        cx.explain_each(embedded, [line], TEXTS, size=8192)
    with pytest.raises(ValueError, match=r"32768x32768 has 1,073,741,824 pixels, but at most"):
        embedded.preprocess(line, size=32768)
    with pytest.raises(ValueError, match="pixels, but at most 67,108,864 are prepared"):
        embedded.preprocess(np.zeros((90_000, 1, 3), np.uint8), mode="aspect")
    with pytest.raises(ValueError, match="655,360 windows of 1 patches, one for every stride of 8"):
        cx.explain_windows(embedded, line[:40], TEXTS, stride=8, size=2**13 // 8, window=8)
    with pytest.raises(ValueError, match="4,096 windows and 524,288 patches are looked at"):
        cx.explain_windows(embedded, np.zeros((4000, 4000, 3), np.uint8), TEXTS, window=112)
    wide = np.zeros((1, 50_000, 3), np.uint8)
    for picture in (wide, wide.transpose(1, 0, 2)):
        with pytest.raises(ValueError, match="627,200,000 pixels, but at most 67,108,864"):
            cx.record(embedded, picture, TEXTS, mode="crop")
    with pytest.raises(ValueError, match="700000x112 has 78,400,000 pixels"):
        embedded.preprocess(np.zeros((700_000, 1, 3), np.uint8))
    with monkeypatch.context() as patched:  # refused before, not after
        patched.setattr("clipxai.model.image._resize", None)
        with pytest.raises(ValueError, match="are 98,000 patches"):
            cx.record(embedded, line, TEXTS, mode="aspect")
        with pytest.raises(ValueError, match=r"[\d,]+ windows of 196 patches"):
            cx.explain_windows(embedded, np.zeros((100_000, 20, 3), np.uint8), TEXTS)
    monkeypatch.setattr("clipxai.explainers.explain.MOST_SCORES", 3 * 196 - 1)
    with pytest.raises(ValueError, match="1 images of 196 patches and 3 texts make 588 scores"):
        cx.explain(trace)


def test_pairs(embedded, scene):
    other = cx.scenes.compose(["cat"], background="wood", seed=2)
    pairs = [(scene.image, "a dog"), (other.image, "a cat"), (scene.image, "a bicycle on grass")]
    for method in ("clip_surgery", "bimodal"):
        found = list(cx.explain_pairs(embedded, iter(pairs), method, batch=2))
        assert [pair[1] for pair, _ in found] == [text for _, text in pairs]
        for (image, text), e in found:
            alone = cx.explain(cx.record(embedded, image, [text]), method)
            assert e.texts == (text,)
            np.testing.assert_allclose(e.scores, alone.scores, atol=1e-5)
            np.testing.assert_allclose(e.presence, alone.presence, atol=1e-5)
    with pytest.raises(ValueError, match="unknown method"):
        cx.explain_pairs(embedded, pairs, "nonsense")
    with pytest.raises(TypeError, match=r"a pair is \(image, text\), not .one.jpg."):
        next(cx.explain_pairs(embedded, ["one.jpg"]))
    for odd in (None, 5, [], ["a cat", 2]):
        with pytest.raises(TypeError, match="the text of a pair is a text, or several, not"):
            next(cx.explain_pairs(embedded, [(pairs[0][0], odd)]))
    with pytest.raises(TypeError, match="but a list, each"):  # it has __iter__, and cannot iterate
        cx.explain_pairs(embedded, torch.tensor(1))


@pytest.mark.filterwarnings("ignore")
def test_a_model_quantised_in_memory_is_refused(embedded):
    """Its maps by gradients would be 0 everywhere."""
    whole = copy.deepcopy(embedded)
    changed = torch.ao.quantization.quantize_dynamic(whole, {torch.nn.Linear}, torch.qint8)
    with pytest.raises(ValueError, match="was quantised, it holds a .*: pass the model as it was"):
        cx.record(changed, torch.zeros(1, 3, 112, 112), "a dog")
