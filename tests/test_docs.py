"""The site builds without a warning, every line on it runs and every link leads somewhere, every
example in a docstring runs, and public docstrings say what callers have to know.
"""

import ast
import doctest
import importlib
import importlib.util
import inspect
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import clipxai as cx
from clipxai.scenes.learning import Phase
from clipxai.scenes.small_world import SmallWorld

ROOT = Path(cx.__file__).parent.parent
SAMPLE = ROOT / "clipxai/data/samples/cat-guitar.png"
HOW_TO = [ROOT / "docs/index.md", ROOT / "docs/llms.txt", *sorted(ROOT.glob("docs/howto/*.md"))]
FILES = sorted((ROOT / "clipxai").rglob("*.py"))


def in_docs(name):
    """A file of docs/ as a module."""
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / f"docs/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Every page, without the live figures and the reference; a warning would end it."""
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "-b", "html", "-d", str(folder / ".doctrees"), "-c", str(ROOT / "docs")]
    command = [sys.executable, "-m", "sphinx", *options, str(ROOT), str(folder)]
    published = {**os.environ, "GITHUB_REPOSITORY": "some/where"}
    done = subprocess.run(command, capture_output=True, text=True, env=published)
    assert done.returncode == 0, done.stderr
    return folder


def test_no_link_of_the_site_is_dead(site):
    """But to what the test does not build, of which `make docs` makes sure."""
    links = in_docs("links")
    unbuilt = re.compile(r": (\.\./)*(api|live)/")
    assert [link for link in links.dead(site) if not unbuilt.search(link)] == []
    page = site / "docs/faq.html"
    page.write_text('<a href="nowhere.html">a</a> <a href="faq.html#x">b</a>', encoding="utf-8")
    assert {"docs/faq.html: nowhere.html", "docs/faq.html: faq.html#x"} <= {*links.dead(site)}


def test_no_link_of_the_pages_beside_the_site_is_dead():
    for page in ROOT.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        for link in re.findall(r"\]\(([^)]+)\)", text):
            file = link.partition("#")[0]
            assert ":" in link or (ROOT / file).exists(), f"{page.name}: {link}"


def test_every_lesson_is_in_the_site_with_its_live_figures(site):
    for lesson in ROOT.glob("notebooks/*.ipynb"):
        page = (site / f"notebooks/{lesson.stem}.html").read_text(encoding="utf-8")
        written = lesson.read_text(encoding="utf-8")
        figures = written.count('class=\\"clipxai-figure\\" data-viewer')
        assert page.count('class="clipxai-figure') >= figures > 0
        assert page.count('<svg role="img"') == written.count('<svg role=\\"img\\"')
    first = (site / "notebooks/00_start_here.html").read_text(encoding="utf-8")
    assert "colab.research.google.com/github/some/where/blob/main/notebooks/00_start" in first
    third = (site / "notebooks/02_attention_or_ffn.html").read_text(encoding="utf-8")
    assert '<a href="#clipxai:text=0&layer=7">the very last</a>' in third
    listed = re.findall(r"\]\((.+?)\)", (site / "llms.txt").read_text(encoding="utf-8"))
    assert listed and all((site / link).exists() for link in listed)


def test_the_site_asks_no_other_for_anything(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r'<(script|link|img|iframe)[^>]+(src|href)="(https?:)?//', text), page


def test_every_public_name_is_in_the_reference(tmp_path):
    reference = in_docs("reference")
    said = reference.overview("api")
    for module, prefix in ((cx, "cx"), (cx.view, "cx.view")):
        assert all(f"<code>{prefix}.{name}</code>" in said for name in module.__all__)
    reference.write(tmp_path, ("clipxai.explainers.gradients", "clipxai.trace.record"))
    written = {
        name: (tmp_path / f"clipxai/{name}.html").read_text(encoding="utf-8")
        for name in ("explainers/gradients", "trace/record")
    }
    assert "<strong>Misleads</strong>" in written["explainers/gradients"]
    assert "<strong>texts</strong>: " in written["trace/record"]


def test_the_gallery_shows_every_viewer():
    made = {type(viewer).__name__ for _, viewer in in_docs("gallery").made()}
    assert made >= {name for name in cx.view.__all__ if name[0].isupper()} - {"Viewer"}


@pytest.mark.parametrize("page", HOW_TO, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")  # of libraries
def test_the_lines_of_a_how_to_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(SAMPLE, "photo.jpg")
    before = dict(cx.METHODS)
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    assert blocks
    try:
        exec(compile("\n".join(blocks), str(page), "exec"), {"__name__": page.stem})
    finally:  # one of them adds a method
        cx.METHODS.clear()
        cx.METHODS.update(before)


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
    said = in_docs("reference").markdown(docstring)
    assert "- **x, y**: where\n    to : look" in said and "- **A, B**: why" in said
    assert "**Formula**\n\n    a = b\n      + c\n" in said and said.endswith("**Reads**\n\nd")


def docstrings():
    """(module, docstring) of everything that has one."""
    for path in FILES:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            documented = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
            if documented and (doc := ast.get_docstring(node)):
                yield module, doc


def examples():
    """(module, code) of every example: what follows >>>, and indented blocks that are Python and
    call something.
    """
    for module, doc in docstrings():
        if ">>>" in doc:
            lines = doctest.DocTestParser().get_examples(doc)
            yield module, "".join(example.source for example in lines)
        yield from ((module, code) for code in indented(doc))


def indented(doc):
    """Blocks of Python after an empty line or at the very beginning, up to what is indented no
    more.
    """
    for block in re.findall(r"(?:^|\n\n)((?:    .*(?:\n|$)|\n(?=    ))+)", doc):
        code = textwrap.dedent(block)
        if "(" in code and _is_python(code):
            yield code


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


class Printed(doctest.OutputChecker):
    """What an example says that it prints is compared; where it says nothing, it has to run."""

    def check_output(self, want, got, flags):
        return not want or super().check_output(want, got, flags)


def test_examples_run_and_print_what_they_say(words, tmp_path, monkeypatch):
    failed, tried = [], 0
    for tried, (module, doc) in enumerate(docstrings(), 1):
        if ">>>" not in doc and not any(indented(doc)):
            continue
        folder = tmp_path / str(tried)
        for inside in ("photos", "maps"):
            (folder / inside).mkdir(parents=True)
        for name in ("photo.jpg", "large.jpg", "photos/one.jpg"):
            shutil.copy(SAMPLE, folder / name)
        monkeypatch.chdir(folder)
        known = words | vars(importlib.import_module(module)) | {"__name__": module}
        failed += [f"{module}: {said}" for said in (*goes_wrong(doc, known), *differs(doc, known))]
    assert tried and not failed, "\n".join(failed)


def goes_wrong(doc, known):
    """Errors of the indented examples."""
    for code in indented(doc):
        try:
            exec(compile(code, "example", "exec"), dict(known))
        except Exception as error:
            yield f"{type(error).__name__}: {error}\n{textwrap.indent(code, '    ')}"


def differs(doc, known):
    """Errors of the examples behind >>>, and what they print otherwise than they say."""
    test = doctest.DocTestParser().get_doctest(doc, dict(known), "example", None, 0)
    for example in test.examples:  # skipped by a plain doctest, which has no recorded trace
        example.options.pop(doctest.SKIP, None)
    said = []
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    doctest.DocTestRunner(Printed(), optionflags=options).run(test, out=said.append)
    return said


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


def test_docstrings_are_complete():
    found = [f"{name} {said}" for name, thing in public() for said in lacks(thing)]
    assert not found, "\n".join(found)


def lacks(thing):
    """What the docstring of a function or class does not tell a caller."""
    doc, signature = inspect.getdoc(thing) or "", inspect.signature(thing)
    parameters = [
        p for p in signature.parameters if p not in ("self", "cls") and not p.startswith("_")
    ]
    if inspect.isfunction(thing) or thing.__init__ is not object.__init__:
        for parameter in parameters:
            if not re.search(rf"\b{parameter}\b", doc):
                yield f"does not speak of its parameter {parameter}"
    if inspect.isclass(thing):
        return
    tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(thing))))
    raised = [
        node.exc.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)
    ]
    for error in raised:
        if error not in doc:
            yield f"raises {error}, which its docstring does not name"
    returns = signature.return_annotation not in (None, inspect.Signature.empty)
    said = "Returns\n---" in doc or re.search(r"\([A-Z0-9, +]+\)", doc.split("\n")[0])
    if "Parameters\n---" in doc and returns and not said:
        yield "does not say what it returns"


def test_what_a_docstring_lacks():
    def measure(scores, threshold) -> float:
        """Do.

        Parameters
        ----------
        scores : (N, P)
        """
        raise ValueError("never")

    assert list(lacks(measure)) == [
        "does not speak of its parameter threshold",
        "raises ValueError, which its docstring does not name",
        "does not say what it returns",
    ]


def test_every_module_that_is_run_says_how(monkeypatch, capsys):
    pages = [*ROOT.glob("*.md"), *ROOT.glob("*/*.md"), *ROOT.glob("clipxai/data/*.md")]
    pages += ROOT.glob("clipxai/**/*.py")
    told = "".join(path.read_text(encoding="utf-8") for path in pages)
    named = {*re.findall(r"python -m (clipxai\.[\w.]*\w)", told)}
    assert {
        f"clipxai.{name}" for name in ("measure.card", "scenes.train", "scenes.sprites")
    } <= named
    for name in named:
        monkeypatch.setattr("sys.argv", [name, "--help"])
        with pytest.raises(SystemExit, match="0"):
            importlib.import_module(name).main()
        assert "usage: " in capsys.readouterr().out
