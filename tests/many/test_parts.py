"""A table of many pictures: every row is what its picture gives alone, in half precision; an
interrupted run loses nothing that was written, and does nothing twice.
"""

import os
import re
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import clipxai as cx
from clipxai.cli import main
from clipxai.many import parts, telling
from clipxai.many.places import Place
from clipxai.results import parquet, writing

TEXTS = ["a dog", "a bicycle"]


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(5):
        pixels = np.random.default_rng(n).integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.png")
    return folder


def table(photos, out, *more, texts=TEXTS):
    command = ["explain", str(photos), *texts, "--out", str(out), "--size", "56", *more]
    return main([*command, "--method", "clip", "--format", "parquet"])


def rows(out):
    """Picture -> its row, read by pyarrow alone; no picture twice."""
    found = [row for part in out.glob("part*.parquet") for row in pq.read_table(part).to_pylist()]
    assert len({row["picture"] for row in found}) == len(found)
    return {row["picture"]: row for row in found}


def test_a_row_is_what_its_picture_gives(embedded, photos, tmp_path):
    assert table(photos, tmp_path / "maps") == 0
    found = rows(tmp_path / "maps")
    assert sorted(found) == [f"{n}.png" for n in range(5)]
    for name in ("0.png", "3.png"):
        alone = cx.explain(cx.record(embedded, photos / name, TEXTS, size=56), "clip")
        row = found[name]
        scores = np.array(row["scores"], np.float32).reshape(2, *row["grid"])
        least = np.abs(alone.scores).max(axis=(1, 2), keepdims=True) / 2048
        assert (np.abs(scores - alone.scores) <= least + 1e-6).all() and row["scale"] == [1, 1]
        np.testing.assert_allclose(row["presence"], alone.presence, atol=1e-6)
        again = cx.Explanation.from_parquet(tmp_path / "maps", name, Image.open(photos / name))
        np.testing.assert_array_equal(again.scores, scores)
        np.testing.assert_array_equal(again.image, alone.image)
        for part in ("texts", "method", "grid", "unit", "notes", "provenance", "sides"):
            assert getattr(again, part) == getattr(alone, part), part
    last = cx.Explanation.from_parquet(tmp_path / "maps", -1)
    assert "grey here" in last.notes[-1] and np.unique(last.image).tolist() == [128]


def test_what_half_precision_cannot_hold_is_scaled(tmp_path):
    whole = np.array([[[3e6, -1.0]], [[2e-9, np.nan]], [[0, 0]], [[65504, 1]]], np.float32)
    grid = cx.Grid(1, 2, (4, 4), (0, 0, 4, 4))
    picture = np.zeros((4, 4, 3), np.uint8)
    presence = np.array([0.5, np.nan, 0, 1], np.float32)
    e = cx.Explanation(whole, ("a", "b", "c", "d"), "clip", grid, "cosine", picture, presence)
    row = {"picture": "x", **parquet.row("x", *parts.kept(e))}
    parquet.write(tmp_path / "one.parquet", [row], {})
    again = cx.Explanation.from_parquet(tmp_path / "one.parquet", "x", picture)
    for ours, theirs in zip(again.scores, whole):
        np.testing.assert_allclose(ours, theirs, atol=np.nanmax(np.abs(theirs)) / 2048)
    np.testing.assert_array_equal(again.presence, presence)


def test_an_interrupted_run_goes_on(photos, tmp_path, monkeypatch, capsys):
    out, kept = tmp_path / "maps", []
    monkeypatch.setattr(parts, "ROWS", 2)
    row = parts._row

    def interrupted(name, *more):
        if len(kept) == 3:
            raise KeyboardInterrupt
        kept.append(name)
        return row(name, *more)

    monkeypatch.setattr(parts, "_row", interrupted)
    assert table(photos, out) == 1 and "interrupted" in capsys.readouterr().err
    assert sorted(rows(out)) == kept == ["0.png", "1.png", "2.png"]
    before = {part: part.read_bytes() for part in out.iterdir()}
    assert len(before) == 2
    # killed while it wrote: what lies there is no part yet
    (out / f".clipxai-{'0' * 16}.parquet").write_bytes(b"PAR1")
    assert cx.Explanation.from_parquet(out, -1).texts == tuple(TEXTS)
    writing._clear.cache_clear()  # as in another process
    monkeypatch.setattr(parts, "_row", row)
    assert table(photos, out) == 0
    assert "2 explained, 3 were there already, 0 could not" in capsys.readouterr().out
    assert len(rows(out)) == 5 and len([*out.iterdir()]) == 3
    assert all(part.read_bytes() == data for part, data in before.items())
    # a picture that changed has one row, its new one
    shutil.copy(photos / "0.png", photos / "1.png")
    os.utime(photos / "1.png", ns=(1, 1))
    assert table(photos, out) == 0
    assert "1 explained, 4 were there already" in capsys.readouterr().out
    found = rows(out)
    assert len(found) == 5 and found["1.png"]["scores"] == found["0.png"]["scores"]


def test_another_question_or_folder_is_not_mixed_in(photos, tmp_path, capsys):
    out = tmp_path / "maps"
    assert table(photos, out) == 0 and table(photos, out, texts=["a cat"]) == 2
    assert (
        "holds maps of another question (texts=['a dog', 'a bicycle'])" in capsys.readouterr().err
    )
    shutil.copytree(photos, tmp_path / "others")
    assert table(tmp_path / "others", out) == 2
    assert "where that of" in capsys.readouterr().err
    assert table(photos, out, "--overwrite", texts=["a cat"]) == 0
    assert {tuple(row["texts"]) for row in rows(out).values()} == {("a cat",)}
    assert table(photos, out, "--format", "png") == 2
    assert "one table of all images" in capsys.readouterr().err


def test_what_is_no_row_is_told(photos, tmp_path):
    assert table(photos, tmp_path / "maps") == 0
    read = cx.Explanation.from_parquet
    with pytest.raises(ValueError, match="holds 0 rows of 'none.png', but one is read"):
        read(tmp_path / "maps", "none.png")
    with pytest.raises(IndexError, match=r"row 5, but there are 5 \(0 to 4\)"):
        read(tmp_path / "maps", 5)
    with pytest.raises(ValueError, match="image is uint8 of shape"):
        read(tmp_path / "maps", 0, np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(FileNotFoundError, match="no Parquet file"):
        read(tmp_path)
    [part] = (tmp_path / "maps").iterdir()
    whole = pq.read_table(part)
    pq.write_table(whole.drop_columns(["scores"]), tmp_path / "other.parquet")
    with pytest.raises(ValueError, match="no table of explanations: it has no column scores"):
        read(tmp_path / "other.parquet")
    grids = whole.set_column(5, "grid", [[[7, 9]] * 5])
    pq.write_table(grids.cast(parquet.schema()), tmp_path / "damaged.parquet")
    with pytest.raises(ValueError, match="holds a damaged row of 0: cannot reshape"):
        read(tmp_path / "damaged.parquet")
    part.write_bytes(part.read_bytes()[:-9])
    with pytest.raises(ValueError, match="is no Parquet, or a damaged file"):
        read(tmp_path / "maps")


def test_names_within_and_outside_of_a_list(tmp_path):
    place = Place(tmp_path / "a", [])
    assert parts.name_of(tmp_path / "a/b/0.png", place) == "b/0.png"
    assert parts.name_of(tmp_path / "0.png", place) == (tmp_path / "0.png").as_posix()


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["parquet", "npz"])
def test_a_trial_says_what_a_run_does(photos, tmp_path, capsys, kind):
    (photos / "9.png").write_bytes(b"no picture")
    command = ["explain", str(photos), *TEXTS, "--out", str(tmp_path / "maps"), "--size", "56"]
    command += ["--method", "clip", "--format", kind]
    before = files(tmp_path)
    assert main([*command, "--dry-run"]) == 0 and files(tmp_path) == before
    assert not (tmp_path / "maps").exists()
    told = capsys.readouterr()
    assert "6 to explain, 0 were there already" in told.out and told.err.count("left out") == 1
    said = re.search(r"so about .*; about ([\d.]+) kB\nnothing was written", told.out)
    assert main(command) == 1
    record = "clipxai-explain.jsonl"
    real = sum(f.stat().st_size for f in files(tmp_path / "maps") if f.name != record)
    # the table holds 3 kB besides its rows; the damaged picture counts as one more
    assert real / 1000 * 0.5 < float(said[1]) < real / 1000 * 1.6
    written = {file: file.read_bytes() for file in files(tmp_path)}
    assert main([*command, "--dry-run"]) == 0
    assert "1 to explain, 5 were there already" in capsys.readouterr().out
    assert {file: file.read_bytes() for file in files(tmp_path)} == written
    assert main(["explain", str(photos / "0.png"), "a dog", "--dry-run"]) == 2


def test_trials_of_segment_and_bench(photos, tmp_path, capsys):
    segment = ["segment", str(photos), *TEXTS, "--mask", str(tmp_path / "masks"), "--method"]
    assert main([*segment, "clip", "--size", "56", "--dry-run"]) == 0
    assert "5 to explain" in capsys.readouterr().out
    out = tmp_path / "bench"
    bench = ["bench", "--limit", "3", "--methods", "clip", "--metrics", "presence"]
    assert main([*bench, "--size", "56", "--out", str(out), "--dry-run"]) == 0
    assert re.search(
        r"3 to measure, 0 were there already\nfrom the first 3: [\d.]+ pictures a second, so about "
        r".*; about [\d.]+ k?B of rows",
        capsys.readouterr().out,
    )
    assert not out.exists() and not (tmp_path / "masks").exists()


def test_a_log_gets_a_line_a_minute(monkeypatch, capsys):
    monkeypatch.setattr(telling, "EVERY", 0)
    with telling.telling("explaining", 4, "image") as told:
        told.left_out("this one")
        told.done()
    first, *_, last = capsys.readouterr().err.splitlines()
    assert first == "clipxai: left out: this one"
    said = r"clipxai: explaining: 2 of 4, .*/s, .* left, [\d.]+ [MG]B, 1 left out"
    assert re.fullmatch(said, last), last
