"""How does Sphinx put the site together? The repository is its source, so that links between pages
are the same there and here.
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

import gallery
import reference

import clipxai as cx

project, author = "clipxai", "The clipxai authors"
version = release = cx.__version__
html_title = f"clipxai {version}"

extensions = ["myst_nb"]
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "notebooks/*.md",
    "notebooks/[0-9]*.ipynb",
    "benchmarks/*.md",
    "clipxai/data/MODEL_CARD.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
]
exclude_patterns = [".git", ".venv", "docs/site", "tests", "**/__pycache__"]
nb_execution_mode = "off"  # the lessons are committed with what their cells gave
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # nothing is fetched from elsewhere
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # a lesson's answer may begin at the third level

html_theme = "furo"
html_static_path = ["_static"]
html_favicon = "_static/icon.svg"
html_css_files = ["site.css"]
html_js_files = ["versions.js", "site.js"]
html_extra_path = ["llms.txt"]
html_show_sourcelink = html_show_copyright = False
html_copy_source = False

COLAB = "https://colab.research.google.com/github/{}/blob/main/{}.ipynb"
FIGURE = re.compile(r"\[([^\]]+)\]\((#clipxai:[^)]+)\)")
CODE = re.compile(r"\[`?([^\]`]+)`?\]\((?:\.\./)*(clipxai(?:/\w+)+)\.py\)")


def as_page(lesson: dict[str, Any], name: str) -> str:
    """A lesson whose links to its own figures are left to their scripts, and the first with a way
    to Colab where it is known from which repository the site is published.
    """
    for cell in lesson["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = FIGURE.sub(r'<a href="\2">\1</a>', "".join(cell["source"]))
    repository = os.environ.get("GITHUB_REPOSITORY")
    if repository and name == "notebooks/00_start_here":
        link = f"[![Open in Colab](../docs/colab.svg)]({COLAB.format(repository, name)})"
        lesson["cells"][0]["source"] += f"\n\n{link}"
    return json.dumps(lesson)


def fill_in(app: Sphinx, name: str, source: list[str]) -> None:
    """What is made at build time, and links to code, which lead to the reference."""
    top = "../" * name.count("/")
    if name == "docs/gallery":
        source[0] += gallery.markdown(f"{top}live")
    if name == "docs/reference":
        source[0] += reference.overview(f"{top}api")
    if app.env.doc2path(name).suffix == ".ipynb":
        source[0] = as_page(json.loads(source[0]), name)
    else:

        def link(found: re.Match[str]) -> str:
            said, module = found[1], found[2].removesuffix("/__init__")
            # a module without a page of its own is told of on its room's
            while "/" in module and not (app.outdir / f"api/{module}.html").exists():
                module = module.rpartition("/")[0]
            return f'<a href="{top}api/{module}.html"><code>{said}</code></a>'

        source[0] = CODE.sub(link, source[0])


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", fill_in)
