"""Lists, tar files and data sets give what their pictures give one by one; what is damaged in them
is told, and ends nothing.
"""

import sys
import tarfile
from functools import partial
from io import BytesIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import clipxai as cx
from clipxai.cli import main
from clipxai.many import places
from clipxai.many.places import find_place


def png(seed):
    file = BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)).save(
        file, "PNG"
    )
    return file.getvalue()


def shard(path, entries):
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, data in entries.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, BytesIO(data))
    return path


@pytest.fixture
def photos(tmp_path):
    for n in range(3):
        (tmp_path / f"{n}.png").write_bytes(png(n))
    return tmp_path


def expect_each(model, found, expected):
    """That every picture, by its name, was asked about its texts: a second route, one by one."""
    found = {str(path.name): e for path, e in found}
    assert [*found] == [*expected]
    for name, (data, texts) in expected.items():
        alone = cx.explain(cx.record(model, data, list(texts)), "clip")
        assert found[name].texts == alone.texts
        np.testing.assert_allclose(found[name].scores, alone.scores, atol=1e-5)


def test_lists(embedded, photos):
    (photos / "all.txt").write_text("1.png\n\n0.png\n1.png\n", encoding="utf-8")
    found = cx.explain_each(embedded, photos / "all.txt", ["a dog"], "clip")
    expect_each(embedded, found, {f"{n}.png": (png(n), ["a dog"]) for n in (1, 0)})

    lines = ["path,caption,label", "0.png,a dog,", "1.png,a cat,a pizza", "0.png,a cow,", "2.png,,"]
    (photos / "own.csv").write_text("\n".join([*lines, ",x,"]), encoding="utf-8")
    (photos / "odd.csv").write_text("my;path\n1.png\n", encoding="utf-8")
    assert find_place(photos / "odd.csv", column="my;path").images == [photos / "1.png"]
    told = []
    found = cx.explain_each(
        embedded,
        photos / "own.csv",
        method="clip",
        texts_from=["caption", "label"],
        broken=lambda image, error: told.append((image.name, str(error))),
    )
    own = {"0.png": (png(0), ("a dog", "a cow")), "1.png": (png(1), ("a cat", "a pizza"))}
    expect_each(embedded, found, own)
    assert [name for name, _ in told] == ["2.png", "own.csv"]
    assert "row 4 of" in told[0][1] and "no text of its own (caption, label" in told[0][1]

    table = {"file": ["0.png", "2.png"], "texts": [["a dog", "a cow"], ["a cat"]]}
    pq.write_table(pa.table(table), photos / "own.parquet")
    found = cx.explain_each(
        embedded, photos / "own.parquet", method="clip", column="file", texts_from="texts"
    )
    expect_each(embedded, found, {"0.png": own["0.png"], "2.png": (png(2), ["a cat"])})


@pytest.mark.parametrize("templates", [None, ["a photo of a {}.", "a cat and a {}" + " cat" * 12]])
def test_a_text_of_its_own_that_is_too_long_leaves_one_image_out(embedded, photos, templates):
    """Also where it is so in one of its templates alone."""
    long = "a cow" + " cat" * (16 if templates else 30)
    (photos / "own.csv").write_text(f"path,text\n0.png,a\n1.png,{long}\n2.png,b\n", "utf-8")
    read = partial(cx.explain_each, embedded, photos / "own.csv", None, "clip", texts_from="text")
    told = []
    for batch in (1, 8):
        found = read(batch=batch, templates=templates, broken=lambda *of: told.append(of))
        found = {path.name: e for path, e in found}
        assert [*found] == ["0.png", "2.png"]
        alone = cx.explain(cx.record(embedded, png(2), "b", templates=templates), "clip")
        np.testing.assert_allclose(found["2.png"].scores, alone.scores, atol=1e-6)
        path, error = told.pop()
        assert path.name == "1.png" and not told
        assert str(error).startswith(f"{path}: text of ") and "truncate=True" in str(error)
        with pytest.raises(ValueError, match=r"1\.png: text of \d+ tokens"):
            list(read(batch=batch, templates=templates))
        assert len(list(read(batch=batch, templates=templates, truncate=True))) == 3


def test_tar_files_go_on_after_damage_and_continue(embedded, tmp_path, capsys):
    shards, out = tmp_path / "shards", tmp_path / "maps"
    whole = {f"x/{n}.png": png(n) for n in (0, 1)} | {"x/2.PNG": png(2), "../evil.png": png(3)}
    shard(shards / "000.tar", {**whole, "x/broken.jpg": b"no", "notes.txt": b"no picture"})
    cut = shard(shards / "001.tar", {"4.png": png(4), "5.png": png(5), "6.png": png(6)})
    cut.write_bytes(cut.read_bytes()[: -len(png(6)) - 9000])  # within 5.png or 6.png
    command = ["explain", f"{shards}/{{000..001}}.tar", "a dog", "--out", str(out)]
    command += ["--method", "clip", "--format", "npz"]
    assert main(command) == 1
    told = capsys.readouterr()
    left_out = [line for line in told.err.splitlines() if "left out" in line]
    assert any("001.tar is no tar file, or a damaged one" in line for line in left_out)
    assert any("000.tar/x/broken.jpg" in line for line in left_out)
    assert any("lead out of it, such as '../evil.png': they are" in line for line in left_out)
    names = sorted(path.relative_to(out).as_posix() for path in out.rglob("*.npz"))
    assert names[:4] == ["000.tar/x/0-clip.npz", "000.tar/x/1-clip.npz", "000.tar/x/2-clip.npz"] + [
        "001.tar/4-clip.npz"
    ]
    assert f"{len(names)} explained, 0 were there already, {len(left_out)} could" in told.out
    assert not list(tmp_path.rglob("*evil*"))
    kept = cx.Explanation.from_npz(out / "000.tar/x/2-clip.npz")
    alone = cx.explain(cx.record(embedded, png(2), "a dog"), "clip")
    np.testing.assert_allclose(kept.scores, alone.scores, atol=1e-5)
    (out / "000.tar/x/1-clip.npz").unlink()
    assert main(command) == 1
    assert f"1 explained, {len(names) - 1} were there already" in capsys.readouterr().out


def test_a_caption_that_changed_is_asked_again(photos, capsys):
    own, out = photos / "own.csv", photos / "maps"
    command = ["explain", str(own), "--texts-from", "caption", "--method", "clip"]
    command += ["--format", "npz", "--out", str(out)]
    own.write_text("path,caption\n0.png,a dog\n1.png,a cat\nnone.png,a cow\n", encoding="utf-8")
    assert main(command) == 1
    told = capsys.readouterr()
    assert "no such image file" in told.err and "none.png" in told.err
    assert "2 explained, 0 were there already, 1 could not be read" in told.out
    own.write_text("path,caption\n0.png,a dog\n1.png,a pizza\n", encoding="utf-8")
    assert main(command) == 0
    assert "1 explained, 1 were there already" in capsys.readouterr().out
    assert cx.Explanation.from_npz(out / "1-clip.npz").texts == ("a pizza",)


def test_processes_share_tar_files(embedded, tmp_path, monkeypatch):
    for n in range(3):
        shard(tmp_path / f"{n}.tar", {f"{n}{i}.png": png(i) for i in range(2)})
    opened = []
    for verb in ("members", "read_members"):
        whole = getattr(places, verb)

        def told(tar, *more, verb=verb, whole=whole):
            opened.append((verb, tar.name))
            return whole(tar, *more)

        monkeypatch.setattr(places, verb, told)
    names = []
    for rank in range(2):
        found = cx.explain_each(
            embedded, tmp_path / "*.tar", "a dog", "clip", size=56, shard=(rank, 2)
        )
        names.append([path.name for path, _ in found])
    assert names == [["00.png", "01.png", "20.png", "21.png"], ["10.png", "11.png"]]
    assert sorted(opened) == [
        (verb, f"{n}.tar") for verb in ("members", "read_members") for n in range(3)
    ], "each by one process"


def test_entries_of_a_data_set(embedded):
    decoded = Image.open(BytesIO(png(0)))
    undecoded = {"bytes": png(1), "path": None}
    entries = [
        {"image": decoded, "caption": "a dog"},
        {"image": undecoded, "caption": ["a cat", "a cow"]},
        {"image": {"bytes": b"damaged", "path": None}, "caption": "a dog"},
        {"image": undecoded, "caption": 3},
        {"picture": undecoded},
    ]
    told = []
    found = list(
        cx.explain_each(
            embedded,
            iter(entries),
            method="clip",
            texts_from="caption",
            broken=lambda entry, error: told.append(f"{type(error).__name__}: {error}"),
        )
    )
    assert [entry is given for (entry, _), given in zip(found, entries)] == [True, True]
    for (_, e), data, texts in zip(found, (png(0), png(1)), ("a dog", ["a cat", "a cow"])):
        alone = cx.explain(cx.record(embedded, data, texts), "clip")
        np.testing.assert_allclose(e.scores, alone.scores, atol=1e-5)
    assert "not an image" in told[0] and told[1] == "TypeError: caption is 3, but a text is needed"
    assert told[2].startswith("TypeError: an entry of `images` has no 'image', but picture")


@pytest.mark.parametrize(
    ("where", "more", "message"),
    [
        (".", {"column": "file"}, "has no file: columns are those of a list"),
        ("all.txt", {"texts_from": ["caption"]}, "is a list of paths alone"),
        ("all.csv", {"texts_from": ["caption"]}, "no column 'caption', but path, text: say which"),
        ("all.csv", {"column": "file"}, "no column 'file', but path, text"),
        ("excel.csv", {"texts_from": ["text"]}, "columns apart by ';', but CSV's are apart by ','"),
        ("mixed.csv", {}, "columns apart by ';'"),
        ("all.parquet", {}, "all.parquet is no Parquet, or a damaged file"),
        ("empty.csv", {}, "names no picture"),
        ("none.csv", {}, "no such list of pictures"),
        ("{0..x}.tar", {}, "no such tar file"),
        ("{9..1}.tar", {}, "no range of shards"),
        ("nothing.tar", {}, "no images in .*no entry is with .jpg"),
    ],
)
def test_what_is_no_source(photos, where, more, message):
    for name in ("all.txt", "all.parquet"):
        (photos / name).write_text("0.png\n", encoding="utf-8")
    (photos / "all.csv").write_text("path,text\n0.png,a dog\n", encoding="utf-8")
    (photos / "excel.csv").write_text("path;text\n0.png;a dog\n", encoding="utf-8")
    (photos / "mixed.csv").write_text("path;caption, long\n0.png;a dog, sitting\n", "utf-8")
    (photos / "empty.csv").write_text("path\n", encoding="utf-8")
    shard(photos / "nothing.tar", {"a.txt": b"a dog"})
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        find_place(photos / where, **more)


def test_without_the_packages(photos, monkeypatch):
    shard(photos / "0.tar", {"0.png": png(0)})
    (photos / "all.parquet").touch()
    for name in ("webdataset", "webdataset.tariterators", "pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)
    for where in ("0.tar", "all.parquet"):
        with pytest.raises(ValueError, match=r"pip install 'clipxai\[data\]'"):
            find_place(photos / where)
    with pytest.raises(ValueError, match="split by who makes it"):
        cx.explain_each(cx.load(), [png(0)], "a dog", shard=(0, 2))
    with pytest.raises(ValueError, match="pass one"):
        cx.explain_each(cx.load(), [png(0)], "a dog", texts_from="caption")
