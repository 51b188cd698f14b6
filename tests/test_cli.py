"""The command line as people call it: a process, its files, its exit code, its one line of
complaint.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import clipxai as cx
from clipxai.cli import main

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
    assert "note: A single text shares nothing with others" in capsys.readouterr().out


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"clipxai {cx.__version__}\n"


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
            ["segment", str(SAMPLE), "a dog", "--redundant", "labels"],
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
