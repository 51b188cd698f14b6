"""Does the browser's code compute what Python computes, and do its types hold?

Runs the tests for node, on golden vectors that are up to date; then TypeScript over the JSDoc, and
prettier over the lines, both in the versions that `package-lock.json` pins.
"""

import json
import re
import shutil
from pathlib import Path

import pytest
from npm_tools import installed, run
from write_golden import PATH, golden

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPTS = sorted((ROOT / "clipxai").rglob("*.js"))
TESTS = sorted(HERE.glob("*.test.mjs"))
STYLES = sorted((ROOT / "clipxai" / "view").rglob("*.css"))
LONGEST, MOST_LINES, MOST_ANY = 100, 300, 10
COMMENT = re.compile(r"/\*[\s\S]*?\*/|//[^\n]*")
has_node = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")


@pytest.fixture(scope="module")
def tools() -> Path:
    """The pinned TypeScript and prettier."""
    return installed() / ".bin"


def test_golden_vectors_are_up_to_date():
    assert json.loads(PATH.read_text()) == json.loads(json.dumps(golden())), (
        "run: python tests/js/write_golden.py"
    )


@has_node
def test_node():
    ran = run("node", "--test", *map(str, TESTS))
    assert ran.returncode == 0, ran.stdout + ran.stderr


@has_node
def test_types_hold(tools: Path):
    ran = run(str(tools / "tsc"), "--project", "tsconfig.json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    options = json.loads((HERE / "tsconfig.json").read_text(encoding="utf-8"))["compilerOptions"]
    assert options["strict"] and options["checkJs"] and options["noEmit"]


@has_node
def test_types_that_do_not_hold_are_found(tools: Path, tmp_path: Path):
    """Else the test above would prove nothing."""
    (tmp_path / "wrong.js").write_text(
        f'// @ts-check\nimport {{ format }} from "{ROOT}/clipxai/view/browser/number.js";\n'
        'format("1");\n'
    )
    strict = ("--noEmit", "--checkJs", "--strict", "--skipLibCheck", "--ignoreConfig")
    modules = ("--module", "esnext", "--moduleResolution", "bundler", "--target", "es2023")
    ran = run(str(tools / "tsc"), *strict, *modules, str(tmp_path / "wrong.js"))
    assert ran.returncode != 0 and "TS2345" in ran.stdout, ran.stdout + ran.stderr


@has_node
def test_lines_are_as_prettier_breaks_them(tools: Path):
    files = map(str, (*SCRIPTS, *TESTS))
    ran = run(str(tools / "prettier"), "--config", "prettier.json", "--check", *files)
    assert ran.returncode == 0, f"run: npm --prefix tests/js run format\n{ran.stdout}{ran.stderr}"


def test_lines_and_files_stay_short():
    for path in (*SCRIPTS, *TESTS, *STYLES):
        lines = path.read_text(encoding="utf-8").splitlines()
        long = [n for n, line in enumerate(lines, 1) if len(line) > LONGEST]
        assert not long, f"{path.relative_to(ROOT)} has lines of more than {LONGEST}: {long}"
        assert len(lines) <= MOST_LINES, path.relative_to(ROOT)


def test_types_say_something():
    """Few things are of any type; what is not known is `unknown`, which has to be asked first."""
    found = [
        f"{path.relative_to(ROOT)}: {comment.strip()[:80]}"
        for path in SCRIPTS
        for comment in COMMENT.findall(path.read_text(encoding="utf-8"))
        for _ in re.findall(r"\bany\b", comment)
    ]
    assert len(found) <= MOST_ANY, found
    assert not any(re.search(r"@ts-(ignore|nocheck|expect)", path.read_text()) for path in SCRIPTS)


def test_nothing_comes_from_a_host_of_ones_own():
    text = (HERE / "package-lock.json").read_text(encoding="utf-8")
    hosts = set(re.findall(r'"resolved": "(https?://[^/"]+)', text))
    assert hosts <= {"https://registry.npmjs.org"}
