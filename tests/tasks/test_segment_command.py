"""`clipxai segment` from a file to a figure and a label map."""

import cv2
import numpy as np
import pytest
from PIL import Image

import clipxai as cx
from clipxai.cli import main


@pytest.fixture
def photo(scene, tmp_path):
    cv2.imwrite(
        str(tmp_path / "photo.png"),
        cv2.cvtColor(cv2.resize(scene.image, (168, 126)), cv2.COLOR_RGB2BGR),
    )
    return tmp_path / "photo.png"


def test_labels_of_the_command_are_those_of_python(embedded, photo, tmp_path, capsys):
    figure, labels = tmp_path / "regions.png", tmp_path / "labels.png"
    command = [
        "segment",
        str(photo),
        "a dog",
        "a bicycle",
        "--background",
        "on the grass",
        "--threshold",
        "0.6",
    ]
    assert main([*command, "--out", str(figure), "--mask", str(labels)]) == 0
    e = cx.explain(
        cx.record(embedded, photo, ["a dog", "a bicycle", "on the grass"]),
        "clip_surgery_architecture",
    )
    expected = cx.segment(e, ["on the grass"], 0.6)
    with Image.open(labels) as saved:
        assert (np.array(saved) == expected.labels).mean() > 0.999
    printed = capsys.readouterr().out
    name, share = next(iter(expected.legend.items()))
    assert (
        f"  {name!r}: {100 * share:.1f} % of the pixels, value {expected.classes.index(name)}"
        in printed
    )
    assert figure.stat().st_size > 5000 and str(figure) in printed and str(labels) in printed


def test_windows_and_maps(photo, tmp_path):
    command = [
        "segment",
        str(photo),
        "a dog",
        "--method",
        "clip_surgery",
        "--of",
        "map",
        "--threshold",
        "0.5",
        "--stride",
        "56",
    ]
    assert main([*command, "--mask", str(tmp_path / "dog.png")]) == 0
    with Image.open(tmp_path / "dog.png") as saved:
        assert set(np.unique(saved)) == {0, 1}


def test_wrong_input_is_one_line(photo, tmp_path, capsys):
    for more, message in (
        ([], "a --background, or cut its own map with --of map --threshold 0.5"),
        (
            ["a cat", "--threshold", "2"],
            "threshold=2.0, but a finite number from 0 to 1 or None is needed",
        ),
        (
            ["a cat", "--out", str(tmp_path / "x.npz")],
            "cannot save 'x.npz': .npz holds the numbers of one Explanation",
        ),
        (["a cat", "--mask", str(tmp_path / "x.jpg")], "only .png keeps a number for every pixel"),
        (["a cat", "--window", "0"], "window 0 is not a multiple of the patch"),
        (["a cat", "--stride", "0"], "stride 0 is not a multiple of the patch"),
    ):
        assert main(["segment", str(photo), "a dog", *more]) == 2
        said = capsys.readouterr().err
        assert message in said and said.count("\n") == 1
    assert main(["segment", str(photo), "--background", "a wall"]) == 2
    assert "name a text to look for" in capsys.readouterr().err


@pytest.mark.parametrize("way", ["grabcut", "pamr"])
def test_refined_masks_of_the_command_are_those_of_python(embedded, photo, tmp_path, capsys, way):
    labels = tmp_path / "labels.png"
    asked = [str(photo), "a dog", "a bicycle", "--refine", way, "--threshold", "0.4"]
    assert main(["segment", *asked, "--mask", str(labels)]) == 0
    e = cx.explain(cx.record(embedded, photo, ["a dog", "a bicycle"]), "clip_surgery")
    expected = cx.refine(e, way, threshold=0.4)
    with Image.open(labels) as saved:
        assert (np.array(saved) == expected.labels).mean() > 0.999
    assert "'a dog'" in capsys.readouterr().out


def test_a_folder_of_masks_continues_where_it_stopped(embedded, photo, tmp_path, capsys):
    out, photos = tmp_path / "masks", tmp_path / "photos"
    photos.mkdir()
    for n in (1, 2):
        (photos / f"{n}.png").write_bytes(photo.read_bytes())
    (photos / "3.png").write_bytes(b"no picture")
    asked = ["segment", str(photos), "a dog", "--refine", "grabcut", "--mask", str(out)]
    assert main(asked) == 1
    assert "2 explained, 0 were there already, 1 could not be read" in capsys.readouterr().out
    made = cx.refine(cx.explain(cx.record(embedded, photo, ["a dog"]), "clip_surgery"))
    with Image.open(out / "2-clip_surgery.png") as saved:
        assert (np.array(saved) == made.labels).mean() > 0.999
    (out / "1-clip_surgery.png").unlink()
    assert main(asked) == 1
    assert "1 explained, 1 were there already" in capsys.readouterr().out
    assert main([*asked[:4], "pamr", *asked[5:]]) == 2
    assert "another question" in capsys.readouterr().err
    there = sorted(path.name for path in out.iterdir())
    for wrong in (["nosuch"], ["grabcut", "--threshold", "0.9"]):  # nothing is removed for these
        assert main([*asked[:4], *wrong, *asked[5:], "--overwrite"]) == 2
        assert sorted(path.name for path in out.iterdir()) == there
    begun = tmp_path / "begun"  # and nothing begun, which the right command would then not fit
    assert main([*asked[:4], "nosuch", "--mask", str(begun)]) == 2
    assert main([*asked[:6], str(begun)]) == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--refine", "grabcut", "--background", "grass"], "leave out --background"),
        (["--refine", "grabcut", "--of", "map"], "leave out --background and --of"),
        (["--refine", "grabcat"], "cannot refine by 'grabcat'"),
        (["--refine", "grabcut", "--overwrite"], "--overwrite is for folders"),
    ],
)
def test_refined_mistakes_are_one_line(photo, more, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["segment", str(photo), "a dog", *more]) == 2
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1


def test_a_folder_needs_a_folder(photo, capsys):
    for more in ([], ["--mask", "one.png"], ["--out", "here"]):
        assert main(["segment", str(photo.parent), "a dog", "--refine", "pamr", *more]) == 2
        assert "--mask FOLDER" in capsys.readouterr().err


def test_other_weights_in_a_sams_folder_are_another_question(photo, tmp_path, monkeypatch, capsys):
    """Its name says the same; the refinement itself is not what is looked at here."""
    from clipxai.cli import segment

    monkeypatch.setattr(segment, "refine", lambda e, by, threshold: cx.refine(e))
    photos, folder, out = (tmp_path / name for name in ("photos", "sam", "masks"))
    for made in (photos, folder):
        made.mkdir()
    (photos / "1.png").write_bytes(photo.read_bytes())
    (folder / "model.safetensors").write_bytes(b"some")
    asked = ["segment", str(photos), "a dog", "--refine", str(folder), "--mask", str(out)]
    assert main(asked) == 0 and main(asked) == 0
    (folder / "model.safetensors").write_bytes(b"others")
    assert main(asked) == 2
    assert "another question" in capsys.readouterr().err
