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
        ([], "'a dog' alone wins every pixel"),
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
