"""What does every public name do? Its docstring says it: the reference, which `make docs` puts
into docs/site/api. A warning is an error.
"""

import inspect
import re
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


def write(folder: Path, modules: tuple[str, ...] = MODULES) -> None:
    """Write one page for each of these modules, and for those in them."""
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
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pdoc.pdoc(*modules, output_directory=folder)
    pdoc.render.env.filters["to_html"] = to_html


def overview(api: str) -> str:
    """Every public name with the first line of its docstring, as Markdown; `api` is where the
    reference lies.
    """
    lines = []
    for module, prefix, page in ((cx, "cx", "clipxai"), (cx.view, "cx.view", "clipxai/view")):
        for name in sorted(module.__all__, key=str.lower):
            thing, where = getattr(module, name), f"{page}.html#{name}"
            if inspect.ismodule(thing):
                where = f"{page}/{name}.html"
            told = callable(thing) or inspect.ismodule(thing)
            said = (inspect.getdoc(thing) or "").split("\n\n")[0] if told else "A table."
            link = f'<a href="{api}/{where}"><code>{prefix}.{name}</code></a>'
            lines.append(f"| {link} | {' '.join(said.split())} |")
    return "\n| name | what it does |\n|---|---|\n" + "\n".join(lines) + "\n"
