"""A table of many pictures: every row is what its picture gives alone, in half precision; an
interrupted run loses nothing that was written, and does nothing twice.
"""

import io
import json
import os
import re
import shutil
import signal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from two_processes import by_two

import clipxai as cx
from clipxai.cli import folder, main
from clipxai.many import parts, telling
from clipxai.many.places import Place
from clipxai.results import npz_table, parquet, tables, writing

KINDS = {"parquet": cx.Explanation.from_parquet, "npz-table": cx.Explanation.from_npz}
TEXTS = ["a dog", "a bicycle"]


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in range(5):
        pixels = np.random.default_rng(n).integers(0, 256, (40, 60, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{n}.png")
    return folder


def table(photos, out, *more, texts=TEXTS, kind="parquet"):
    command = ["explain", str(photos), *texts, "--out", str(out), "--size", "56", *more]
    return main([*command, "--method", "clip", "--format", kind])


def rows(out):
    """Picture -> its row, read by pyarrow or numpy alone; no picture twice."""
    found = [row for part in out.glob("part*.parquet") for row in pq.read_table(part).to_pylist()]
    for part in out.glob("part*.npz"):
        with np.load(part) as file:  # as docs/parquet.md tells, where all maps are of one shape
            maps = file["scores"].reshape(len(file["picture"]), -1)
            said = json.loads(str(file["described"]))["rows"]
            named = zip(file["picture"].tolist(), maps.tolist(), said, strict=True)
            found += [{"picture": name, "scores": one, **more} for name, one, more in named]
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
    # the same in numpy's files
    assert table(photos, tmp_path / "npz", kind="npz-table") == 0
    assert {name: row["scores"] for name, row in rows(tmp_path / "npz").items()} == {
        name: row["scores"] for name, row in found.items()
    }
    ours = cx.Explanation.from_npz(tmp_path / "npz", "3.png", Image.open(photos / "3.png"))
    for part in again.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(ours, part), getattr(again, part), part)
    [part] = (tmp_path / "npz").iterdir()
    first, last = cx.Explanation.from_npz(part), cx.Explanation.from_npz(tmp_path / "npz", -1)
    assert (first.scores != last.scores).any() and "grey here" in first.notes[-1]
    last = cx.Explanation.from_parquet(tmp_path / "maps", -1)
    assert "grey here" in last.notes[-1] and np.unique(last.image).tolist() == [128]


def test_what_half_precision_cannot_hold_is_scaled(tmp_path):
    whole = np.array([[[3e6, -1.0]], [[2e-9, np.nan]], [[0, 0]], [[65504, 1]]], np.float32)
    grid = cx.Grid(1, 2, (4, 4), (0, 0, 4, 4))
    picture = np.zeros((4, 4, 3), np.uint8)
    presence = np.array([0.5, np.nan, 0, 1], np.float32)
    e = cx.Explanation(whole, ("a", "b", "c", "d"), "clip", grid, "cosine", picture, presence)
    # of another shape, before it in the same file
    grid = cx.Grid(3, 1, (4, 4), (0, 0, 4, 4))
    other = cx.Explanation(np.ones((1, 3, 1)), ("e",), "clip", grid, "cosine", picture, [0.5])
    both = [tables.row(name, *parts.kept(one)) for name, one in (("y", other), ("x", e))]
    for kind, of in ((parquet, KINDS["parquet"]), (npz_table, KINDS["npz-table"])):
        file = tmp_path / f"one{kind.SUFFIX}"
        kind.write(file, both, {})
        again = of(file, "x", picture)
        for ours, theirs in zip(again.scores, whole):
            np.testing.assert_allclose(ours, theirs, atol=np.nanmax(np.abs(theirs)) / 2048)
        np.testing.assert_array_equal(again.presence, presence)
        assert again.grid == e.grid and of(file, 0).scores.tolist() == other.scores.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_run_goes_on(kind, photos, tmp_path, monkeypatch, capsys):
    out, kept = tmp_path / "maps", []
    monkeypatch.setattr(parts, "ROWS", 2)
    row = parts._row

    def interrupted(name, *more):
        if len(kept) == 3:
            raise KeyboardInterrupt
        kept.append(name)
        return row(name, *more)

    monkeypatch.setattr(parts, "_row", interrupted)
    assert table(photos, out, kind=kind) == 1 and "interrupted" in capsys.readouterr().err
    assert sorted(rows(out)) == kept == ["0.png", "1.png", "2.png"]
    before = {part: part.read_bytes() for part in out.iterdir()}
    assert len(before) == 2
    # killed while it wrote: what lies there is no part yet
    (out / f".clipxai-{'0' * 16}{parts.KINDS[kind].SUFFIX}").write_bytes(b"PAR1")
    assert KINDS[kind](out, -1).texts == tuple(TEXTS)
    writing._clear.cache_clear()  # as in another process
    monkeypatch.setattr(parts, "_row", row)
    assert table(photos, out, kind=kind) == 0
    assert "2 explained, 3 were there already, 0 could not" in capsys.readouterr().out
    assert len(rows(out)) == 5 and len([*out.iterdir()]) == 3
    assert all(part.read_bytes() == data for part, data in before.items())
    # a picture that changed has one row, its new one
    shutil.copy(photos / "0.png", photos / "1.png")
    os.utime(photos / "1.png", ns=(1, 1))
    assert table(photos, out, kind=kind) == 0
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
    # another kind of table is not put beside it
    assert table(photos, out, kind="npz-table", texts=["a cat"]) == 2
    assert "a table in .parquet (part-00000-000000.parquet), not in .npz" in capsys.readouterr().err
    assert table(photos, out, "--overwrite", kind="npz-table") == 0
    assert [part.name for part in out.iterdir()] == ["part-00000-000000.npz"]
    # what is no part of ours is never removed
    pq.write_table(pa.table({"x": [1]}), out / "part-00000-000009.parquet")
    assert table(photos, out, "--overwrite", kind="npz-table") == 2
    assert "part-00000-000009.parquet is no table of explanations" in capsys.readouterr().err
    assert (out / "part-00000-000009.parquet").exists()


def test_what_is_no_row_is_told(photos, tmp_path):
    assert table(photos, tmp_path / "maps") == 0
    read = cx.Explanation.from_parquet
    with pytest.raises(ValueError, match=r"no row of 'none.png', .* such as \['0.png', '1"):
        read(tmp_path / "maps", "none.png")
    with pytest.raises(IndexError, match=r"row 5, but there are 5 \(0 to 4\)"):
        read(tmp_path / "maps", 5)
    with pytest.raises(ValueError, match="image is uint8 of shape"):
        read(tmp_path / "maps", 0, np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(FileNotFoundError, match="no .parquet file"):
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


def test_what_is_no_table_of_numpy_is_told(photos, tmp_path):
    """Every byte turned once, and many lengths: one line, or the same numbers."""
    assert table(photos, tmp_path / "maps", kind="npz-table") == 0
    read = cx.Explanation.from_npz
    [part] = (tmp_path / "maps").iterdir()
    whole, expected = part.read_bytes(), read(part, 3)
    expected.to_npz(tmp_path / "one.npz")
    with pytest.raises(ValueError, match="is one explanation with its picture, not a table"):
        read(tmp_path / "one.npz", 0)
    with pytest.raises(FileNotFoundError, match="no .npz file: .* called part-00000-000000.npz"):
        read(tmp_path)  # where one.npz lies, which is no part
    for row in (True, 1.0, b"3.png"):
        with pytest.raises(TypeError, match="named by its picture or its number"):
            read(part, row)
    with pytest.raises(IndexError, match=r"row 5, but there are 5 \(0 to 4\)"):
        read(part, 5)
    with pytest.raises(FileNotFoundError, match="no .npz file"):
        read(photos)
    damaged = [whole[:n] for n in range(0, len(whole), 97)]
    damaged += [
        whole[:n] + bytes([whole[n] ^ 0x55]) + whole[n + 1 :] for n in range(0, len(whole), 5)
    ]
    for content in damaged:
        part.write_bytes(content)
        try:
            found = read(tmp_path / "maps", 3)
        except ValueError as error:
            assert str(tmp_path) in str(error)
        else:
            np.testing.assert_array_equal(found.scores, expected.scores)
    with np.load(io.BytesIO(whole)) as file:
        arrays = {name: file[name] for name in file}
    fewer, wider = arrays["count"].copy(), arrays["grid"].copy()
    fewer[0] -= 1  # what follows would be another picture's
    wider[0] *= 2
    for wrong in (
        {"count": arrays["count"][:2]},
        {"count": fewer},
        {"grid": -arrays["grid"]},
        {"grid": wider},
        {"scores": [1.0]},
        {"scores": arrays["scores"].astype(np.int8)},
        {"presence": arrays["presence"][1:]},
    ):
        np.savez(part, **{**arrays, **wrong})
        with pytest.raises(ValueError, match="damaged"):
            read(part, 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_make_the_table_of_one(kind, photos, tmp_path):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        two = by_two(lambda: table(photos, tmp_path / "two", "--batch", "1", kind=kind), tmp_path)
        assert two.returncode == 0, two.stderr
        assert table(photos, tmp_path / "one", "--batch", "1", kind=kind) == 0
    finally:
        torch.set_num_threads(threads)
    assert two.stdout.count("5 explained, 0 were there already") == 1, "one speaks for both"
    made = sorted(part.name for part in (tmp_path / "two").iterdir())
    suffix = parts.KINDS[kind].SUFFIX
    assert made == [f"part-00000-000000{suffix}", f"part-00001-000000{suffix}"]
    assert rows(tmp_path / "two") == rows(tmp_path / "one")


def test_names_within_and_outside_of_a_list(tmp_path):
    place = Place(tmp_path / "a", [])
    assert parts.name_of(tmp_path / "a/b/0.png", place) == "b/0.png"
    assert parts.name_of(tmp_path / "0.png", place) == (tmp_path / "0.png").as_posix()


def test_what_sigterm_ends_is_kept_and_goes_on(photos, tmp_path, monkeypatch, capsys):
    """As a scheduler ends a run; by default Python would be gone before the part is written."""

    def ended(*asked, **options):
        found = explain_sources(*asked, **options)
        yield next(found)
        yield next(found)
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            yield from found
        finally:  # heard twice, as by the terminal and by torchrun
            os.kill(os.getpid(), signal.SIGINT)

    explain_sources, default = folder.explain_sources, signal.getsignal(signal.SIGTERM)
    assert default is signal.SIG_DFL
    with monkeypatch.context() as patched:
        patched.setattr(folder, "explain_sources", ended)
        assert table(photos, tmp_path / "maps", "--batch", "1") == 1
    told = capsys.readouterr().err
    assert "explaining: 2 of 5 are done, and kept; the same command goes on there" in told
    assert "interrupted" in told and signal.getsignal(signal.SIGTERM) is default
    assert len(rows(tmp_path / "maps")) == 2
    assert table(photos, tmp_path / "maps", "--batch", "1") == 0
    assert "3 explained, 2 were there already" in capsys.readouterr().out
    assert len(rows(tmp_path / "maps")) == 5


def test_a_signal_while_a_part_is_written_waits_until_it_is(photos, tmp_path, monkeypatch, capsys):
    def write(path, few, said):
        os.kill(os.getpid(), signal.SIGTERM)
        parquet_write(path, few, said)
        os.kill(os.getpid(), signal.SIGTERM)

    parquet_write = parquet.write
    monkeypatch.setattr(parts, "ROWS", 2)
    with monkeypatch.context() as patched:
        patched.setattr(parquet, "write", write)
        assert table(photos, tmp_path / "maps", "--batch", "1") == 1
    assert len(rows(tmp_path / "maps")) == 2
    assert table(photos, tmp_path / "maps", "--batch", "1") == 0
    assert "3 explained, 2 were there already" in capsys.readouterr().out
    assert len(rows(tmp_path / "maps")) == 5


def test_an_overwrite_that_ended_before_it_began_is_said_again(capsys):
    with pytest.raises(KeyboardInterrupt), telling.telling("explaining", 3, "image", again="more"):
        os.kill(os.getpid(), signal.SIGTERM)
    assert "0 of 3 are done, and kept; the same command goes on there" in capsys.readouterr().err


def test_a_table_tells_its_precision(photos, tmp_path, capsys):
    out = tmp_path / "maps"
    assert table(photos, out, "--dtype", "bfloat16") == 0
    assert {json.loads(row["provenance"])["dtype"] for row in rows(out).values()} == {"bfloat16"}
    capsys.readouterr()
    assert table(photos, out) == 2
    told = capsys.readouterr().err
    assert re.search(
        r"another question \(weights sha256='\w+', which another --dtype changes", told
    )
    assert table(photos, out, "--overwrite") == 0
    assert not any("dtype" in json.loads(row["provenance"]) for row in rows(out).values())


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", ["parquet", "npz", "npz-table"])
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


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_of_a_few_tells_how_large_the_table_of_many_gets(photos, tmp_path, capsys, kind):
    """What a part takes besides its rows is told apart from them."""
    for n in range(5, 40):
        shutil.copy(photos / "1.png", photos / f"{n}.png")
    command = ["explain", str(photos), *TEXTS, "--out", str(tmp_path / "maps"), "--size", "56"]
    command += ["--method", "clip", "--format", kind, "--batch", "5"]
    assert main([*command, "--dry-run"]) == 0
    [said] = re.findall(r"so about .*; about ([\d.]+) kB", capsys.readouterr().out)
    assert main(command) == 0
    real = sum(file.stat().st_size for file in files(tmp_path / "maps"))
    assert real / 1000 * 0.7 < float(said) < real / 1000 * 1.4, real


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
