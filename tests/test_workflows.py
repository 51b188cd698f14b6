"""Do the workflows publish what they say: every version of the site beside the others, and a
release that knows where it is from?
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SPEC = importlib.util.spec_from_file_location("docs_versions", ROOT / "docs/versions.py")
versions = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(versions)
NEEDED = [shutil.which(name) for name in ("git", "bash", "sed")]
workflows = pytest.mark.skipif(
    not all(NEEDED) or sys.platform != "linux", reason="the machine of the workflows is a Linux"
)


def built(folder, said):
    """What `make docs` leaves behind, as far as it counts here."""
    for name, text in (("docs/index.html", said), ("_static/versions.js", ""), (".doctrees/x", "")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def known(published, name):
    script = (published / name / "_static/versions.js").read_text(encoding="utf-8")
    return json.loads(re.fullmatch(r"globalThis\.clipxaiVersions = (.*);\n", script)[1])


def test_versions_stand_side_by_side_and_know_each_other(tmp_path):
    site, published = tmp_path / "site", tmp_path / "published"
    for name in ("main", "0.9.0", "0.10.0", "0.11.0rc1"):
        versions.publish(built(site, name), published, name)
    order = ["0.10.0", "0.9.0", "0.11.0rc1", "main"]
    assert all(known(published, name) == order for name in order)
    assert all((published / name / "docs/index.html").read_text() == name for name in order)
    (site / "llms.txt").write_text("[a](docs/faq.html), [b](https://example.org)")
    versions.publish(site, published, "0.10.0")
    assert (published / "llms.txt").read_text() == (
        "[a](0.10.0/docs/faq.html), [b](https://example.org)"
    )
    (site / "llms.txt").unlink()
    assert not list(published.glob("*/.doctrees")) and (published / ".nojekyll").exists()
    assert 'url=0.10.0/docs/index.html"' in (published / "index.html").read_text()
    (published / "main/old.html").touch()
    (published / ".main.made").mkdir()  # by a run that was killed
    versions.publish(built(site, "again"), published, "main")
    assert (published / "main/docs/index.html").read_text() == "again"
    hidden = {path.name for path in published.iterdir() if path.name.startswith(".")}
    assert not (published / "main/old.html").exists() and hidden == {".nojekyll"}


def test_what_is_no_version_or_no_site_changes_nothing(tmp_path):
    site, published = built(tmp_path / "site", "x"), tmp_path / "published"
    for given, name, said in (
        (site, "feature/x", "'feature/x' is no version: 'main', or numbers such as 0.2.0"),
        (site, "..", "is no version"),
        (site, "٠.١", "is no version"),
        (site, None, "usage: "),
        (tmp_path / "none", "main", "run make docs"),
    ):
        command = [sys.executable, str(ROOT / "docs/versions.py"), str(given), str(published)]
        command += [name] if name else []
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1 and said in done.stderr and "Traceback" not in done.stderr
    assert not published.exists()
    assert versions.in_order(["0.2.0", "0.2.0.post1"]) == ["0.2.0.post1", "0.2.0"]
    assert versions.NAMED.fullmatch("0.2.0.post1")


def step(workflow, name):
    """The lines that a step runs, as written in a workflow."""
    lines = (ROOT / f".github/workflows/{workflow}.yml").read_text(encoding="utf-8")
    [found] = re.findall(rf"- name: {name}\n        run: \|\n((?: {{10}}.*\n|\n)+)", lines)
    return re.sub("^ {10}", "", found, flags=re.MULTILINE)


def bash(lines, folder, **told):
    for name in ("AUTHOR", "COMMITTER"):
        told |= {f"GIT_{name}_NAME": "x", f"GIT_{name}_EMAIL": "x@example.org"}
    command = ["bash", "-euo", "pipefail", "-c", lines]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **told}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@workflows
def test_the_site_of_a_release_is_published_beside_that_of_main(tmp_path):
    bash("git init --quiet --bare origin.git && git clone --quiet origin.git first", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "first/docs", ignore=lambda *_: {"site"})
    (tmp_path / "first/.gitignore").write_text(".venv\ndocs/site\n")
    bash("git add -A && git commit -qm all && git push -q origin HEAD:main", tmp_path / "first")
    lines = step("docs", "Beside the versions that are published already")
    for name in ("main", "v0.2.0"):
        clone = tmp_path / name
        bash(f"git clone -q --branch main origin.git {name}", tmp_path)
        built(clone / "docs/site", name)
        python = clone / re.search(r"(\S+) docs/versions", lines)[1]
        python.parent.mkdir(parents=True)
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        bash(lines, clone, GITHUB_REF_NAME=name, GITHUB_SHA="0" * 40)
    bash("git clone -q --branch gh-pages origin.git seen", tmp_path)
    seen = tmp_path / "seen"
    assert known(seen, "main") == known(seen, "0.2.0") == ["0.2.0", "main"]
    assert (seen / "0.2.0/docs/index.html").read_text() == "v0.2.0"
    held = bash("git ls-tree --name-only HEAD", seen).split()
    assert {*held} == {".nojekyll", "0.2.0", "index.html", "main"}
    assert bash("git rev-list --count HEAD", seen).strip() == "1", "no past that grows"


@workflows
def test_a_release_waits_for_the_tests_and_they_have_what_make_test_has():
    yaml = pytest.importorskip("yaml")
    folder = ROOT / ".github/workflows"
    release, tests = (
        yaml.safe_load((folder / f"{name}.yml").read_text("utf-8")) for name in ("release", "test")
    )
    assert "workflow_call" in tests[True], "`on`, which YAML takes for true"
    assert release["jobs"]["test"] == {"uses": "./.github/workflows/test.yml"}
    assert {*release["jobs"]["publish"]["needs"]} == {"build", "test"}
    installs = [one["run"] for one in tests["jobs"]["test"]["steps"] if "install" in str(one)]
    beside = "--requirement tests/model/zoo.txt"
    assert beside in " ".join(installs) and beside in (ROOT / "Makefile").read_text("utf-8")


def released(folder):
    """Whether it is told there already where it is from, as in the source of a release."""
    return "[project.urls]" in (folder / "pyproject.toml").read_text(encoding="utf-8")


@workflows
@pytest.mark.skipif(released(ROOT), reason="what this asks was done when the release was made")
def test_a_release_leads_to_where_it_is_from(tmp_path):
    tomllib = pytest.importorskip("tomllib")
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    lines, _ = step("release", "Built twice, the same").split("python -m build", 1)
    place = dict(GITHUB_REPOSITORY="some/where", GITHUB_REPOSITORY_OWNER="some")
    place |= dict(GITHUB_REF_NAME="v0.2.0", GITHUB_SERVER_URL="https://example.org")
    bash(lines.replace("$(git log -1 --format=%ct)", "0"), tmp_path, **place)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"] == {
        "Documentation": "https://some.github.io/where",
        "Source": "https://example.org/some/where",
        "Changelog": "https://example.org/some/where/blob/v0.2.0/CHANGELOG.md",
        "Bug tracker": "https://example.org/some/where/issues",
    }
    assert released(tmp_path), "its own tests ask no second time"
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(
        "# clipxai\n\n[![Open in Colab](https://example.org/some/where/raw/v0.2.0/"
    )
    links = re.findall(r"\]\(([^)#]+)", readme)
    assert len(links) > 20 and all(link.startswith("https://") for link in links), links
