"""What is tried: for every kind of input how a case is made from its number, and what is done with
it.
"""

import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import numpy as np
import torch
from arguments import ask_anything
from mutate import damaged, damaged_json

import clipxai as cx


@dataclass(frozen=True)
class Kind:
    """One row of the table.

    Attributes
    ----------
    make : (seeds, random, place) writes the damaged input of a case into an empty folder
    run : (place, random) does what a user would do with it
    share : how many of a hundred cases are of this kind
    """

    make: Callable[[Path, Random, Path], None]
    run: Callable[[Path, Random], object]
    share: int


@cache
def model() -> cx.CLIP:
    """The embedded model, loaded once."""
    return cx.load()


def one_image(seeds: Path, random: Random, place: Path) -> None:
    """A damaged picture; one in ten keeps its bytes and changes its name."""
    file = random.choice(sorted((seeds / "images").iterdir()))
    content = file.read_bytes()
    if random.random() > 0.1:
        content = damaged(content, random)
    (place / random.choice((file.name, "photo.jpg", "photo"))).write_bytes(content)


def see_image(place: Path, random: Random) -> None:
    """Read, prepared, and now and then explained."""
    (file,) = place.iterdir()
    mode = random.choice(("squash", "crop", "aspect"))
    if random.random() < 0.9:
        model().preprocess(file, mode=mode, size=32)
    else:
        cx.explain(cx.record(model(), file, ["a dog"], mode=mode, size=32), "clip")


def one_checkpoint(seeds: Path, random: Random, place: Path) -> None:
    """A folder in which one file is damaged; weights in one of their formats."""
    for file in (seeds / "checkpoint").iterdir():
        (place / file.name).hardlink_to(file)
    (place / random.choice(("model.safetensors", "pytorch_model.bin"))).unlink()
    file = random.choice(sorted(place.iterdir()))
    content = file.read_bytes()
    file.unlink()  # the link, not what it shares
    change = damaged_json if file.suffix == ".json" else damaged
    file.write_bytes(change(content, random))


def use_checkpoint(place: Path, random: Random) -> None:
    """Loaded, and asked for both features."""
    loaded = cx.load(place)
    if loaded.tokenizer is not None:
        loaded.encode_text(["a dog", "日本 naïve"], truncate=True)
    cx.record(loaded, np.zeros((32, 32, 3), np.uint8), torch.tensor([[0, 917, 918]]))


def one_explanation(seeds: Path, random: Random, place: Path) -> None:
    """A damaged .npz."""
    content = (seeds / "explanation/e.npz").read_bytes()
    (place / "e.npz").write_bytes(damaged(content, random))


def use_explanation(place: Path, random: Random) -> None:
    """Read, and everything that drawing asks of it."""
    e = cx.Explanation.from_npz(place / "e.npz")
    for text in e.texts[:2]:
        e.heatmap(text), e.mask(text), repr(e)
    if random.random() < 0.05:
        cx.save(e, place / "e.png")


def one_data_set(name: str) -> Callable[[Path, Random, Path], None]:
    """A data set in which one file is damaged."""

    def make(seeds: Path, random: Random, place: Path) -> None:
        shutil.copytree(seeds / name, place / name)
        file = random.choice(sorted(p for p in (place / name).rglob("*") if p.is_file()))
        change = damaged_json if file.suffix == ".json" else damaged
        file.write_bytes(change(file.read_bytes(), random))

    return make


def use_data_set(place: Path, random: Random) -> None:
    """Its first pictures with their masks."""
    from clipxai.measure.data import dataset

    (root,) = place.iterdir()
    data = dataset(root)
    for name in data.ids[:2]:
        sample = data.read(name)
        model().preprocess(sample.image, size=32)
        assert sample.masks.dtype == bool


def one_record(seeds: Path, random: Random, place: Path) -> None:
    """The record of an interrupted run, damaged."""
    shutil.copytree(seeds / "record", place / "record")
    file = place / "record/out/clipxai-explain.jsonl"
    lines = file.read_bytes().splitlines()
    number = random.randrange(len(lines))
    change = random.choice((damaged_json, damaged))
    lines[number] = change(lines[number], random)
    file.write_bytes(b"\n".join(lines) + b"\n")


def go_on(place: Path, random: Random) -> None:
    """The same command again; what it says has one line."""
    from clipxai.cli import main

    asked = [str(place / "record/in"), "a dog", "--size", "32", "--method", "clip"]
    told = main(["explain", *asked, "--format", "npz", "--out", str(place / "record/out")])
    assert told in (0, 1, 2)


PLANES = ((0, 0xD7FF), (0xE000, 0xFFFF), *((p << 16, (p << 16) + 0xFFFF) for p in range(1, 17)))


def one_text(seeds: Path, random: Random, place: Path) -> None:
    """Letters of any plane of Unicode."""
    length = random.choice((0, 1, 3, 10, 100, 3000))
    letters = [chr(random.randint(*random.choice(PLANES))) for _ in range(length)]
    pieces = ["&amp;", "\0", "\u202e", "<|endoftext|>", "</w>", " ", "a", "'s", "\ud800"]
    letters += random.choices(pieces, k=random.choice((0, 0, 2, 20)))
    random.shuffle(letters)
    (place / "text").write_text("".join(letters), encoding="utf-8", errors="surrogatepass")


def read_text(place: Path, random: Random) -> None:
    """Encoded, decoded, cut into words, asked for; drawn now and then."""
    text = (place / "text").read_bytes().decode("utf-8", "surrogatepass")
    tokenizer = model().tokenizer
    ids, words = tokenizer.encode(text, truncate=True), tokenizer.words(text, truncate=True)
    tokenizer.decode(ids)
    assert len(ids) <= tokenizer.context and all(w.stop <= len(ids) for w in words)
    features = model().encode_text([text], truncate=True)
    assert bool(features.isfinite().all())
    if random.random() < 0.05:
        e = cx.explain(cx.record(model(), np.zeros((32, 32, 3), np.uint8), [text], truncate=True))
        cx.save(e, place / "e.html")


KINDS = {
    "images": Kind(one_image, see_image, 30),
    "checkpoints": Kind(one_checkpoint, use_checkpoint, 22),
    "explanations": Kind(one_explanation, use_explanation, 10),
    "PASCAL VOC": Kind(one_data_set("voc"), use_data_set, 5),
    "COCO": Kind(one_data_set("coco"), use_data_set, 8),
    "records": Kind(one_record, go_on, 3),
    "texts": Kind(one_text, read_text, 10),
    "arguments": Kind(lambda seeds, random, place: None, ask_anything, 12),
}
assert sys.version_info >= (3, 10) and sum(kind.share for kind in KINDS.values()) == 100
