"""Are a viewer's browser modules found by its name, and joined into one program without loss?"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import clipxai.view as view
from clipxai.view.html import COMMENT, IMPORT, join, module_source

FOLDER = Path(view.__file__).parent
SCRIPTS = sorted(FOLDER.rglob("*.js"))
VIEWERS = {
    getattr(view, name).module: getattr(view, name)
    for name in view.__all__
    if hasattr(getattr(view, name), "module")
}

REACHES_OUT = (
    r"https?://(?!www\.w3\.org/2000/svg)|\bid=|getElementById|eval\(|new Function|fetch\("
    r"|(?<!\{)import\("
)


def named(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def test_a_viewer_has_one_name():
    """Of its room, of what it says of itself, and with its script in that room."""
    assert len(VIEWERS) == 17
    for module, viewer in VIEWERS.items():
        assert viewer.__module__ == f"clipxai.view.{module}.viewer"
    assert {named(path.parent) for path in FOLDER.glob("*/viewer.js")} == set(VIEWERS)


def test_rooms_do_not_share_their_scripts():
    for path in SCRIPTS:
        for imported in IMPORT.findall(path.read_text(encoding="utf-8")):
            folder = (path.parent / imported).resolve().parent
            assert folder in (path.parent, FOLDER / "browser"), f"{named(path)} imports {imported}"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize("module", VIEWERS)
def test_joined_modules_have_no_name_twice(module: str):
    names = re.findall(
        r"^(?:async )?(?:function|const|let|class) (\w+)",
        join(f"{module}/viewer", "browser/host"),
        re.MULTILINE,
    )
    assert len(names) > 30 and sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('import { a } from "./a.js";\n', ["./a"]),
        ('import {\n  a,\n  b,\n} from "../browser/a_b.js";\n', ["../browser/a_b"]),
        ('import { a } from "./a.js";\nimport { b } from "./b.js";\n', ["./a", "./b"]),
        ('important("x");\nexport { a } from "./a.js";\n', []),
    ],
)
def test_imports_are_found(line: str, found: list[str]):
    assert IMPORT.findall(line) == found


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_modules_keep_to_what_the_joiner_understands(path: Path):
    source = path.read_text(encoding="utf-8")
    assert "// @ts-check" in source
    assert "</script" not in source and "export {" not in source
    assert len(IMPORT.findall(source)) == len(re.findall(r"^import\b", source, re.MULTILINE))
    assert not re.search(r"^import\b[^;]*\bas\b", source, re.MULTILINE), "all is one scope"


@pytest.mark.parametrize("path", SCRIPTS, ids=named)
def test_comments_do_not_travel_and_nothing_else_is_lost(path: Path):
    """The second route: line by line, following block comments by hand."""
    code, inside = [], False
    for line in path.read_text(encoding="utf-8").splitlines():
        begins = line.strip()
        if not inside and begins.startswith("/**"):
            inside = True
            if "*/" in begins and not begins.endswith("*/"):  # a cast before code
                inside = False
                code.append(line)
        elif not inside and not begins.startswith("//"):
            code.append(line)
        inside = inside and not begins.endswith("*/")
    assert COMMENT.sub("", path.read_text(encoding="utf-8")).splitlines() == code


@pytest.mark.parametrize("module", VIEWERS)
def test_joined_modules_are_one_es_module_that_needs_nothing(module: str, tmp_path: Path):
    source = module_source(module)
    assert not re.search(REACHES_OUT, source)
    assert re.findall(r"^(?:import|export)\b.*", source, re.MULTILINE) == ["export default viewer;"]
    (tmp_path / "viewer.mjs").write_text(source)
    check = f"import('{tmp_path}/viewer.mjs').then(m => console.log(typeof m.default.render))"
    ran = subprocess.run(["node", "-e", check], capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.stderr) == ("function", "")
