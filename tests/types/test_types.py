"""Do the types hold that a user meets? Every snippet of the documents and every example of a
docstring is checked by mypy and by pyright, both strictly; public names are fully annotated.
"""

import ast
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
import typing
from collections import abc
from pathlib import Path

import pytest
from test_docs import Phase, SmallWorld, examples, public

import clipxai as cx

ROOT = Path(cx.__file__).parent.parent
DOCUMENTS = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "notebooks/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs/howto").glob("*.md")),
)
VERBS = ", ".join(name for name in cx.__all__ if name not in cx._MODULES)
# what examples in docstrings speak of without defining it
KNOWN = f"""from pathlib import Path
import numpy as np
import clipxai as cx
from clipxai import scenes, {VERBS}
from {SmallWorld.__module__} import SmallWorld
from {Phase.__module__} import Phase

world = SmallWorld(("dog", "cat", "guitar"), ("grass", "sky"))
phase = Phase(64, 1.0, 4, 8, (1e-4, 1e-5))
model = cx.load()
trace = cx.record(model, "photo.jpg", ["a cat", "a guitar"])
e = cx.explain(trace)
"""
# rooms of torch that hold no type a user meets: half of what there is to read
INNER = "_dynamo _inductor _functorch distributed export fx jit onnx"
UNSEEN = ",".join(f"torch.{room}.*" for room in INNER.split())


def snippets():
    """(name, code) of every document: its blocks of Python, one after the other."""
    for path in DOCUMENTS:
        blocks = re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
        if blocks:
            name = f"{path.parent.name}_{path.stem}".replace("-", "_").lower()
            yield name, "\n".join(blocks)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A file of Python for everything that a user may copy."""
    written = tmp_path_factory.mktemp("snippets")
    for name, code in snippets():
        if "import matplotlib" in code:  # whose own types say little of its methods
            code = "# pyright: reportUnknownMemberType=false\n" + code
        (written / f"{name}.py").write_text(code, encoding="utf-8")
    for number, (module, code) in enumerate(examples(), 1):
        own = f"from {module} import *" if module != "clipxai" else ""
        text = f"# an example of {module}\n{own}\n{KNOWN}\n{code}"
        (written / f"example_{number}.py").write_text(text, encoding="utf-8")
    return written


def test_there_is_something_to_check(folder):
    assert (ROOT / "clipxai/py.typed").exists(), "or checkers would not look"
    assert [name for name, _ in snippets() if "readme" in name]
    assert len(list(folder.glob("example_*.py"))) > 9


def test_mypy(folder):
    pytest.importorskip("mypy", reason="mypy is not installed (pip install 'clipxai[test]')")
    (folder / "mypy.ini").write_text(
        f"[mypy]\nstrict = True\nfollow_imports = silent\n[mypy-{UNSEEN}]\nfollow_imports = skip\n"
    )
    options = ["--no-error-summary", "--cache-dir", os.devnull]
    options += ["--python-executable", sys.executable]
    assert_silent([sys.executable, "-m", "mypy", *options, "."], folder, MYPYPATH=str(ROOT))


def test_pyright(folder):
    settings = {
        "typeCheckingMode": "strict",
        "extraPaths": [str(ROOT)],
        "reportUnusedImport": False,  # an example uses some of the names
        "reportUnusedExpression": False,  # ">>> e.unit" shows what it is
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [str(installed("pyright", Path(__file__).parent)), "--pythonpath", sys.executable]
    assert_silent(command, folder)


def installed(tool, folder):
    """The command of a pinned npm package; a skip where there is no npm, or no network to fetch it
    with for the first time.
    """
    command = folder / "node_modules/.bin" / tool
    if not command.exists():
        npm = shutil.which("npm") or pytest.skip("npm is not installed")
        fetched = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
        )
        if fetched.returncode:
            pytest.skip(f"{tool} could not be fetched: {fetched.stderr[-300:]}")
    return command


def assert_silent(command, folder, **environment):
    ran = subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_checkers_see_the_names_that_load_lazily():
    """`__init__.pyi` is what they read; `__init__.py` is what runs."""
    tree = ast.parse((ROOT / "clipxai/__init__.pyi").read_text(encoding="utf-8"))
    seen = {
        (node.module, alias.name, alias.asname)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    rooms = {(room, name, name) for room, names in cx._ROOMS.items() for name in names}
    assert seen == rooms | {(None, name, name) for name in cx._MODULES}


UNQUALIFIED = re.compile(r"\b(dict|list|set|tuple|Sequence|Iterable|Iterator|Mapping)\b(?!\[)")
BARE = (dict, list, set, frozenset, tuple, type, *(getattr(abc, name) for name in abc.__all__))


def test_public_names_are_annotated_to_the_end():
    """Every parameter and result, and no `dict` or `list` that does not say of what."""
    found = [f"{name}: {said}" for name, thing in public() for said in unsaid(thing)]
    assert not found, "\n".join(found)


def unsaid(thing):
    """What the annotations of a function, or of a class's own fields, leave open."""
    own = inspect.get_annotations(thing)
    if inspect.isfunction(thing):
        for name, parameter in inspect.signature(thing).parameters.items():
            if parameter.annotation is parameter.empty and name not in ("self", "cls"):
                yield f"{name} has no annotation"
        if "return" not in own:
            yield "what it returns has no annotation"
    for name, annotation in own.items():
        if isinstance(annotation, str):  # a name that only checkers import
            yield from (f"{name} is a bare {word}" for word in UNQUALIFIED.findall(annotation))
        elif bare := [part.__name__ for part in parts(annotation) if part in BARE]:
            yield f"{name} is a bare {', '.join(bare)}"


def parts(annotation):
    """An annotation without arguments, or those of its arguments."""
    arguments = typing.get_args(annotation)
    if not arguments and isinstance(annotation, type):
        yield annotation
    for argument in arguments:
        for one in argument if isinstance(argument, list) else [argument]:
            yield from parts(one)


def test_what_is_unsaid():
    def measure(scores, names: list, by: dict[str, tuple]):
        pass

    assert list(unsaid(measure)) == [
        "scores has no annotation",
        "what it returns has no annotation",
        "names is a bare list",
        "by is a bare tuple",
    ]
