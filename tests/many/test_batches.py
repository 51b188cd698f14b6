"""Many images by the same texts: what one by one gives, in order, read ahead, and with the broken
ones told.
"""

import threading
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence
from transformers import SiglipConfig, SiglipModel

import clipxai as cx
from clipxai.many import batches
from clipxai.many.places import pictures
from clipxai.many.reading import Reading, reading_for
from clipxai.model.towers.vit import VisionTransformer

TEXTS = ["a dog", "a bicycle"]
SIGLIP = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "max_position_embeddings": 16,
}


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return [
        rng.integers(0, 256, (height, width, 3), np.uint8)
        for height, width in [(50, 70), (60, 60), (50, 70), (100, 140), (70, 50)]
    ]


def calls(module, seen):
    return module.register_forward_pre_hook(lambda module, args: seen.append(len(args[0])))


def readers():
    return [one for one in threading.enumerate() if one.name.startswith("clipxai-reader")]


@pytest.mark.parametrize(
    ("mode", "batch", "batches"),
    [("squash", 2, [2, 2, 1]), ("squash", 8, [5]), ("aspect", 8, [1, 1, 2, 1])],
)
@pytest.mark.parametrize("method", ["clip", "clip_surgery"])
def test_the_same_as_one_by_one(embedded, images, mode, batch, batches, method):
    towers, texts = [], []
    hooks = [calls(embedded.visual, towers), calls(embedded.text, texts)]
    found = list(cx.explain_each(embedded, images, TEXTS, method, mode=mode, batch=batch))
    for hook in hooks:
        hook.remove()
    assert towers == batches, "texts are read beside no image"
    asked_once = [2, 1] if method == "clip_surgery" else [2]
    assert texts == asked_once, "the texts once; the empty text once, and only if it is subtracted"
    assert len(found) == len(images)
    for (image, e), given in zip(found, images):
        assert image is given
        alone = cx.explain(cx.record(embedded, image, TEXTS, mode=mode), method)
        np.testing.assert_allclose(e.scores, alone.scores, atol=1e-5)
        np.testing.assert_allclose(e.presence, alone.presence, atol=1e-5)
        assert e.grid == alone.grid and np.array_equal(e.image, image) and e.texts == alone.texts


@pytest.mark.parametrize(
    "method",
    [
        name
        for name, row in cx.METHODS.items()
        if row.path({}) and VisionTransformer.has.issuperset(row.requires)
    ],
)
def test_methods_with_a_path_of_their_own_miss_nothing(embedded, images, method):
    """The model's last block runs for the class token only; options may make the method read its
    patches after all.
    """
    behind = []

    def recorded(block, args, told, out):
        if told.get("tape") is not None:  # the model's own pass, not the rewritten one
            behind.append(out.shape[1])

    hook = embedded.visual.blocks[-1].register_forward_hook(recorded, with_kwargs=True)
    depth = cx.PRESETS[cx.METHODS[method].preset].blocks
    weighed = {"class_token": "rewritten", "redundant": "labels"}
    for options in (
        {},
        {"blocks": 0},
        *([{"dual_path": False}] if depth > 1 else []),
        *([weighed] if "redundant" in cx.METHODS[method].options else []),
    ):
        ((_, e),) = cx.explain_each(embedded, images[:1], TEXTS, method, **options)
        assert behind[-1] == (197 if "blocks" in options else 1)
        alone = cx.explain(cx.record(embedded, images[0], TEXTS), method, **options)
        np.testing.assert_allclose(e.scores, alone.scores, atol=1e-5)
        np.testing.assert_allclose(e.presence, alone.presence, atol=1e-5)
    hook.remove()


def test_templates_and_options_arrive(embedded, images):
    options = {"templates": ["a photo of a {}.", "{} at night"], "redundant": "labels"}
    ((_, e),) = cx.explain_each(embedded, images[:1], ["dog", "pizza"], **options)
    alone = cx.explain(
        cx.record(embedded, images[0], ["dog", "pizza"], templates=options["templates"]),
        redundant="labels",
    )
    np.testing.assert_allclose(e.scores, alone.scores, atol=1e-5)


@pytest.fixture
def elsewhere(monkeypatch):
    """As if the model lay on a device of its own."""
    there = SimpleNamespace(device=torch.device("cuda"))
    monkeypatch.setattr(batches, "reading_for", lambda model, batch: reading_for(there, batch))


def with_cores(monkeypatch, cores):
    monkeypatch.setattr(batches, "reading_for", lambda _, batch: Reading(batch, cores, False))


@pytest.fixture
def files(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        Image.new("RGB", (60, 60), (50 * number,) * 3).save(folder / f"{number}.png")
    return sorted(folder.iterdir())


def test_how_images_are_read(embedded, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert reading_for(embedded, 4) == Reading(4, 3, beside=False)
    there = SimpleNamespace(device=torch.device("cuda"))
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    assert reading_for(there, 4) == Reading(8, 16, beside=True)


def test_one_core_reads_when_it_needs_an_image(embedded, files, monkeypatch):
    """A reader beside a model that has all cores takes longer than one after it."""
    with_cores(monkeypatch, 1)
    monkeypatch.setattr("concurrent.futures.ThreadPoolExecutor.submit", pytest.fail)
    assert len([*cx.explain_each(embedded, files, TEXTS, "clip", batch=2)]) == 5


def test_all_cores_read_a_batch_before_the_model_runs(embedded, files, monkeypatch):
    """Each of the three waits until the others are being read too, and the model for all three."""
    with_cores(monkeypatch, 3)
    together, events, cores, left = threading.Barrier(3), [], [], []
    read = batches._reader

    def watched(*told):
        now = read(*told)

        def reads(path, normalized):
            assert threading.current_thread().name.startswith("clipxai-reader")
            if path != files[3] and path != files[4]:
                together.wait(20)
            events.append("read")
            cores.append(torch.get_num_threads())
            return now(path, normalized=normalized)

        return reads

    monkeypatch.setattr(batches, "_reader", watched)
    hook = embedded.visual.register_forward_pre_hook(
        lambda *_: events.append("model") or left.extend(readers())
    )
    before = torch.get_num_threads()
    found = list(cx.explain_each(embedded, files, TEXTS, "clip", batch=3))
    hook.remove()
    assert not left, "beside threads that computed, those of the model's matrices would sleep"
    assert [path for path, _ in found] == files and torch.get_num_threads() == before
    assert cores == [1] * 5, "torch's own threads of several readers are in the model's way"
    assert events[-7:] == ["read", "read", "read", "model", "read", "read", "model"]


def test_no_more_threads_read_than_a_batch_has_images(embedded, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert [batches.reading_for(embedded, batch).threads for batch in (1, 2, 8)] == [1, 2, 3]


@pytest.mark.parametrize("cores", [1, 2, None])
def test_what_a_loader_fills_again_is_read_before_that(embedded, files, monkeypatch, cores):
    """The frames of an animation are one object, as are a camera's; `None` is another device."""
    if cores is None:
        there = SimpleNamespace(device=torch.device("cuda"))
        monkeypatch.setattr(batches, "reading_for", lambda model, batch: reading_for(there, batch))
    else:
        with_cores(monkeypatch, cores)
    frames = [np.asarray(Image.open(path)) for path in files]

    def of_one_array():
        again = np.empty_like(frames[0])
        for frame in frames:
            again[:] = frame
            yield again

    def brightness(images):
        return [e.image[0, 0, 0] for _, e in cx.explain_each(embedded, images, TEXTS, "clip")]

    assert brightness(of_one_array()) == [0, 50, 100, 150, 200]
    moving, first = files[0].with_name("all.gif"), Image.fromarray(frames[0])
    first.save(moving, save_all=True, append_images=[*map(Image.fromarray, frames[1:])])
    with Image.open(moving) as animation:
        assert brightness(ImageSequence.Iterator(animation)) == [0, 50, 100, 150, 200]


def test_where_no_more_threads_can_be_started_it_reads_by_itself(embedded, files, monkeypatch):
    with_cores(monkeypatch, 3)
    start, started, before = threading.Thread.start, [], torch.get_num_threads()

    def starts(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", starts)
    assert [path for path, _ in cx.explain_each(embedded, files, TEXTS, "clip")] == files
    started[0].join(20)
    assert not started[0].is_alive() and torch.get_num_threads() == before


def test_what_comes_live_is_explained_when_its_batch_is_full(embedded, images, monkeypatch):
    """Also after one that could not be read."""
    with_cores(monkeypatch, 2)
    came, told = [], []

    def live():
        for image in (images[0], {"a": 1}, images[1], images[2]):
            came.append(image)
            yield image

    next(cx.explain_each(embedded, live(), TEXTS, batch=2, broken=lambda *_: told.append(1)))
    assert len(came) == 3 and told == [1]


def test_reading_goes_on_while_the_model_works(embedded, files, elsewhere, monkeypatch):
    """The model waits in its first batch until the third image has been read: reading and computing
    in turns would never get there.
    """
    is_read, waited = threading.Event(), []
    read = batches._reader

    def watched(*told):
        now = read(*told)

        def reads(path, normalized):
            assert threading.current_thread().name.startswith("clipxai-reader")
            prepared = now(path, normalized=normalized)
            if path == files[2]:
                is_read.set()
            return prepared

        return reads

    monkeypatch.setattr(batches, "_reader", watched)
    hook = embedded.visual.register_forward_pre_hook(
        lambda tower, args: waited.append(is_read.wait(20))
    )
    assert len(list(cx.explain_each(embedded, files[:3], TEXTS, "clip", batch=1))) == 3
    hook.remove()
    assert len(waited) == 3 and all(waited)


def test_reads_no_further_than_two_batches(embedded, images, elsewhere):
    asked = []

    def endless():
        while True:
            asked.append(1)
            yield images[0]

    explained = cx.explain_each(embedded, endless(), TEXTS, "clip", batch=2)
    next(explained)
    assert len(asked) <= 2 + 2 * 2 + 2
    explained.close()
    assert not readers()


def test_broken_images_are_told_or_raised(embedded, images, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG but no more")
    sources = [images[0], tmp_path / "broken.png", tmp_path / "none.png", {"a": 1}, images[1]]
    told = []
    found = list(
        cx.explain_each(
            embedded, sources, TEXTS, broken=lambda image, error: told.append((image, type(error)))
        )
    )
    assert [
        image is given for (image, _), given in zip(found, (images[0], images[1]), strict=True)
    ] == [True, True]
    assert told == [
        (tmp_path / "broken.png", ValueError),
        (tmp_path / "none.png", FileNotFoundError),
        ({"a": 1}, TypeError),
    ]
    with pytest.raises(ValueError, match="broken.png"):
        list(cx.explain_each(embedded, sources, TEXTS))
    with pytest.raises(ValueError, match="holds 2 of them: pass each as an entry of its own"):
        list(cx.explain_each(embedded, [images[:2]], TEXTS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "gemm"}, "unknown method 'gemm'"),
        ({"mode": "stretch"}, "unknown mode 'stretch'"),
        ({"size": 100}, "size 100x100 is not a multiple of the patch"),
        ({"batch": 0}, "batch=0, but at least one is needed"),
        ({"texts": "dog " * 50}, "text of 52 tokens"),
    ],
)
def test_mistakes_are_errors_at_once_and_no_broken_images(embedded, options, message):
    with pytest.raises(ValueError, match=message):
        cx.explain_each(
            embedded, ["no/such.png"], **{"texts": TEXTS, "broken": pytest.fail} | options
        )
    with pytest.raises(ValueError, match="no option 'colour'"):
        list(
            cx.explain_each(
                embedded, [np.zeros((9, 9, 3), np.uint8)], TEXTS, broken=pytest.fail, colour=1
            )
        )


def test_pictures_of_a_folder_and_of_a_pattern(tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt", "below/c.webp"):
        (tmp_path / name).touch()
    assert [path.name for path in pictures(tmp_path)] == ["a.png", "b.JPG"]
    assert [path.name for path in pictures(tmp_path / "**/*.webp")] == ["c.webp"]
    assert [path.name for path in pictures(f"{tmp_path}/[ab].*")] == ["a.png", "b.JPG"]
    for nothing in (tmp_path / "*.tiff", tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError, match="no images in .*pass a folder with .jpg"):
            pictures(nothing)


def test_labels_that_are_compared_with_are_read_once_for_all(embedded, images):
    """By the text tower, which took longer for 110 of them than the image tower for a batch."""
    labels, texts = ["a car", "a tree", "a photo"], []
    hook = calls(embedded.text, texts)
    asked = dict(redundant=labels, batch=2, templates="a photo of {}")
    found = list(cx.explain_each(embedded, images, TEXTS, **asked))
    hook.remove()
    assert texts == [2, 3]
    for image, e in found:
        trace = cx.record(embedded, image, TEXTS, templates="a photo of {}")
        alone = cx.explain(trace, redundant=labels)
        np.testing.assert_allclose(e.scores, alone.scores, rtol=0, atol=1e-6)
        both = trace.with_texts([*TEXTS, *labels], "a photo of {}")
        told = cx.explain(both, redundant="labels").scores[: len(TEXTS)]
        np.testing.assert_allclose(e.scores, told, rtol=0, atol=1e-6)


def test_a_siglip_without_tokenizer_needs_no_empty_text():
    config = SiglipConfig(
        text_config=SIGLIP | {"vocab_size": 40},
        vision_config=SIGLIP | {"image_size": 32, "patch_size": 8},
    )
    model, ids = cx.load(SiglipModel(config).eval()), torch.randint(2, 40, (2, 16))
    ((_, e),) = cx.explain_each(model, [np.zeros((40, 40, 3), np.uint8)], ids, "clip")
    assert e.scores.shape == (2, 4, 4)
    with pytest.raises(ValueError, match="tokenizer"):
        list(
            cx.explain_each(model, [np.zeros((40, 40, 3), np.uint8)], ids, "clip_surgery", blocks=2)
        )
