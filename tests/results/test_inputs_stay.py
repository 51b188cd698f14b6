"""What was read is never replaced, whatever name or link leads to it."""

import os
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import clipxai as cx
from clipxai.measure.annotations import read_png
from clipxai.results.writing import replacing

SAMPLE = Path(cx.__file__).parent / "data/samples/cat-guitar.png"
TEXTS = ["a cat", "a guitar"]
QUICK = {"method": "clip", "size": 56}


def by_open_file(path):
    file = BytesIO(path.read_bytes())
    file.name = str(path)  # as of an open file, without one to be closed
    return file


@pytest.fixture
def photo(tmp_path, scene):
    path = tmp_path / "photo.png"
    Image.fromarray(scene.image).save(path)
    return path


LINKS = {
    "itself": lambda photo, name: photo,
    "another way to it": lambda photo, name: photo.parent / ".." / photo.parent.name / photo.name,
    "symbolic link": lambda photo, name: name.symlink_to(photo) or name,
    "hard link": lambda photo, name: name.hardlink_to(photo) or name,
}
WRITERS = {
    "save": lambda e, path: cx.save(e, path),
    "viewer": lambda e, path: cx.view.MethodComparison(e).save(path),
    "mask": lambda e, path: cx.segment(e).save_mask(path),
    "npz": lambda e, path: e.to_npz(path),
}


@pytest.mark.parametrize(
    ("given", "link"),
    [
        *((Path, link) for link in LINKS),
        *((by, "itself") for by in (str, Image.open, by_open_file)),
    ],
)
def test_a_picture_that_was_read_is_not_replaced(embedded, photo, link, given):
    e = cx.explain(cx.record(embedded, given(photo), ["a dog", "a cat"]))
    before, target = photo.read_bytes(), LINKS[link](photo, photo.parent / "out.png")
    for writer, write in WRITERS.items():
        with pytest.raises(ValueError, match="is what was read: .* choose another name"):
            write(e, target)
        assert photo.read_bytes() == before, writer
    assert {file.name for file in photo.parent.iterdir()} <= {"photo.png", "out.png"}, "no draft"
    cx.save(e, photo.parent / "other.png")  # and again over what is ours
    cx.save(e, photo.parent / "other.png")


ASKED = {  # what is made of one photo, by each way there is
    "of a batch": lambda model, photo: cx.explain(recorded(model, [SAMPLE, photo]), image=1),
    "explain_each": lambda model, photo: next(cx.explain_each(model, [photo], TEXTS, **QUICK))[1],
    "a folder": lambda model, photo: next(cx.explain_each(model, photo.parent, TEXTS, **QUICK))[1],
    "pairs": lambda model, photo: next(cx.explain_pairs(model, [(photo, "a cat")], **QUICK))[1],
    "windows": lambda model, photo: cx.explain_windows(model, photo, TEXTS, "clip", size=112),
    "attention": lambda model, photo: cx.attention_maps(recorded(model, photo)),
    "contributions": lambda model, photo: cx.contributions(recorded(model, photo)),
    "heads": lambda model, photo: cx.head_contributions(recorded(model, photo)),
    "overview": lambda model, photo: cx.overview(recorded(model, photo)),
    "surgery": lambda model, photo: cx.surgery_steps(recorded(model, photo)),
    "tokens": lambda model, photo: cx.token_scores(recorded(model, photo)),
    "words": lambda model, photo: cx.word_relevance(recorded(model, photo)),
    "segmentation": lambda model, photo: cx.segment(cx.explain(recorded(model, photo))),
    "effects": lambda model, photo: cx.effects(recorded(model, photo)),
}


def recorded(model, image):
    return cx.record(model, image, TEXTS, size=56)


@pytest.mark.parametrize("asked", ASKED)
def test_by_every_way_from_a_picture_to_a_viewer(embedded, photo, asked):
    found, before = ASKED[asked](embedded, photo), photo.read_bytes()
    for write in (cx.save, lambda found, path: cx.show(found).save(path)):
        with pytest.raises(ValueError, match="is what was read"):
            write(found, photo)
    assert photo.read_bytes() == before


def test_every_viewer_is_tried(embedded, photo):
    shown = {type(cx.show(ask(embedded, photo))).__name__ for ask in ASKED.values()}
    assert shown == {*cx.view.VIEWERS.values(), "MethodComparison"}


def test_nor_is_any_file_of_a_model(embedded, photo):
    """Weights, vocabulary, configs, and a vocabulary that was named by itself."""
    folder, words = photo.parent / "model", photo.parent / "words"
    shutil.copytree(SAMPLE.parents[1] / "emoji-world-vit", folder)
    words.mkdir()
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(folder / name, words)
    e = cx.explain(recorded(cx.load(folder, tokenizer=words), photo))
    for file in (*folder.iterdir(), *words.iterdir()):
        before = file.read_bytes()
        with pytest.raises(ValueError, match="is what was read"):
            e.to_npz(file)
        assert file.read_bytes() == before


def test_nor_is_an_annotation_or_a_checkpoint(tmp_path, embedded, photo):
    read_png(photo)
    weights = tmp_path / "weights.npz"
    source = Path(cx.__file__).parent / "data" / "emoji-world-vit" / "model.safetensors"
    weights.write_bytes(source.read_bytes())
    with pytest.raises(ValueError):
        cx.load(weights)
    for file in (photo, weights):
        with pytest.raises(ValueError, match="is what was read"), replacing(file):
            pass


def test_a_number_that_is_given_out_again_is_no_input(tmp_path, photo):
    """Files that are gone leave their numbers to others, such as to what is written here."""
    read_png(photo)
    number = os.stat(photo).st_ino
    photo.unlink()
    for n in range(50):  # until the disk gives the number out again
        with replacing(tmp_path / f"{n}.png") as draft:
            draft.write_bytes(b"ours")
        if os.stat(tmp_path / f"{n}.png").st_ino == number:
            break
    else:
        pytest.skip("this disk gives no number out again")
    with replacing(tmp_path / f"{n}.png") as draft:
        draft.write_bytes(b"ours again")
    assert (tmp_path / f"{n}.png").read_bytes() == b"ours again"
