"""Write the reference of the public API, from its docstrings, to docs/site (`make docs`).

    python docs/build.py [FOLDER]

A warning is an error.
"""

import re
import sys
import warnings
from pathlib import Path

import pdoc

import clipxai as cx

MODULES = ("clipxai", "clipxai.trace", "clipxai.explainers", "clipxai.results", "clipxai.many")


def markdown(docstring: str) -> str:
    """Markdown of a docstring of ours.

    Numpy's sections, whose entries say what a thing is where numpy has its type, become lists; the
    head of a file of methods (Formula, Reads, Returns, Reference, Misleads) keeps the alignment of
    its formulas.
    """
    found, section = [], ""
    for line in re.sub(r"^(\w+)\n-{3,}$", r"**\1**\n", docstring, flags=re.MULTILINE).splitlines():
        if line.startswith("**"):
            section = line
        elif head := re.match(r"(Formula|Reads|Returns|Reference|Misleads) {2,}(.*)", line):
            section, line = f"**{head[1]}**", " " * 11 + head[2]
            found += ["", section, ""]
        elif section in ("**Parameters**", "**Attributes**", "**Raises**"):
            line = re.sub(r"^(\S.*?) : ", r"- **\1**: ", line)
        inside = line.startswith(" " * 11)  # below such a head
        found.append(line[7 if section == "**Formula**" else 11 :] if inside else line)
    return "\n".join(found)


def main(folder: Path = Path(__file__).parent / "site") -> None:
    """Write one page for every public module."""
    warnings.simplefilter("error")
    for module in (cx, cx.view, cx.tasks):
        for name in module.__all__:  # what loads lazily is found by pdoc once it is loaded
            vars(module)[name] = getattr(module, name)
    pdoc.render.configure(
        docformat="markdown",
        template_directory=Path(__file__).parent,
        footer_text=f"clipxai {cx.__version__}",
    )
    to_html = pdoc.render.env.filters["to_html"]
    pdoc.render.env.filters["to_html"] = lambda text: to_html(markdown(text))
    pdoc.pdoc(*MODULES, output_directory=folder)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
