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
    "play",
}
EVERYTHING = {*ROOMS, "checks", "cli"}
MAY_IMPORT = {
    "checks": set(),
    "results": {"checks"},
    "model": {"checks", "results"},
    "trace": {"checks", "results", "model"},
    "explainers": {"checks", "results", "model", "trace"},
    "many": {"checks", "results", "model", "trace", "explainers", "view"},
    "measure": EVERYTHING - {"app", "cli", "play"},
    "tasks": {"checks", "results"},
    "view": {"checks", "results", "tasks"},
    "scenes": {"checks"},
    "play": EVERYTHING - {"app", "cli", "measure", "many", "tasks"},
    "cli": EVERYTHING,
    "app": EVERYTHING,
    "__init__": EVERYTHING,
    "__main__": EVERYTHING,
}
TRAINER = {
    "scenes/train.py": {"model", "measure", "results"},
    "scenes/learning.py": {"model"},
    "scenes/vocabulary.py": {"model"},
}
FILES = sorted(PACKAGE.rglob("*.py"))
# what drawings and viewers share, from the ground up: each may import those before it
VIEW_SHARED = (
    {
        "number",
        "palette",
        "attention_kinds",
        "method_names",
        "texts",
        "word_units",
        "scales",
        "links",
        "stills",
        "payload",
    },
    {"sentences", "pictures", "html", "given"},
    {"viewer"},
    {"paper"},
)
VIEWER_ROOMS = {path.parent.name for path in PACKAGE.glob("view/*/viewer.py")}


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
                if module == "clipxai" or not node.module
                else [module]
            )


def graph():
    """File -> files it imports, wherever in it: inside of functions and for type checkers too."""
    return {path: sorted(_files_behind(path) - {path}) for path in FILES}


def _files_behind(path):
    """Files that a file's imports load, but for the `__init__` of packages that it is inside of."""
    here = path.parent.relative_to(PACKAGE.parent).parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            named = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            module = [*base, *(node.module.split(".") if node.module else ())]
            # a name is a file of the package, or else something in its __init__
            names = ([*module, alias.name] for alias in node.names)
            named = [name if _file_of(name) else module for name in names]
        else:
            continue
        found |= {_file_of(name) for name in named}
        # a package on the way is loaded as well
        ways = {tuple(name[:n]) for name in named for n in range(1, len(name))}
        found |= {_file_of(way) for way in ways if way != here[: len(way)]}
    return found - {None}


def _file_of(names):
    """The file of a module of ours; None if there is none."""
    place = PACKAGE.parent.joinpath(*names)
    found = [file for file in (place / "__init__.py", place.with_suffix(".py")) if file.is_file()]
    return found[0] if names[0] == "clipxai" and found else None


def circles(imported):
    """Every knot of files that lead to one another, the files of each sorted."""
    reached = {}
    for start in imported:
        reached[start], waiting = set(), [start]
        while waiting:
            fresh = set(imported[waiting.pop()]) - reached[start]
            reached[start] |= fresh
            waiting.extend(fresh)
    knots = {
        tuple(sorted(b for b in reached[a] if a in reached[b])) for a in imported if a in reached[a]
    }
    return sorted(knots)


def test_no_circle_anywhere():
    """No file needs itself, whatever the way round; one knot of files a line."""
    found = [
        " <-> ".join(path.relative_to(PACKAGE).as_posix() for path in knot)
        for knot in circles(graph())
    ]
    assert found == []


def test_a_circle_would_be_found():
    a, b, c, d = "abcd"
    assert circles({a: [b], b: [c], c: [a], d: [a]}) == [(a, b, c)]
    assert circles({a: [b], b: [], c: [a, b], d: []}) == []
    shown = graph()[PACKAGE / "view" / "method_comparison" / "viewer.py"]
    assert PACKAGE / "view" / "method_comparison" / "drawing.py" in shown, "inside of a function"


def test_arrows_inside_view_point_down():
    """results <- what is shared <- a viewer's room <- view/__init__; no room knows another."""
    below = {}
    for n, floor in enumerate(VIEW_SHARED):
        below |= dict.fromkeys(floor, set().union(*VIEW_SHARED[:n], floor))
    below |= {room: {room}.union(*VIEW_SHARED) for room in VIEWER_ROOMS}
    below["__init__"] = {*VIEWER_ROOMS}.union(*VIEW_SHARED)
    assert len(VIEWER_ROOMS) == 17
    for path, imported in graph().items():
        if "view" in path.relative_to(PACKAGE).parts[:1]:
            part, *seen = (_part_of_view(file) for file in (path, *imported))
            assert part in below, f"view/{part} has no floor in VIEW_SHARED yet"
            assert {*seen} - {None} <= below[part], f"{part} imports {seen}"


def _part_of_view(path):
    """The room of view in which a file is, or itself; None outside of it."""
    room, *rest = path.relative_to(PACKAGE).parts
    return rest[0].removesuffix(".py") if room == "view" else None


def test_imports_point_down():
    for path in FILES:
        relative = path.relative_to(PACKAGE)
        part = relative.parts[0].removesuffix(".py")
        if part == "data":
            continue
        allowed = MAY_IMPORT[part] | TRAINER.get(relative.as_posix(), set()) | {part}
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("clipxai.")}
        ours -= {"__version__"}  # which is no room
        assert ours <= allowed, f"{relative} imports {ours - allowed}"


def test_methods_do_not_import_one_another():
    """Only the table and the verbs know them all; what they share is no method."""
    verbs = {"table", "explain", "differences", "tokens", "applicable", "score_maps", "effects"}
    verbs |= {"overview", "own_texts", "register_neurons", "surgery_steps"}
    shared = {"effect_parts", "leaving_out", "method", "mixing", "presets", "scores", "surgery"}
    shared |= {"gradient_parts", "told"}
    for path in (PACKAGE / "explainers").glob("*.py"):
        if path.stem not in verbs:
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


@pytest.mark.parametrize("collecting", [True, False])
def test_torch_is_not_looked_through_for_garbage_while_its_users_load(collecting):
    """And whoever turned the collector off finds it so."""
    done = run(f"""
import gc, torch, clipxai
gc.enable() if {collecting} else gc.disable()
inside = []
gc.callbacks.append(lambda phase, told: inside and print(phase, told))
def watched(*named, load=clipxai.import_module):
    inside.append(named)
    try:
        return load(*named)
    finally:
        inside.pop()
clipxai.import_module = watched
clipxai.record, clipxai.view
assert gc.isenabled() is {collecting}
""")
    assert done.returncode == 0 and not done.stdout, done.stdout + done.stderr


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
