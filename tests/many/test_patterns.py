"""A pattern names what Python's `glob` says, and ends where `glob` would not."""

import glob
import os
from pathlib import Path

import pytest

from clipxai.many.patterns import matching

HERE = "a.png b.jpg x/a.png x/y/a.png x/[1]/a.png .h/a.png x/.b.png z/a.png/c".split()
PATTERNS = [
    "*.png",
    "**/*.png",
    "**",
    "x/**",
    "**/y/*.png",
    "**/**/*.png",
    "x/*/a.png",
    "x/[[]1]/*",
    ".*/*",
    "**/.*",
    "?.[jp]*",
    "nowhere/*.png",
    "x/../*.png",
    "./*.png",
    "x/**/a.png",
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in HERE:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("absolute", [False, True])
def test_as_glob_says(folder, pattern, absolute):
    asked = str(folder / pattern) if absolute else pattern
    expected = {Path(path) for path in glob.glob(asked, recursive=True)}
    found = matching(asked)
    assert set(found) - {Path()} == expected - {Path()} and len(found) == len(set(found))


def test_a_root_is_taken_as_it_is_called(folder):
    assert matching("*.png", Path("x/[1]")) == [Path("x/[1]/a.png")]
    assert matching("x/[1]/*.png") == []


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_links_in_circles_end(folder):
    """Two links to "." are more ways than can be walked; each file is found once."""
    for name in ("l1", "l2", "x/up", "z/up"):
        (folder / name).symlink_to(".." if "up" in name else ".")
    (folder / "outside").mkdir()
    expected = {Path(name) for name in HERE if name.endswith(".png") and "." not in name[:-4]}
    assert set(matching("**/*.png")) - {Path("z/a.png")} == expected


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_what_lies_behind_a_link_is_found(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "below").mkdir()
    (other / "below/k.png").touch()
    (folder / "link").symlink_to(other)
    (folder / "link2").symlink_to(other)
    (folder / "nowhere2").symlink_to(folder / "none")
    assert matching("**/k.png") == [Path("link/below/k.png")]
