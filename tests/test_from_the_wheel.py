"""The lessons come with the package: written from a wheel anywhere, never over one's own."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import clipxai as cx
from clipxai.cli import lab, lessons, main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COURSE = sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Unpacked."""
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", place]
    subprocess.run([*build, ROOT], check=True)
    [made] = place.glob("*.whl")
    assert made.stat().st_size <= 12_000_000
    zipfile.ZipFile(made).extractall(place / "there")
    return place / "there"


def test_a_wheel_brings_the_course(wheel, tmp_path):
    command = [sys.executable, "-m", "clipxai", "lessons"]
    environment = {**os.environ, "PYTHONPATH": str(wheel)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert f"lessons written to clipxai-lessons: {len(COURSE)}" in done.stdout and not done.stderr
    assert sorted(path.name for path in tmp_path.glob("clipxai-lessons/*")) == COURSE
    for name in COURSE:
        committed, written = (
            json.loads(path.read_text(encoding="utf-8"))
            for path in (ROOT / "notebooks" / name, tmp_path / "clipxai-lessons" / name)
        )
        said = [[cell["source"] for cell in made["cells"]] for made in (committed, written)]
        assert said[0] == said[1]
        assert not any(cell.get("outputs") for cell in written["cells"])


def test_what_is_ones_own_stays(tmp_path, capsys):
    assert main(["lessons", str(tmp_path / "mine")]) == 0
    first, second, third = (tmp_path / "mine" / name for name in COURSE[:3])
    capsys.readouterr()
    # run, changed, and gone
    shutil.copy(ROOT / "notebooks" / COURSE[0], first)
    ran = first.read_bytes()
    made = json.loads(second.read_text(encoding="utf-8"))
    made["cells"][0]["source"] = ["my own words"]
    second.write_text(json.dumps(made), encoding="utf-8")
    third.unlink()
    assert main(["lessons", str(tmp_path / "mine")]) == 0
    told = capsys.readouterr().out
    assert f"kept {second}" in told and str(first) not in told.split("open them")[0]
    assert "mine: 1;" in told and third.exists()
    assert first.read_bytes() == ran and "my own words" in second.read_text(encoding="utf-8")
    second.write_text("no notebook", encoding="utf-8")
    assert lessons.write(tmp_path / "mine") == ([], [second.name])


def test_lab_alone_opens_the_first_lesson_wherever_one_stands(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(lab.subprocess, "call", lambda command: calls.append(command) or 0)
    monkeypatch.chdir(ROOT)
    assert main(["lab"]) == 0
    monkeypatch.chdir(tmp_path)
    assert main(["lab"]) == 0
    assert (tmp_path / "clipxai-lessons" / COURSE[0]).is_file()
    opened = [Path(part.split("=")[1]) for call in calls for part in call if "root_dir" in part]
    assert opened == [ROOT / "notebooks", tmp_path / "clipxai-lessons"]


def test_a_folder_that_cannot_be_made(tmp_path, capsys):
    (tmp_path / "file").write_text("kept")
    assert main(["lessons", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("\n") == 1 and (tmp_path / "file").read_text() == "kept"


def test_every_line_of_the_readme_runs_from_a_wheel(wheel, tmp_path):
    """In an empty folder with a picture; what wants a model of the hub, or JupyterLab, says so."""
    blocks = re.findall(r"```(python)?\n(.*?)```", README, re.DOTALL)
    [code] = [text for language, text in blocks if language]
    [commands] = [text for _, text in blocks if "clipxai explain photo.jpg" in text]
    picture = cx.scenes.compose(["dog", "bicycle"], background="grass", seed=1).image
    (tmp_path / "photos").mkdir()
    for name in ("photo.jpg", "photos/one.jpg"):
        Image.fromarray(picture).save(tmp_path / name)
    (tmp_path / "captions.csv").write_text("path,caption\nphoto.jpg,a dog\n", encoding="utf-8")
    (tmp_path / "shards").mkdir()
    with tarfile.open(tmp_path / "shards" / "000.tar", "w") as shard:
        shard.add(tmp_path / "photo.jpg", "one.jpg")
    lines = ";".join(line.split("#")[0] for line in commands.splitlines())
    asked = [words[1:] for line in lines.split(";") if (words := shlex.split(line))]
    away = [words for words in asked if "ViT-B/16" in words]
    assert len(asked) - len(away) >= 8 and len(away) == 3
    short = {"--limit": "2"}
    asked = [
        [short.get(before, word) for before, word in zip(["", *words], words)]
        for words in asked
        if words not in away
    ]
    (tmp_path / "asked.py").write_text(
        "import json, sys\n"
        "from pathlib import Path\n"
        "from clipxai.cli import main\n"
        f"for words in json.loads({json.dumps(asked)!r}):\n"
        "    assert main(words) == 0, words\n" + code
    )
    done = subprocess.run(
        [sys.executable, "asked.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    made = "cat.html contrast.html regions.html labels.png dog.png maps runs/bench/report.html"
    made += " asked table/part-00000-000000.parquet"
    assert all((tmp_path / name).exists() for name in made.split())
