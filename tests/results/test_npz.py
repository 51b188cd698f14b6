"""A file that is read back is what was written, or one line that says why it is not."""

import io
import json
import zipfile

import numpy as np
import pytest

from clipxai.results import npz
from clipxai.results.explanation import Explanation, Grid

GRID = {"height": 2, "width": 3, "image_size": [4, 6], "box": [0, 0, 4, 6]}
DESCRIBED = {
    "texts": ["a cat", "é"],
    "method": "clip",
    "grid": GRID,
    "unit": "cosine similarity",
    "notes": ["one"],
    "provenance": {"model": "x"},
}
ARRAYS = {
    "scores": np.arange(12, dtype=np.float32).reshape(2, 2, 3),
    "image": np.arange(72, dtype=np.uint8).reshape(4, 6, 3),
    "presence": np.ones(2, np.float32),
}


def written(file, described=None, **arrays):
    kept = {**ARRAYS, **arrays}
    text = json.dumps({**DESCRIBED, **(described or {})})
    np.savez_compressed(file, **{k: v for k, v in kept.items() if v is not None}, described=text)
    return file


def test_what_is_read_is_what_was_written(tmp_path):
    e = Explanation.from_npz(written(tmp_path / "e.npz"))
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(getattr(e, name), array)
        assert getattr(e, name).dtype == array.dtype
    assert e.grid == Grid(2, 3, (4, 6), (0, 0, 4, 6)) and e.texts == ("a cat", "é")
    e.to_npz(tmp_path / "again.npz")
    again = Explanation.from_npz(tmp_path / "again.npz")
    np.testing.assert_array_equal(again.scores, e.scores)
    with np.load(tmp_path / "again.npz") as file:  # numpy's own reader agrees
        np.testing.assert_array_equal(file["image"], e.image)
    for array in (e.scores, e.image, e.presence):  # as of one that was never written
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_arrays_that_lie_the_other_way_round(tmp_path):
    e = Explanation.from_npz(written(tmp_path / "e.npz", image=np.asfortranarray(ARRAYS["image"])))
    np.testing.assert_array_equal(e.image, ARRAYS["image"])


WRONG = {
    "scores in words": dict(scores=np.array([["a"]])),
    "scores of another shape": dict(scores=np.zeros((2, 3, 2), np.float32)),
    "whole scores": dict(scores=np.zeros((2, 2, 3), int)),
    "no scores": dict(scores=None),
    "infinite scores": dict(scores=np.full((2, 2, 3), -np.inf, np.float32)),
    "an image of another size": dict(image=np.zeros((6, 4, 3), np.uint8)),
    "a grey image": dict(image=np.zeros((4, 6), np.uint8)),
    "an image of floats": dict(image=np.zeros((4, 6, 3))),
    "one presence": dict(presence=np.zeros(1)),
    "a presence that is a pickle": dict(presence=np.array([{}, {}], object)),
    "no text": dict(described={"texts": []}),
    "a text that is a number": dict(described={"texts": ["a", 1]}),
    "one text": dict(described={"texts": "ab"}),
    "a method that is a list": dict(described={"method": ["clip"]}),
    "no unit": dict(described={"unit": None}),
    "notes that are none": dict(described={"notes": None}),
    "a provenance that is a list": dict(described={"provenance": []}),
    "a provenance of numbers": dict(described={"provenance": {"model": 1}}),
    "a grid that is a list": dict(described={"grid": [2, 3]}),
    "a grid with a name more": dict(described={"grid": {**GRID, "x": 1}}),
    "a grid of fractions": dict(described={"grid": {**GRID, "height": 2.0}}),
    "a grid of truth": dict(described={"grid": {**GRID, "height": True}}),
    "a grid of nothing": dict(described={"grid": {**GRID, "width": 0}}),
    "a giant grid": dict(described={"grid": {**GRID, "width": 10**12}}),
    "a giant image": dict(described={"grid": {**GRID, "image_size": [10**9, 10**9]}}),
    "a box of NaN": dict(described={"grid": {**GRID, "box": [0, 0, float("nan"), 6]}}),
    "a box inside out": dict(described={"grid": {**GRID, "box": [4, 0, 0, 6]}}),
    "a box beside the image": dict(described={"grid": {**GRID, "box": [0, 2, 4, 8]}}),
    "a box above the image": dict(described={"grid": {**GRID, "box": [-4, 0, 2, 6]}}),
    "a box of words": dict(described={"grid": {**GRID, "box": ["0", 0, 4, 6]}}),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_field_is_found_when_it_is_read(wrong, tmp_path):
    refused(written(tmp_path / "e.npz", **wrong))


def refused(file, match=None):
    with pytest.raises(ValueError, match=match) as caught:
        Explanation.from_npz(file)
    said = str(caught.value)
    assert said.startswith(f"{file} is no explanation as to_npz writes it, or a damaged one: ")
    assert said.isprintable() and len(said) < 500 and "allow_pickle" not in said


def put(file, **entries):
    """The file with some of its entries replaced by bytes."""
    with zipfile.ZipFile(written(io.BytesIO())) as whole:
        kept = {name: whole.read(name) for name in whole.namelist()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in {**kept, **{f"{k}.npy": v for k, v in entries.items()}}.items():
            out.writestr(name, data)
    return file


def header(shape, kind="|u1", data=b""):
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        buffer, {"shape": shape, "fortran_order": False, "descr": kind}
    )
    return buffer.getvalue() + data


@pytest.mark.parametrize(
    "entries",
    [
        dict(image=header((10**6, 10**6, 3))),
        dict(image=header((4, 6, 3), data=b"\0" * 71)),
        dict(image=header((4, 6, 3), data=b"\0" * 73)),
        dict(image=header((4, 6, -3), data=b"\0" * 72)),
        dict(image=b"\x93NUMPY\x09\x00"),
        dict(image=b""),
        dict(scores=header((2, 10**6, 10**6), "<f4")),
        dict(described=header((), "<U2", "[]".encode("utf-32-le"))),
        dict(described=header((), "<U4", "null".encode("utf-32-le"))),
        dict(described=header((), "<U1", "{".encode("utf-32-le"))),
        dict(described=header((), "<U50000", ("[" * 50_000).encode("utf-32-le"))),
        dict(described=header((), "<U9", '"\x1b]0;x\x07"]'.encode("utf-32-le"))),
    ],
    ids=range(12),
)
def test_what_is_said_of_an_array_is_not_believed(entries, tmp_path):
    refused(put(tmp_path / "e.npz", **entries))


def test_files_of_other_kinds(tmp_path):
    file = tmp_path / "e.npz"
    for content in (b"", b"\x89PNG\r\n\x1a\n" + bytes(50), b"PK\x05\x06" + bytes(18), b"x" * 99):
        file.write_bytes(content)
        refused(file)
    np.savez(file, a=1)
    refused(file, "holds 0 arrays called 'scores'")
    np.save(tmp_path / "e.npy", np.zeros(3))
    refused(tmp_path / "e.npy")
    with pytest.raises(FileNotFoundError):
        Explanation.from_npz(tmp_path / "none.npz")


def test_any_damage_is_one_line_or_none(tmp_path):
    """Every byte turned once, and every length: never another error, never other numbers."""
    file, whole = tmp_path / "e.npz", written(io.BytesIO()).getvalue()
    damaged = [whole[:n] for n in range(0, len(whole), 7)]
    damaged += [whole[:n] + bytes([whole[n] ^ 0x55]) + whole[n + 1 :] for n in range(len(whole))]
    read = 0
    for content in damaged:
        file.write_bytes(content)
        try:
            e = Explanation.from_npz(file)
        except ValueError as error:
            assert str(file) in str(error)
        else:  # a byte that nothing depends on, such as the time
            read += 1
            np.testing.assert_array_equal(e.scores, ARRAYS["scores"])
            np.testing.assert_array_equal(e.image, ARRAYS["image"])
    assert read < len(damaged) / 4


def test_more_than_is_read_is_not_written(tmp_path, monkeypatch):
    e = Explanation.from_npz(written(tmp_path / "e.npz"))
    monkeypatch.setattr(npz, "MOST_BYTES", 100)
    refused(tmp_path / "e.npz", "it unpacks to .* bytes, but at most 100 are read")
    with pytest.raises(ValueError, match="holds 128 bytes, but at most 100 are read again"):
        e.to_npz(tmp_path / "more.npz")
    assert not (tmp_path / "more.npz").exists()
