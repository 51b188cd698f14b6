"""Pictures in tar files, with their masks beside them, are measured as on a list of files."""

import json
import os
import tarfile
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image
from two_processes import by_two

import clipxai as cx
from clipxai.cli import main
from clipxai.many import shards
from clipxai.measure import in_tars
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.run import run


def png(pixels):
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


EMPTY = png(np.zeros((8, 8), np.uint8))


def shard(path, entries):
    with tarfile.open(path, "w") as tar:
        for name, data in entries.items():
            member = tarfile.TarInfo(name)
            if data is None:  # as tar keeps a second name of a file
                member.type, member.linkname = tarfile.LNKTYPE, next(iter(entries))
            else:
                member.size = len(data)
            tar.addfile(member, BytesIO(data or b""))


@pytest.fixture
def scenes(tmp_path):
    """Five pictures in three tar files, and the same on a list."""
    rows, held = ["path,mask,label"], {n: {} for n in range(3)}
    for seed in range(5):
        scene = cx.scenes.compose(["dog", "cat"], seed=seed)
        entries = {f"x/{seed}.png": png(scene.image)}
        for thing, mask in zip(("dog", "small cat"), scene.masks, strict=True):
            entries[f"x/{seed}.{thing}.PNG"] = png(np.where(mask, 255, 0).astype(np.uint8))
            rows.append(f"x/{seed}.png,x/{seed}.{thing}.PNG,{thing}")
        held[seed % 3] |= entries | {f"x/{seed}.txt": b"a caption", "x/read.me": b"nothing"}
        (tmp_path / "x").mkdir(exist_ok=True)
        for name, data in entries.items():
            (tmp_path / name).write_bytes(data)
    for number, entries in held.items():
        shard(tmp_path / f"{number}.tar", entries)
    (tmp_path / "list.csv").write_text("\n".join(rows))
    return tmp_path


def test_masks_beside_pictures_are_those_of_a_list(scenes, embedded):
    found, listed = dataset(f"{scenes}/{{0..2}}.tar"), dataset(scenes / "list.csv")
    assert found.ids[:3] == ("0.tar/x/0.png", "0.tar/x/3.png", "1.tar/x/1.png")
    assert found.classes == listed.classes == ("dog", "small cat")
    sample, same = found.read("0.tar/x/3.png"), listed.read("x/3.png")
    assert sample.labels == same.labels and (sample.masks == same.masks).all()
    ours, theirs = (Bench(embedded, data, ["clip"], ["localisation"]) for data in (found, listed))
    rows = ours.measure("0.tar/x/3.png"), theirs.measure("x/3.png")
    assert rows[0]["scores"] == rows[1]["scores"] and len(rows[0]["from"]) == 2
    # explain sees the pictures alone
    explained = cx.explain_each(embedded, scenes / "0.tar", "a dog", "clip", size=56)
    assert [path.name for path, _ in explained] == ["0.png", "3.png"]
    words = scenes / "classes.txt"
    words.write_text("small cat: kitten\n")
    few = dataset(scenes / "1.tar", classes=words)
    assert few.classes == ("kitten",) and few.read("1.tar/x/1.png").labels == (0,)
    words.write_text("owl: owl\n")
    with pytest.raises(
        ValueError, match="none of the classes asked for is a label of .*1.tar: dog"
    ):
        dataset(scenes / "1.tar", classes=words)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_two_processes_measure_what_one_does(scenes, embedded, monkeypatch):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    bench = Bench(embedded, dataset(f"{scenes}/*.tar"), ["clip"], ["localisation"], size=56)
    whole, log = in_tars.Lies.read, scenes / "read.log"

    def told(lies):
        with log.open("a") as file:
            file.write(f"{os.environ.get('RANK')} {lies.shard.name}\n")
        return whole(lies)

    try:
        with monkeypatch.context() as watched:
            watched.setattr(in_tars.Lies, "read", told)
            two = by_two(lambda: run(bench, scenes / "two") and None, scenes)
        assert two.returncode == 0, two.stderr
        run(bench, scenes / "one")
    finally:
        torch.set_num_threads(threads)
    assert {*log.read_text().split("\n")} == {"0 0.tar", "1 1.tar", "0 2.tar", ""}

    def rows(out):
        lines = [line for file in out.glob("rows/*") for line in file.read_text().splitlines()]
        said = [json.loads(line) for line in lines]
        return {row["id"]: {**row, "milliseconds": 0} for row in said if "id" in row}

    assert len(rows(scenes / "one")) == 5 and rows(scenes / "two") == rows(scenes / "one")


WRONG = {
    "no mask": ({"one.png": EMPTY}, "one.png in .* has no mask: a bench needs beside one.jpg"),
    "no picture": ({"one.dog.png": EMPTY}, "one.dog.png in .* has no picture"),
    "nothing": ({"one.txt": b"dog"}, "holds no picture: a bench needs beside one.jpg a mask"),
    "two pictures": ({"one.jpg": b"", "one.png": EMPTY}, "holds one.jpg and one.png, but"),
    "two masks": ({"a.dog.png": EMPTY, "a.dog.PNG": EMPTY}, "holds a.dog.png and a.dog.PNG, but"),
    "in colours": (
        {"one.jpg": EMPTY, "one.dog.png": png(np.zeros((8, 8, 3), np.uint8))},
        "0.tar/one.dog.png cannot be read as annotations: it has 3 colours a pixel",
    ),
    "no mask at all": (
        {"one.jpg": EMPTY, "one.dog.png": b"no"},
        "0.tar/one.dog.png cannot be read as annotations: cannot identify",
    ),
    "another format": (
        {"one.jpg": EMPTY, "one.dog.png": EMPTY, "one.cat.jpg": EMPTY},
        "one.cat.jpg in .* is no mask: a bench needs beside one.jpg",
    ),
    "no name": ({"one.jpg": EMPTY, "one. .png": EMPTY}, "one. .png in .* is no mask"),
    "twice": ({"./one.png": EMPTY, "one.png": EMPTY}, "holds ./one.png and one.png, but"),
    "a link": ({"one.jpg": EMPTY, "one.dog.png": EMPTY, "one.cat.png": None}, "png in .* a link"),
    "two sizes": (
        {"one.jpg": EMPTY, "one.dog.png": EMPTY, "one.cat.png": png(np.ones((9, 9), np.uint8))},
        "the masks of .*0.tar/one.jpg have 8x8 pixels, but .*0.tar/one.cat.png has 9x9",
    ),
}


@pytest.mark.parametrize(("entries", "message"), WRONG.values(), ids=WRONG)
def test_what_is_missing_is_said(entries, message, tmp_path):
    shard(tmp_path / "0.tar", entries)
    with pytest.raises(ValueError, match=message):
        dataset(tmp_path / "0.tar").read("0.tar/one.jpg")


def test_masks_of_another_size_and_damaged_tar_files(tmp_path, embedded, capsys):
    big = png(np.zeros((16, 16, 3), np.uint8))
    one = {"one.png": big, "one.dog.png": png(np.ones((8, 8), np.uint8)), "one.cat.png": EMPTY}
    shard(tmp_path / "0.tar", one)
    bench = ["bench", "--methods", "clip", "--out", str(tmp_path / "out"), "--data"]
    assert main([*bench, str(tmp_path / "0.tar")]) == 2
    assert "picture 0.tar/one.png has 16x16 pixels" in capsys.readouterr().err
    cut = tmp_path / "1.tar"
    cut.write_bytes((tmp_path / "0.tar").read_bytes()[:700])
    assert main([*bench, str(cut)]) == 2
    assert "1.tar is no tar file, or a damaged one" in capsys.readouterr().err
    assert main([*bench, str(tmp_path / "{7..8}.tar")]) == 2
    assert "no such tar file" in capsys.readouterr().err
    assert shards.taken_apart("a.b/c") == ("", "")
