"""Who may import whom. Arrows point down only; a newcomer can trust the picture in
CONTRIBUTING.md.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "clipxai"
ROOMS = {
    "model",
    "trace",
    "explainers",
    "results",
    "tasks",
    "many",
    "measure",
    "scenes",
    "view",
    "app",
}
EVERYTHING = {*ROOMS, "checks", "cli"}
MAY_IMPORT = {
    "checks": set(),
    "results": {"checks"},
    "model": {"checks", "results"},
    "trace": {"checks", "results", "model"},
    "explainers": {"checks", "results", "model", "trace"},
    "many": {"checks", "results", "model", "trace", "explainers", "view"},
    "measure": EVERYTHING - {"app", "cli"},
    "tasks": {"checks", "results"},
    "view": {"checks", "results", "tasks"},
    "scenes": set(),
    "cli": EVERYTHING,
    "app": EVERYTHING,
    "__init__": EVERYTHING,
    "__main__": EVERYTHING,
}
TRAINER = {
    "scenes/train.py": {"model", "measure"},
    "scenes/learning.py": {"model"},
    "scenes/vocabulary.py": {"model"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def imports(path):
    """Absolute names of everything a file imports, wherever in it; relative names resolved."""
    package = ["clipxai", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (
                [f"{module}.{alias.name}" for alias in node.names]
                if module == "clipxai"
                else [module]
            )


def test_imports_point_down():
    for path in FILES:
        relative = path.relative_to(PACKAGE)
        part = relative.parts[0].removesuffix(".py")
        if part == "data":
            continue
        allowed = MAY_IMPORT[part] | TRAINER.get(relative.as_posix(), set()) | {part}
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("clipxai.")}
        assert ours <= allowed, f"{relative} imports {ours - allowed}"


def test_methods_do_not_import_one_another():
    """Only the table knows them all; what they share is no method."""
    shared = {"method", "mixing", "presets", "scores", "surgery"}
    for path in (PACKAGE / "explainers").glob("*.py"):
        if path.stem not in ("table", "explain"):
            siblings = {
                name.removeprefix("clipxai.explainers.")
                for name in imports(path)
                if name.startswith("clipxai.explainers.")
            }
            assert siblings <= shared, f"{path.name} imports {siblings - shared}"


def test_nothing_is_called_utils():
    assert not [path for path in FILES if "util" in path.name or "helper" in path.name]


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)


def test_view_and_results_work_without_torch(tmp_path, trace):
    import clipxai as cx

    cx.explain(trace).to_npz(tmp_path / "e.npz")
    done = run(f"""
import sys
sys.modules["torch"] = None  # any import of torch now fails
import clipxai as cx
e = cx.Explanation.from_npz({str(tmp_path / "e.npz")!r})
cx.save(e, {str(tmp_path / "e.png")!r})
cx.save(e, {str(tmp_path / "e.html")!r})
""")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "e.png").stat().st_size > 5000 and (
        tmp_path / "e.html"
    ).stat().st_size > 5000


def test_importing_is_light():
    done = run(
        "import sys, clipxai; print([m for m in ('torch', 'cv2', 'matplotlib', 'numpy') if m in "
        "sys.modules])"
    )
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_scenes_need_no_torch():
    done = run(
        "import sys; sys.modules['torch'] = None; import clipxai as cx; "
        "print(cx.scenes.sample(0).caption)"
    )
    assert done.returncode == 0, done.stderr


def test_the_half_hour_route_stays_half_an_hour():
    """The six files that README sends a newcomer through, each readable in five minutes."""
    route = [
        "model/towers/block",
        "trace/trace",
        "explainers/mixing",
        "explainers/surgery",
        "explainers/similarity",
        "explainers/explain",
    ]
    for name in route:
        assert len((PACKAGE / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 220, name


def test_public_names_exist():
    import clipxai as cx

    for name in cx.__all__:
        assert getattr(cx, name) is not None
    assert callable(cx.explain) and callable(cx.record)
    with pytest.raises(AttributeError, match="no attribute 'explian'; it has: load"):
        _ = cx.explian
