"""The command line as people call it: a process, its files, its exit code, its one line of
complaint.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipxai as cx
from clipxai.cli import main
from clipxai.cli.outputs import expect_apart
from clipxai.cli.parser import parser

SAMPLE = Path(__file__).parent.parent / "clipxai/data/samples/cat-guitar.png"


def clipxai(*arguments, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-m", "clipxai", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=300,
        env={**os.environ, **environment},
    )


def test_explain_as_a_process(tmp_path):
    done = clipxai("explain", SAMPLE, "a dog", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cat-guitar-clip_surgery.png").stat().st_size > 10_000
    assert (
        "cat-guitar-clip_surgery.png" in done.stdout and "cosine of the whole image" in done.stdout
    )


def test_texts_may_have_letters_that_the_terminal_has_not(tmp_path):
    done = clipxai("explain", SAMPLE, "猫", "--out", tmp_path / "e.npz", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr
    assert "'\\u732b': cosine of the whole image" in done.stdout and (tmp_path / "e.npz").exists()


def test_every_format(tmp_path, capsys):
    outs = [tmp_path / f"e{suffix}" for suffix in (".html", ".png", ".svg", ".pdf", ".npz")]
    assert (
        main(
            [
                "explain",
                str(SAMPLE),
                "a dog",
                "a bicycle",
                *[word for out in outs for word in ("--out", str(out))],
            ]
        )
        == 0
    )
    assert all(out.stat().st_size > 3000 for out in outs)
    e = cx.Explanation.from_npz(outs[-1])
    assert e.texts == ("a dog", "a bicycle") and e.method == "clip_surgery"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(out.name for out in outs), (
        "nothing else was left behind"
    )


def test_the_same_numbers_as_in_python(tmp_path):
    assert (
        main(
            [
                "explain",
                str(SAMPLE),
                "a dog",
                "--method",
                "gem",
                "--mode",
                "crop",
                "--out",
                str(tmp_path / "e.npz"),
            ]
        )
        == 0
    )
    expected = cx.explain(cx.record(cx.load(), SAMPLE, "a dog", mode="crop"), "gem")
    np.testing.assert_allclose(
        cx.Explanation.from_npz(tmp_path / "e.npz").scores, expected.scores, atol=1e-5
    )


def test_notes_are_printed(tmp_path, capsys):
    assert (
        main(
            [
                "explain",
                str(SAMPLE),
                "a dog",
                "--redundant",
                "labels",
                "--out",
                str(tmp_path / "e.npz"),
            ]
        )
        == 0
    )
    said = capsys.readouterr().out
    assert "note: A single text shares nothing with others" in said
    assert said.startswith("by the embedded model, to which photographs mean nothing")


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"clipxai {cx.__version__}\n"


def test_a_checkout_that_is_not_installed_knows_its_version(tmp_path):
    """A copy of the package alone, where importlib.metadata finds nothing of its name."""
    shutil.copytree(Path(cx.__file__).parent, tmp_path / "clipxai", ignore=PYCACHE)
    asked = (
        "import importlib.metadata as m, sys\n"
        "def version(name): raise m.PackageNotFoundError(name)\n"
        "m.version = version\n"
        "from clipxai.cli import main\n"
        "main(['--version'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert done.stdout == f"clipxai {cx.__version__}\n", done.stderr


PYCACHE = shutil.ignore_patterns("__pycache__")


@pytest.mark.skipif(os.name != "posix", reason="pipes as Linux and macOS have them")
@pytest.mark.parametrize("command", ["models", "methods"])
def test_who_reads_may_stop(command):
    """As in `clipxai models | head -1`: not a word about it."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "clipxai", command],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk as Linux plays it")
@pytest.mark.parametrize(("command", "at_once"), [("models", ""), ("models", "1"), ("--help", "")])
def test_no_room_for_what_is_told(command, at_once):
    """One line, whether words wait until the end or not (of which `--help` takes no notice)."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "clipxai", command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONUNBUFFERED": at_once},
        )
    assert done.returncode in (1, 2) and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("clipxai: ") and "No space left" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_in_a_circle_is_no_notebook(tmp_path, capsys):
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    assert main(["lab", str(tmp_path / "circle")]) == 2
    assert capsys.readouterr().err.startswith("clipxai: no such notebook: ")


def test_what_a_stranger_wrote_reaches_no_terminal(tmp_path, capsys):
    """Neither out of a config nor out of the name of a file."""
    spell = "\x1b]0;pwned\x07"
    (tmp_path / "config.json").write_text(json.dumps({"model_type": spell}))
    assert main(["explain", str(SAMPLE), "a dog", "--model", str(tmp_path)]) == 2
    photos = tmp_path / f"photos{spell}"
    photos.mkdir()
    (photos / f"a{spell}.png").write_bytes(b"no image")
    assert main(["explain", str(photos), "a dog", "--out", str(tmp_path / "maps")]) == 1
    assert main(["explain", str(photos / "none.png"), "a dog"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 3 and told.replace("\n", "").isprintable()


def test_compare_tells_those_who_understand(tmp_path):
    out = tmp_path / "compared.html"
    assert (
        main(
            [
                "compare",
                str(SAMPLE),
                "a cat",
                "a dog",
                "--methods",
                "clip,clip_surgery",
                "--redundant",
                "labels",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    assert "minus what 2 texts share" in out.read_text(encoding="utf-8")


def test_compare(tmp_path, capsys):
    out = tmp_path / "compared.html"
    assert (
        main(
            [
                "compare",
                str(SAMPLE),
                "a dog",
                "--methods",
                "clip, clip_surgery,gem",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    assert "gem" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["explain", "no.jpg", "a dog"], "no such image file: no.jpg"),
        (["explain", __file__, "a dog"], "not an image that can be read"),
        (
            ["compare", str(SAMPLE.parent), "a dog"],
            "is a folder, not an image file: `clipxai explain`",
        ),
        (
            ["explain", "https://example.com/cat.jpg", "a cat"],
            "https://example.com/cat.jpg is an address: download the image",
        ),
        (
            ["explain", str(SAMPLE), "a dog", "--model", "ViT-B/99"],
            "OpenAI published no model 'ViT-B/99'; nearest: ViT-B/",
        ),
        (
            ["explain", str(SAMPLE), "a dog", "--method", "clip_sugery"],
            "unknown method 'clip_sugery'; nearest: clip_surgery",
        ),
        (
            ["explain", str(SAMPLE), "a dog", "--method", "gem", "--redundant", "labels"],
            "--redundant labels, but gem subtracts nothing",
        ),
        (
            ["segment", str(SAMPLE), "a dog", "a cat", "--redundant", "labels"],
            "--redundant labels, but clip_surgery_architecture subtracts nothing",
        ),
        (
            ["compare", str(SAMPLE), "a dog", "--methods", "clip,gemm"],
            "unknown method 'gemm'; nearest: gem",
        ),
        (
            ["explain", str(SAMPLE), "dog " * 50],
            "text of 52 tokens, but this model reads at most 32",
        ),
        (["explain", str(SAMPLE), "a dog", "--model", "nowhere"], "no checkpoint at nowhere"),
        (["explain", str(SAMPLE), "a dog", "--out", "x.bmp"], "x.bmp"),
        (["explain", str(SAMPLE), "a dog", "--out", "no/such/folder/x.png"], "no/such/folder"),
        (["compare", str(SAMPLE), "a dog", "--out", "x.npz"], "an .npz holds one explanation"),
        (["lab", "no.ipynb"], "no such notebook: no.ipynb"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(arguments, complaint, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert (
        complaint in captured.err
        and captured.err.startswith("clipxai: ")
        and captured.err.count("\n") == 1
    )
    assert not list(tmp_path.iterdir()), "nothing half-written stays behind"


def test_unknown_commands_exit_with_2():
    done = clipxai("explian")
    assert done.returncode == 2 and "invalid choice" in done.stderr


def test_tables(capsys):
    assert main(["methods"]) == 0 and main(["models"]) == 0
    printed = capsys.readouterr().out
    assert "clip_surgery_architecture" in printed and "Emoji World CLIP" in printed
    assert (
        "costs six attentions; Li et al., arXiv 2304.05653" in printed
        and "requires transformer blocks and a class token; words too; needs gradient;" in printed
    )
    assert max(map(len, printed.splitlines())) <= 120, "lines that a terminal does not break"
    assert main(["methods", "--bibtex"]) == 0
    assert capsys.readouterr().out == cx.methods().bibtex() + "\n"


def test_lab_opens_the_notebook_itself_and_starts_as_root(tmp_path, monkeypatch):
    notebook = tmp_path / "a lesson.ipynb"
    notebook.write_text("{}")
    calls = []
    monkeypatch.setattr(subprocess, "call", lambda command: calls.append(command) or 0)
    monkeypatch.setattr(os, "geteuid", lambda: 0, raising=False)  # Windows has none
    assert main(["lab", str(notebook)]) == 0
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert main(["lab", str(notebook)]) == 0
    as_root, as_user = calls
    assert (
        f"--ServerApp.root_dir={tmp_path}" in as_user
        and "--LabApp.default_url=/lab/tree/a%20lesson.ipynb" in as_user
    )
    assert as_root == [*as_user, "--allow-root"]


@pytest.fixture
def photo(tmp_path):
    file = tmp_path / "photo.png"
    shutil.copy(SAMPLE, file)
    return file


def linked(photo, how):
    """Another name for the photo."""
    other = photo.with_name(f"{how}.png")
    if how == "link":
        other.symlink_to(photo)
    elif how == "hard":
        other.hardlink_to(photo)
    elif how == "dots":
        other = photo.parent / "." / photo.parent.name / ".." / photo.name
        (photo.parent / photo.parent.name).mkdir()
    else:
        return photo
    return other


@pytest.mark.parametrize("how", ["itself", "link", "hard", "dots"])
def test_an_output_never_replaces_an_input(photo, capsys, how):
    before, other = photo.read_bytes(), linked(photo, how)
    for command in (
        ["explain", photo, "a dog", "--out", other],
        ["explain", photo, "a dog", "--out", photo.parent / "fine.png", "--out", other],
        ["compare", photo, "a dog", "--out", other],
        ["segment", photo, "a dog", "a cat", "--mask", other],
        ["segment", photo, "a dog", "a cat", "--out", other],
        ["explain", other, "a dog", "--out", photo],
    ):
        assert main([str(word) for word in command]) == 2
        said = capsys.readouterr().err
        assert "is what is read: writing there would destroy it" in said and said.count("\n") == 1
        assert photo.read_bytes() == before and not (photo.parent / "fine.png").exists()


def test_two_outputs_are_two_files(photo, capsys):
    out = photo.parent / "map.png"
    twice = photo.parent / "." / "map.png"
    for command in (
        ["explain", photo, "a dog", "--out", out, "--out", twice],
        ["segment", photo, "a dog", "a cat", "--mask", out, "--out", twice],
        ["explain", photo, "a dog", "--out", out, "--out", out.with_suffix(".PNG")],
    ):
        assert main([str(word) for word in command]) == 2
        assert "would be written twice" in capsys.readouterr().err and not out.exists()


def test_a_folder_of_many_is_looked_at_file_by_file(tmp_path, monkeypatch):
    """Not every map beside every image and every other map."""
    looked = Counter()

    def counted(path):
        looked[str(path)] += 1
        return realpath(path)

    realpath = os.path.realpath
    monkeypatch.setattr(os.path, "realpath", counted)
    images, maps = ([tmp_path / f"{n}.{kind}" for n in range(300)] for kind in ("jpg", "png"))
    expect_apart(maps, images, found=True)
    assert len(looked) == 600 and set(looked.values()) == {1}


def test_a_folders_maps_do_not_replace_its_images(photo, capsys):
    """A link among the maps that leads to an image."""
    images, maps = photo.parent / "images", photo.parent / "maps"
    images.mkdir()
    maps.mkdir()
    shutil.copy(photo, images)
    (maps / "photo-clip.png").symlink_to(images / "photo.png")
    command = ["explain", str(images), "a dog", "--method", "clip", "--out", str(maps)]
    assert main([*command, "--overwrite"]) == 2
    assert "is what is read" in capsys.readouterr().err
    assert (images / "photo.png").read_bytes() == photo.read_bytes()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--batch", "4"], "--batch is for folders"),
        (["--overwrite"], "--overwrite is for folders"),
        (["--format", "png"], "--format is for folders"),
        (["--max-pixels", "0"], "--max-pixels 0, but an image has at least one"),
    ],
)
def test_options_that_could_do_nothing(photo, capsys, more, message):
    assert main(["explain", str(photo), "a dog", *more]) == 2
    assert message in capsys.readouterr().err


def test_long_texts_and_templates(photo, capsys):
    long, out = "dog " * 100, photo.parent / "e.npz"
    command = ["explain", str(photo), long, "--out", str(out)]
    assert main(command) == 2 and "--truncate" in capsys.readouterr().err
    assert main([*command, "--truncate"]) == 0
    model = cx.load()
    for name, templates in (("imagenet", cx.IMAGENET_TEMPLATES), ("surgery", cx.SURGERY_TEMPLATES)):
        command = ["explain", str(photo), "dog", "--templates", name, "--out", str(out)]
        assert main(command) == 0
        expected = cx.explain(cx.record(model, photo, ["dog"], templates=templates))
        found = cx.Explanation.from_npz(out)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    whole = main(["segment", str(photo), "dog", "cat", "--templates", "surgery", "--out", str(out)])
    assert whole == 2  # .npz holds one explanation; the option is known


@pytest.mark.parametrize(
    "command", ["explain", "compare", "contrast", "effects", "segment", "bench"]
)
def test_every_command_that_reads_texts_is_told_how(command):
    words = ["--out", "runs"] if command == "bench" else ["photo.jpg", "a dog"]
    given = parser().parse_args([command, *words, "--truncate", "--templates", "surgery"])
    assert given.truncate and given.templates == "surgery"
    plain = parser().parse_args([command, *words])
    assert plain.truncate is False and plain.templates is None


def test_methods_are_found_however_they_are_written(photo):
    out = photo.parent / "e.npz"
    assert (
        main(["explain", str(photo), "a dog", "--method", "CLIP-Surgery", "--out", str(out)]) == 0
    )
    assert cx.Explanation.from_npz(out).method == "clip_surgery"


def test_a_missing_image_is_told_before_a_model_is_looked_for(tmp_path, capsys, monkeypatch):
    def no_model(*_, **__):
        raise AssertionError("a model was looked for")

    monkeypatch.setattr("clipxai.cli.asking.load", no_model)
    for command in ("explain", "compare", "contrast", "effects", "segment"):
        assert main([command, str(tmp_path / "no.jpg"), "a dog", "a cat"]) == 2
        assert "no such image file" in capsys.readouterr().err


def test_a_command_leaves_the_process_as_it_was(photo):
    usual, filters = Image.MAX_IMAGE_PIXELS, list(warnings.filters)
    assert main(["explain", str(photo), "a dog", "--max-pixels", "10"]) == 2
    assert usual == Image.MAX_IMAGE_PIXELS and warnings.filters == filters


def test_a_folder_whose_name_looks_like_a_pattern(photo):
    folder = photo.parent / "holiday [1]"
    folder.mkdir()
    shutil.copy(photo, folder / "a.png")
    maps = photo.parent / "maps"
    for where in (folder, folder / "*.png"):
        command = ["explain", str(where), "a dog", "--out", str(maps), "--overwrite"]
        assert main(command) == 0
        assert (maps / "a-clip_surgery.png").exists()
        shutil.rmtree(maps)


def test_a_wrong_question_deletes_no_maps(photo, capsys):
    folder, maps = photo.parent / "in", photo.parent / "maps"
    folder.mkdir()
    shutil.copy(photo, folder)
    command = ["explain", str(folder), "a dog", "--method", "grad_cam", "--out", str(maps)]
    assert main(command) == 0
    (made,) = maps.glob("*.png")
    before = made.read_bytes()
    for wrong in (["--method", "nonsense"], ["--size", "13"], ["--redundant", "labels"]):
        assert main([*command, *wrong, "--overwrite"]) == 2, wrong
        assert made.read_bytes() == before


def test_contrast(tmp_path, capsys):
    outs = [tmp_path / "c.npz", tmp_path / "c.png"]
    told = [part for out in outs for part in ("--out", str(out))]
    assert main(["contrast", str(SAMPLE), "a cat", "a guitar", *told]) == 0
    said = capsys.readouterr().out
    saved = cx.Explanation.from_npz(outs[0])
    trace = cx.record(cx.load(), str(SAMPLE), ["a cat", "a guitar"])
    cat, guitar = cx.explain(trace, "decomposition").scores
    np.testing.assert_allclose(saved.scores[0], cat - guitar, atol=1e-6)
    cosines = (trace.image_features @ trace.text_features.T)[0]
    assert f"minus cosine with 'a guitar': {float(cosines[0] - cosines[1]):+.3f}" in said
    assert "blue, for 'a guitar'" in said and outs[1].stat().st_size > 10_000
    assert main(["contrast", str(SAMPLE), "a cat", "--out", str(outs[1])]) == 2
    assert "between two texts, but 1 were given" in capsys.readouterr().err


def test_effects(tmp_path, capsys):
    outs = [tmp_path / name for name in ("e.npz", "e.csv", "e.png", "e.html")]
    told = ["effects", str(SAMPLE), "a cat", "a guitar", "--of", "ffn"]
    assert main([*told, "--by", "mean", *[w for out in outs for w in ("--out", str(out))]]) == 0
    said = capsys.readouterr().out
    trace = cx.record(cx.load(), str(SAMPLE), ["a cat", "a guitar"])
    before = trace.image_features @ trace.text_features.T
    changed = cx.ablate(trace, ffns=[5], to="mean")
    change = (changed.image_features @ changed.text_features.T - before)[0].tolist()
    saved = np.load(outs[0])
    np.testing.assert_allclose(saved["change"][5], change, atol=2e-6)
    assert saved["texts"].tolist() == ["a cat", "a guitar"] and saved["by"] == "mean"
    with outs[1].open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    one = next(row for row in rows if (row["text"], row["part"]) == ("a guitar", "layer 5"))
    assert float(one["change"]) == pytest.approx(change[1], abs=2e-6) and len(rows) == 16
    assert "8 FFNs of the image tower on 2 texts by mean" in said
    assert all(out.stat().st_size > 10_000 for out in outs[2:])


def test_effects_by_another_image_and_what_they_refuse(tmp_path, capsys):
    other, out = tmp_path / "other.png", tmp_path / "e.npz"
    Image.fromarray(cx.scenes.compose(["dog"], seed=1).image).save(other)
    told = ["effects", str(SAMPLE), "a cat", "--of", "attention", "--out", str(out), "--by"]
    assert main([*told, str(other)]) == 0
    model = cx.load()
    one, source = (cx.record(model, str(path), ["a cat"]) for path in (SAMPLE, other))
    patched = cx.patch(one, source, "attention", layer=6)
    change = (patched.image_features - one.image_features) @ one.text_features.T
    assert np.load(out)["change"][6, 0] == pytest.approx(float(change), abs=2e-6)
    for wrong, message in (
        ([*told, "no.png"], "--by is zero, mean or an image file, but no such image file"),
        ([*told, "zero", "--out", "e.txt"], "choose one of .html .png .svg .pdf .npz .csv"),
        (["effects", str(SAMPLE), "a", "b", "--of", "words"], "words of one text"),
        ([*told, str(other), "--out", str(other)], "would destroy it"),
    ):
        assert main(wrong) == 2 and message in capsys.readouterr().err
