"""`clipxai explain FOLDER`: every readable image gets its files, runs continue, and maps of
anything else are never taken for its own.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from two_processes import by_two

import clipxai as cx
from clipxai import view
from clipxai.cli import main
from clipxai.many.folders import outputs
from clipxai.model.files.locating import EMBEDDED


@pytest.fixture
def photos(tmp_path):
    """Two photographs and something that only calls itself one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, seed in (("dog.png", 1), ("bike.jpg", 2)):
        Image.fromarray(
            cx.scenes.compose(["dog", "bicycle"], background="grass", seed=seed).image
        ).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return folder


def explain(photos, out, *more):
    return main(["explain", str(photos), "a dog", "a bicycle", "--out", str(out), *more])


def names(out):
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_the_broken_one_is_told_and_the_rest_written(photos, tmp_path, capsys):
    out = tmp_path / "maps"
    assert explain(photos, out, "--format", "npz", "--format", "png") == 1
    captured = capsys.readouterr()
    assert (
        captured.err.count("\n") == 1
        and "clipxai: left out: not an image" in captured.err
        and "broken.jpg" in captured.err
    )
    assert "2 explained, 0 were there already, 1 could not be read" in captured.out
    maps = [f"{name}-clip_surgery.{kind}" for name in ("bike", "dog") for kind in ("npz", "png")]
    assert names(out) == sorted([*maps, "clipxai-explain.jsonl"])
    expected = cx.explain(cx.record(cx.load(), photos / "dog.png", ["a dog", "a bicycle"]))
    np.testing.assert_allclose(
        cx.Explanation.from_npz(out / "dog-clip_surgery.npz").scores, expected.scores, atol=1e-5
    )


def test_one_too_long_to_resize_does_not_end_the_run(photos, tmp_path, capsys):
    Image.new("L", (50_000, 1)).save(photos / "broken.jpg", "PNG")
    for mode, told in (("crop", "5600000x112|112x5600000"), ("aspect", "112x5600000|patches")):
        assert explain(photos, tmp_path / mode, "--mode", mode) == 1
        captured = capsys.readouterr()
        assert re.search(rf"left out: .*({told})", captured.err), captured.err
        assert "2 explained, 0 were there already, 1 could not be read" in captured.out


def test_names_that_differ_in_letters_only_lie_beside_each_other(photos, tmp_path):
    (photos / "broken.jpg").unlink()
    shutil.copy(photos / "dog.png", photos / "DOG.png")
    if len(list(photos.iterdir())) == 2:
        pytest.skip("not on this file system")
    assert explain(photos, tmp_path / "maps", "--format", "npz") == 0
    assert sum(name.lower().startswith("dog") for name in names(tmp_path / "maps")) == 2


def test_an_interrupted_run_continues(photos, tmp_path, capsys, monkeypatch):
    (photos / "broken.jpg").unlink()
    out, save, saved = tmp_path / "maps", view.save, []

    def interrupted(what, path):
        if saved:
            raise KeyboardInterrupt
        saved.append(path)
        return save(what, path)

    monkeypatch.setattr(view, "save", interrupted)
    assert explain(photos, out, "--format", "npz") == 1
    assert "interrupted" in capsys.readouterr().err and names(out) == [
        "bike-clip_surgery.npz",
        "clipxai-explain.jsonl",
    ]
    before = (out / "bike-clip_surgery.npz").stat().st_mtime_ns
    monkeypatch.setattr(view, "save", save)
    assert explain(photos, out, "--format", "npz") == 0
    assert "1 explained, 1 were there already, 0 could not be read" in capsys.readouterr().out
    assert (out / "bike-clip_surgery.npz").stat().st_mtime_ns == before and (
        out / "dog-clip_surgery.npz"
    ).exists()
    assert explain(photos, out, "--format", "npz", "--overwrite") == 0
    assert "2 explained, 0 were there already" in capsys.readouterr().out
    assert (out / "bike-clip_surgery.npz").stat().st_mtime_ns > before


def test_another_question_is_not_mixed_in(photos, tmp_path, capsys):
    (photos / "broken.jpg").unlink()
    out = tmp_path / "maps"
    assert explain(photos, out, "--format", "npz", "--method", "clip") == 0
    assert (
        main(
            [
                "explain",
                str(photos),
                "a pizza",
                "--out",
                str(out),
                "--method",
                "clip",
                "--format",
                "npz",
            ]
        )
        == 2
    )
    assert (
        "holds maps of another question (texts=['a dog', 'a bicycle']): choose another folder, or "
        "--overwrite" in capsys.readouterr().err
    )
    again = [
        "explain",
        str(photos),
        "a pizza",
        "--out",
        str(out),
        "--method",
        "clip",
        "--format",
        "npz",
    ]
    assert main([*again, "--overwrite"]) == 0 and main(again) == 0
    assert cx.Explanation.from_npz(out / "dog-clip.npz").texts == ("a pizza",)


def test_names_of_a_pattern_and_of_twins(photos, tmp_path, capsys):
    (photos / "below").mkdir()
    for twin in (photos / "dog.jpg", photos / "below/dog.png"):
        Image.open(photos / "dog.png").save(twin)
    (photos / "broken.jpg").unlink()
    out = photos / "maps"
    for _ in range(2):
        assert explain(f"{photos}/**/*.*g", out, "--method", "clip", "--format", "npz") == 0
        maps = ["below/dog-clip.npz", "bike-clip.npz", "dog.jpg-clip.npz", "dog.png-clip.npz"]
        assert names(out) == sorted([*maps, "clipxai-explain.jsonl"])
    assert "0 explained, 4 were there already" in capsys.readouterr().out
    # what a run with --format png leaves below the images is no image
    Image.open(photos / "dog.png").save(out / "bike-clip.png")
    assert explain(f"{photos}/**/*.*g", out, "--method", "clip", "--format", "npz") == 0
    assert "0 explained, 4 were there already" in capsys.readouterr().out
    assert explain(photos, photos) == 2 and "choose another --out" in capsys.readouterr().err


def picture(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(
        cx.scenes.compose(["dog", "bicycle"], background="grass", seed=seed).image
    ).save(path)
    return path


def quick(photos, out, *more):
    return explain(photos, out, "--method", "clip", "--format", "npz", *more)


def is_map_of(file, image):
    expected = cx.explain(cx.record(cx.load(), image, ["a dog", "a bicycle"]), "clip")
    return np.allclose(cx.Explanation.from_npz(file).scores, expected.scores, atol=1e-5)


def test_a_map_of_another_folder_is_neither_taken_nor_replaced(tmp_path, capsys):
    first, second = picture(tmp_path / "a/img.png", 1), picture(tmp_path / "b/img.png", 2)
    out = tmp_path / "maps"
    assert quick(first.parent, out) == 0 and quick(second.parent, out) == 2
    told = capsys.readouterr().err
    assert (
        f"holds a map of {first.resolve()} where that of {second} goes: choose another folder, or "
        "--overwrite" in told
    )
    assert is_map_of(out / "img-clip.npz", first) and not is_map_of(out / "img-clip.npz", second)
    first.unlink()  # then nobody can miss its map
    assert quick(second.parent, out) == 0 and is_map_of(out / "img-clip.npz", second)
    first = picture(first, 1)
    assert quick(first.parent, out, "--overwrite") == 0 and is_map_of(out / "img-clip.npz", first)


def test_a_photo_replaced_under_its_name_is_explained_anew(tmp_path, capsys):
    image, _ = picture(tmp_path / "photos/a.png", 1), picture(tmp_path / "photos/b.png", 2)
    out = tmp_path / "maps"
    assert quick(image.parent, out) == 0 and quick(image.parent, out) == 0
    assert "0 explained, 2 were there already" in capsys.readouterr().out
    picture(image, 3)
    assert quick(image.parent, out) == 0
    assert "1 explained, 1 were there already" in capsys.readouterr().out and is_map_of(
        out / "a-clip.npz", image
    )
    image.write_bytes(b"no image any more")
    assert quick(image.parent, out) == 1
    assert "0 explained, 1 were there already, 1 could not be read" in capsys.readouterr().out
    assert names(out) == ["b-clip.npz", "clipxai-explain.jsonl"], (
        "no map of what is no longer there"
    )


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_may_point_at_another_photo(tmp_path):
    """As with tools that keep every version of a file: the former one is still there."""
    link, out = tmp_path / "photos/a.png", tmp_path / "maps"
    link.parent.mkdir()
    for seed in (1, 2):
        link.unlink(missing_ok=True)
        link.symlink_to(picture(tmp_path / f"versions/{seed}.png", seed))
        assert quick(link.parent, out) == 0 and is_map_of(out / "a-clip.npz", link)


def test_killed_between_a_map_and_its_line(tmp_path, monkeypatch):
    """The map is then of an image that the record does not know, even if the one that it knew comes
    back.
    """
    image, out, save = picture(tmp_path / "photos/a.png", 1), tmp_path / "maps", view.save
    before = shutil.copy2(image, tmp_path / "before.png")
    assert quick(image.parent, out) == 0

    def killed(what, path):
        save(what, path)
        raise KeyboardInterrupt

    picture(image, 2)
    monkeypatch.setattr(view, "save", killed)
    assert quick(image.parent, out) == 1 and is_map_of(out / "a-clip.npz", image)
    monkeypatch.setattr(view, "save", save)
    shutil.copy2(before, image)
    assert quick(image.parent, out) == 0 and is_map_of(out / "a-clip.npz", image)


@pytest.fixture
def one_thread():
    """As in every process that torchrun starts: how sums are split over threads can change their
    last digit.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_torchrun_writes_what_one_process_writes(tmp_path, one_thread):
    """What cannot be read is counted wherever it fell."""
    photos, two, alone = tmp_path / "photos", tmp_path / "two", tmp_path / "alone"
    for n in range(5):
        picture(photos / f"{n}.png", n)
    for n in range(2):
        (photos / f"no{n}.png").write_bytes(b"no picture")
    asked = ["explain", str(photos), "a dog", "a cat", "--format", "npz", "--format", "png"]
    asked += ["--batch", "1", "--out"]
    start = "-m torch.distributed.run --standalone --nproc-per-node 2 -m clipxai".split()
    done = subprocess.run(
        [sys.executable, *start, *asked, str(two)],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 1 and done.stderr.count("left out") == 2, done.stderr
    told = "5 explained, 0 were there already, 2 could not be read"
    assert done.stdout.count(told) == 1, "one speaks for both"
    assert main([*asked, str(alone)]) == 1
    assert len(names(two)) == 11
    assert_same_files(two, alone)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_two_processes_write_the_masks_of_one(tmp_path, one_thread):
    photos, two, alone = tmp_path / "photos", tmp_path / "two", tmp_path / "alone"
    for n in range(3):
        picture(photos / f"{n}.png", n)
    asked = ["segment", str(photos), "a dog", "a cat", "--refine", "grabcut", "--batch", "1"]
    done = by_two(lambda: main([*asked, "--mask", str(two)]), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("3 explained, 0 were there already") == 1, "one speaks for both"
    assert main([*asked, "--mask", str(alone)]) == 0
    assert len(names(two)) == 4
    assert_same_files(two, alone)


def assert_same_files(two, alone):
    assert names(two) == names(alone)
    for name in names(two):
        if not name.endswith(".npz"):
            assert (two / name).read_bytes() == (alone / name).read_bytes(), name
            continue
        ours, theirs = (cx.Explanation.from_npz(folder / name) for folder in (two, alone))
        np.testing.assert_array_equal(ours.scores, theirs.scores)


def test_what_a_process_left_is_not_made_again(tmp_path, capsys):
    photos, out = tmp_path / "photos", tmp_path / "maps"
    for n in range(3):
        picture(photos / f"{n}.png", n)
    assert quick(photos, out) == 0
    whole = (out / "clipxai-explain.jsonl").read_bytes()
    question, *made = whole.splitlines(keepends=True)
    # killed before the first put all into one: it had written 0, the second 1, and half of a line
    (out / "clipxai-explain.jsonl").write_bytes(question + made[0])
    (out / "clipxai-explain.1.jsonl").write_bytes(question + made[1] + made[2][:-9])
    capsys.readouterr()
    assert quick(photos, out) == 0
    assert "1 explained, 2 were there already" in capsys.readouterr().out
    assert (out / "clipxai-explain.jsonl").read_bytes() == whole
    assert not (out / "clipxai-explain.1.jsonl").exists()
    # of another question, which was there before this one
    (out / "clipxai-explain.jsonl").write_bytes(question + made[0])
    other = question.replace(b"a dog", b"a cow")
    assert other != question
    (out / "clipxai-explain.1.jsonl").write_bytes(other + made[1] + made[2])
    assert quick(photos, out) == 0
    assert "2 explained, 1 were there already" in capsys.readouterr().out


def test_a_new_image_moves_no_map_of_a_pattern(tmp_path, capsys):
    below, out = picture(tmp_path / "c/x/img.png", 1), tmp_path / "maps"
    assert quick(f"{tmp_path}/c/**/*.png", out) == 0 and names(out) == [
        "clipxai-explain.jsonl",
        "x/img-clip.npz",
    ]
    above = picture(tmp_path / "c/img.png", 2)
    assert quick(f"{tmp_path}/c/**/*.png", out) == 0
    assert "1 explained, 1 were there already" in capsys.readouterr().out
    assert is_map_of(out / "img-clip.npz", above) and is_map_of(out / "x/img-clip.npz", below)
    assert quick(f"{tmp_path}/c/**/**/*.png", out) == 0, "a pattern that finds images twice"
    assert "0 explained, 2 were there already" in capsys.readouterr().out


def test_a_checkpoint_overwritten_is_another_model(tmp_path, capsys):
    image, out, model = picture(tmp_path / "photos/a.png", 1), tmp_path / "maps", tmp_path / "ckpt"
    shutil.copytree(str(EMBEDDED), model)
    assert quick(image.parent, out, "--model", str(model)) == 0
    weights = load_file(model / "model.safetensors")
    changed = weights["visual_projection.weight"]
    save_file(
        weights | {"visual_projection.weight": torch.roll(changed, 1, 0)},
        model / "model.safetensors",
    )
    assert quick(image.parent, out, "--model", str(model)) == 2
    assert "holds maps of another question (weights sha256='" in capsys.readouterr().err
    assert quick(image.parent, out, "--model", str(model), "--overwrite") == 0


def test_maps_of_an_earlier_question_do_not_come_back(tmp_path):
    """--overwrite answers another question in one format; the files of the other format still
    answer the first.
    """
    image, out = picture(tmp_path / "photos/a.png", 1), tmp_path / "maps"
    assert quick(image.parent, out) == 0
    again = ["explain", str(image.parent), "a pizza", "--method", "clip", "--out", str(out)]
    assert (
        main([*again, "--format", "svg", "--overwrite"]) == 0
        and main([*again, "--format", "npz"]) == 0
    )
    assert cx.Explanation.from_npz(out / "a-clip.npz").texts == ("a pizza",)


def test_a_folder_where_a_map_goes_loses_no_other_map(tmp_path, capsys):
    for name in "ab":
        image = picture(tmp_path / f"photos/{name}.png", 1)
    out = tmp_path / "maps"
    assert quick(image.parent, out) == 0
    (out / "b-clip.npz").unlink()
    (out / "b-clip.npz").mkdir()
    before = (out / "a-clip.npz").read_bytes()
    for more in ([], ["--overwrite"]):
        capsys.readouterr()
        assert quick(image.parent, out, *more) == 2
        told = capsys.readouterr().err
        assert told.count("\n") == 1 and "b-clip.npz is a folder, and a map goes there" in told
        assert (out / "a-clip.npz").read_bytes() == before
    (out / "b-clip.npz").rmdir()
    assert quick(image.parent, out) == 0 and (out / "b-clip.npz").is_file()


def test_a_record_that_was_cut_off_or_damaged(tmp_path, capsys):
    image, out = picture(tmp_path / "photos/a.png", 1), tmp_path / "maps"
    record = out / "clipxai-explain.jsonl"
    assert quick(image.parent, out) == 0
    os.truncate(record, record.stat().st_size - 5)  # killed while writing
    assert (
        quick(image.parent, out) == 0
        and "1 explained, 0 were there already" in capsys.readouterr().out.splitlines()[-1]
    )
    assert (
        quick(image.parent, out) == 0
        and "0 explained, 1 were there already" in capsys.readouterr().out
    )
    record.write_bytes(record.read_bytes().replace(b'["a-clip', b'["a-\xff'))
    assert quick(image.parent, out) == 2
    told = capsys.readouterr().err
    assert (
        f"line 2 of {record} is damaged" in told
        and "delete that line" in told
        and told.count("\n") == 1
    )


def test_a_name_that_is_too_long_stops_no_folder(tmp_path, capsys):
    """`é` has two bytes; the longest name that still fits is written as any other."""
    photos, out = tmp_path / "photos", tmp_path / "maps"
    for name in ("b" * 242 + "é.png", "c" * 247 + ".png", "d.png"):
        picture(photos / "x.png", 1).rename(photos / name)
    for _ in range(2):
        assert quick(photos, out) == 1
        told = capsys.readouterr()
        assert told.err.count("\n") == 1 and f"the name of {photos / 'c'}" in told.err
        assert "is too long for that of its map" in told.err
    assert "0 explained, 2 were there already, 1 could not be read" in told.out
    assert names(out) == ["b" * 242 + "é-clip.npz", "clipxai-explain.jsonl", "d-clip.npz"]


@pytest.mark.parametrize("line", ["[]", "null", "5", '"a"', '["a", "b", "c", 1]', "[" * 100_000])
def test_a_record_that_says_something_else(line, tmp_path, capsys):
    image, out = picture(tmp_path / "photos/a.png", 1), tmp_path / "maps"
    record = out / "clipxai-explain.jsonl"
    assert quick(image.parent, out) == 0
    question, *made = record.read_text().splitlines()
    for number, lines in ((1, [line, *made]), (2, [question, line, *made]), (2, [question, "{}"])):
        record.write_text("\n".join(lines) + "\n")
        assert quick(image.parent, out) == 2
        told = capsys.readouterr().err
        assert f"line {number} of {record} is damaged" in told and told.count("\n") == 1


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (["a.jpg", "b.jpg"], ["a", "b"]),
        (["a.jpg", "a.png", "a.png.jpg"], ["a.jpg", "a.png", "a.png.jpg"]),
        (["a.png", "a.png.jpg"], ["a", "a.png.jpg"]),
        (["A.jpg", "a.png"], ["A.jpg", "a.png"]),  # one file on Windows and macOS
        (["a.jpg", "x/a.png", "x/a"], ["a", "x/a.png", "x/a"]),
    ],
)
def test_every_image_has_files_of_its_own(found, expected):
    files = outputs([Path("p", name) for name in found], Path("p"), Path("o"), "clip", ["npz"])
    assert [file.as_posix() for [file] in files.values()] == [
        f"o/{name}-clip.npz" for name in expected
    ]


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ([], "needs one folder for the maps, --out FOLDER"),
        (["--out", "x.html"], "needs one folder for the maps, --out FOLDER"),
        (["--out", "a", "--out", "b"], "needs one folder for the maps"),
        (["--out", "maps", "--method", "gemm"], "unknown method 'gemm'"),
        (["--out", "maps", "--window", "112"], "--window and --stride explain one image at a time"),
        (["--out", "maps", "--size", "100"], "size 100x100 is not a multiple of the patch"),
        (["--out", "maps", "--batch", "0"], "batch=0, but at least one is needed"),
        (["dog " * 50, "--out", "maps"], "text of 52 tokens"),
    ],
)
def test_mistakes_are_one_line(photos, more, complaint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["explain", str(photos), "a dog", *more]) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err and captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [photos], "nothing was begun"


def test_one_image_by_windows(photos, tmp_path, capsys):
    out, image = tmp_path / "w.npz", photos / "dog.png"
    assert (
        main(
            [
                "explain",
                str(image),
                "a dog",
                "--window",
                "112",
                "--stride",
                "56",
                "--size",
                "168",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    expected = cx.explain_windows(cx.load(), image, "a dog", window=112, stride=56, size=168)
    np.testing.assert_allclose(cx.Explanation.from_npz(out).scores, expected.scores, atol=1e-5)
    assert "note: Every window was explained by itself" in capsys.readouterr().out
    assert (
        main(
            ["explain", str(image), "a dog", "--stride", "56", "--mode", "crop", "--out", str(out)]
        )
        == 2
    )
    assert "--mode crop does not go with windows" in capsys.readouterr().err
    assert (
        main(["explain", str(image), "a dog", "--format", "png"]) == 2
        and "--format is for folders" in capsys.readouterr().err
    )


def test_the_limit_of_pixels_can_be_raised(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # put back afterwards
    ask = [
        "explain",
        str(photos / "dog.png"),
        "a dog",
        "--method",
        "clip",
        "--out",
        str(tmp_path / "e.npz"),
        "--max-pixels",
    ]
    assert main([*ask, "12000"]) == 2  # the image has 12,544 pixels
    captured = capsys.readouterr()
    assert "dog.png has more than 12,000 pixels" in captured.err and captured.err.count("\n") == 1
    assert main([*ask, "13000"]) == 0
