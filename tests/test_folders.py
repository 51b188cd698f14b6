"""`clipxai explain FOLDER`: every readable image gets its files, runs continue, and maps of another question are never mixed in."""

import numpy as np
import pytest
from PIL import Image

import clipxai as cx
from clipxai import view
from clipxai.cli import main


@pytest.fixture
def photos(tmp_path):
    """Two photographs and something that only calls itself one."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, seed in (("dog.png", 1), ("bike.jpg", 2)):
        Image.fromarray(cx.scenes.compose(["dog", "bicycle"], background="grass", seed=seed).image).save(folder / name)
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
    assert captured.err.count("\n") == 1 and "clipxai: left out: not an image" in captured.err and "broken.jpg" in captured.err
    assert "2 explained, 0 were there already, 1 could not be read" in captured.out
    maps = [f"{name}-clip_surgery.{kind}" for name in ("bike", "dog") for kind in ("npz", "png")]
    assert names(out) == sorted([*maps, "clipxai-explain.json"])
    expected = cx.explain(cx.record(cx.load(), photos / "dog.png", ["a dog", "a bicycle"]))
    np.testing.assert_allclose(cx.Explanation.from_npz(out / "dog-clip_surgery.npz").scores, expected.scores, atol=1e-5)


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
    assert "interrupted" in capsys.readouterr().err and names(out) == ["bike-clip_surgery.npz", "clipxai-explain.json"]
    before = (out / "bike-clip_surgery.npz").stat().st_mtime_ns
    monkeypatch.setattr(view, "save", save)
    assert explain(photos, out, "--format", "npz") == 0
    assert "1 explained, 1 were there already, 0 could not be read" in capsys.readouterr().out
    assert (out / "bike-clip_surgery.npz").stat().st_mtime_ns == before and (out / "dog-clip_surgery.npz").exists()
    assert explain(photos, out, "--format", "npz", "--overwrite") == 0
    assert "2 explained, 0 were there already" in capsys.readouterr().out
    assert (out / "bike-clip_surgery.npz").stat().st_mtime_ns > before


def test_another_question_is_not_mixed_in(photos, tmp_path, capsys):
    (photos / "broken.jpg").unlink()
    out = tmp_path / "maps"
    assert explain(photos, out, "--format", "npz", "--method", "clip") == 0
    assert main(["explain", str(photos), "a pizza", "--out", str(out), "--method", "clip", "--format", "npz"]) == 2
    assert "holds maps of another question (texts=['a dog', 'a bicycle']): choose another folder, or --overwrite" in capsys.readouterr().err
    again = ["explain", str(photos), "a pizza", "--out", str(out), "--method", "clip", "--format", "npz"]
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
        assert names(out) == sorted([*maps, "clipxai-explain.json"])
    assert "0 explained, 4 were there already" in capsys.readouterr().out
    Image.open(photos / "dog.png").save(out / "bike-clip.png")  # what a run with --format png leaves below the images is no image
    assert explain(f"{photos}/**/*.*g", out, "--method", "clip", "--format", "npz") == 0
    assert "0 explained, 4 were there already" in capsys.readouterr().out
    assert explain(photos, photos) == 2 and "choose another --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ([], "needs one folder for the maps, --out FOLDER"),
        (["--out", "x.html"], "needs one folder for the maps, --out FOLDER"),
        (["--out", "a", "--out", "b"], "needs one folder for the maps"),
        (["--out", "maps", "--method", "gemm"], "unknown method 'gemm'"),
        (["--out", "maps", "--window", "112"], "--window and --stride explain one image at a time"),
        (["--out", "maps", "--size", "100"], "size 100x100 is not a multiple of the patch"),
        (["--out", "maps", "--batch", "0"], "at least one image"),
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
    assert main(["explain", str(image), "a dog", "--window", "112", "--stride", "56", "--size", "168", "--out", str(out)]) == 0
    expected = cx.explain_windows(cx.load(), image, "a dog", window=112, stride=56, size=168)
    np.testing.assert_allclose(cx.Explanation.from_npz(out).scores, expected.scores, atol=1e-5)
    assert "note: Every window was explained by itself" in capsys.readouterr().out
    assert main(["explain", str(image), "a dog", "--stride", "56", "--mode", "crop", "--out", str(out)]) == 2
    assert "--mode crop does not go with windows" in capsys.readouterr().err
    assert main(["explain", str(image), "a dog", "--format", "png"]) == 2 and "--format is for folders" in capsys.readouterr().err


def test_the_limit_of_pixels_can_be_raised(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)  # put back afterwards
    ask = ["explain", str(photos / "dog.png"), "a dog", "--method", "clip", "--out", str(tmp_path / "e.npz"), "--max-pixels"]
    assert main([*ask, "12000"]) == 2  # the image has 12,544 pixels
    captured = capsys.readouterr()
    assert "dog.png has more than 12,000 pixels" in captured.err and captured.err.count("\n") == 1
    assert main([*ask, "13000"]) == 0
