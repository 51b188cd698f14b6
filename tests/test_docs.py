"""The reference builds without a warning, every example in a docstring runs, and public docstrings
say what callers have to know.
"""

import ast
import doctest
import importlib
import importlib.util
import inspect
import re
import shutil
import textwrap
from pathlib import Path

import pytest

import clipxai as cx
from clipxai.scenes.learning import Phase
from clipxai.scenes.small_world import SmallWorld

ROOT = Path(cx.__file__).parent.parent
SAMPLE = ROOT / "clipxai/data/samples/cat-guitar.png"
FILES = sorted((ROOT / "clipxai").rglob("*.py"))


def build():
    """docs/build.py as a module."""
    spec = importlib.util.spec_from_file_location("build_docs", ROOT / "docs/build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_written_without_warnings(tmp_path):
    build().main(tmp_path)
    page = (tmp_path / "clipxai.html").read_text(encoding="utf-8")
    for name in cx.__all__:
        assert (
            f'id="{name}"' in page
            or f"./clipxai/{name}.html" in page
            or f"clipxai/{name}.html" in page
        ), f"{name} is in the reference"
    assert "<strong>source</strong>: what to load" in page
    assert "<strong>Misleads</strong>" in (
        tmp_path / "clipxai/explainers/gradients.html"
    ).read_text(encoding="utf-8")


def test_lists_and_formulas_survive_the_way_to_markdown():
    docstring = """Do.

Parameters
----------
x, y : where
    to : look

Raises
------
A, B : why

Formula    a = b
             + c
Reads      d"""
    said = build().markdown(docstring)
    assert "- **x, y**: where\n    to : look" in said and "- **A, B**: why" in said
    assert "**Formula**\n\n    a = b\n      + c\n" in said and said.endswith("**Reads**\n\nd")


def examples():
    """(file, code) of every example: what follows >>>, and indented blocks that are Python and call
    something.
    """
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and (
                doc := ast.get_docstring(node)
            ):
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(
                    ".__init__"
                )
                if ">>>" in doc:
                    yield (
                        module,
                        "".join(
                            example.source for example in doctest.DocTestParser().get_examples(doc)
                        ),
                    )
                for block in re.findall(r"(?:^|\n\n)((?:    .*(?:\n|$))+)", doc):
                    code = textwrap.dedent(block)
                    if "(" in code and _is_python(code):
                        yield module, code


def _is_python(code):
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return False
    return any(
        isinstance(node, ast.Call) for node in ast.walk(tree)
    ) and not code.lstrip().startswith("python ")


@pytest.fixture(scope="module")
def words():
    """What examples speak of without defining it."""
    model = cx.load()
    trace = cx.record(model, str(SAMPLE), ["a cat", "a guitar", "sky", "grass"])
    world, phase = (
        SmallWorld(("dog", "cat", "guitar"), ("grass", "sky")),
        Phase(64, 1.0, 4, 8, (1e-4, 1e-5)),
    )
    known = {
        "cx": cx,
        "trace": trace,
        "e": cx.explain(trace),
        "model": cx.load().requires_grad_(),
        "world": world,
        "phase": phase,
    }
    return {name: getattr(cx, name) for name in cx.__all__} | known


@pytest.mark.parametrize(
    ("module", "code"),
    list(examples()),
    ids=lambda value: value if "\n" not in value and "(" not in value else "",
)
def test_examples_run(module, code, words, tmp_path, monkeypatch):
    (tmp_path / "photos").mkdir(), (tmp_path / "maps").mkdir()
    for name in ("photo.jpg", "large.jpg", "photos/one.jpg"):
        shutil.copy(SAMPLE, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    exec(
        compile(code, module, "exec"),
        words | vars(importlib.import_module(module)) | {"__name__": module},
    )


def public():
    """(name, function or class) of all that a user meets: the names of the public modules, and the
    methods of their classes.
    """
    seen = set()
    for module in (cx, *(getattr(cx, name) for name in cx._MODULES)):
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if id(thing) not in seen and getattr(thing, "__module__", "").startswith("clipxai"):
                seen.add(id(thing))
                yield name, thing
                for part, member in vars(thing).items() if inspect.isclass(thing) else ():
                    member = (
                        getattr(member, "fget", None)
                        or getattr(member, "func", None)
                        or getattr(member, "__func__", None)
                        or member
                    )
                    if inspect.isfunction(member) and not part.startswith("_"):
                        yield f"{name}.{part}", member


@pytest.mark.parametrize(
    ("name", "thing"), list(public()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_docstrings_are_complete(name, thing):
    doc = inspect.getdoc(thing) or ""
    parameters = [
        p
        for p in inspect.signature(thing).parameters
        if p not in ("self", "cls") and not p.startswith("_")
    ]
    if inspect.isfunction(thing) or thing.__init__ is not object.__init__:
        assert not [p for p in parameters if not re.search(rf"\b{p}\b", doc)], (
            f"{name} does not speak of these parameters"
        )
    if inspect.isclass(thing):
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(thing))))
    raised = {
        node.exc.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    }
    assert not [error for error in raised if error not in doc], (
        f"{name} raises what its docstring does not name"
    )
    if "Parameters\n---" in doc and inspect.signature(thing).return_annotation not in (
        None,
        inspect.Signature.empty,
    ):
        assert "Returns\n---" in doc or re.search(r"\([A-Z0-9, +]+\)", doc.split("\n")[0]), (
            f"{name} does not say what it returns"
        )
