"""How does a figure become a page, or an output of a notebook, that needs nothing else?

A viewer's room holds its browser module, `viewer.js`; what several viewers share is in `browser/`.
The modules of one viewer are joined into one inline script: imports between them are dropped, since
all land in one scope, and comments and empty lines are left out. The same joined text, with its
default export, is what a live widget loads (`module_source`).

What an environment does to an output decides the rest:

- no scripts (GitHub, untrusted notebooks): the poster, a picture inside the figure, shows the
  default state
- several figures on one page, or one output shown twice: no element ids; each script claims the
  figures that nobody has claimed
- styles of the host page: the figure lives in a shadow root, which also hides the poster
- no network: nothing is fetched, and a saved page forbids it by its own policy
- text that looks like HTML: travels as JSON whose `<` is escaped, and is shown as text
"""

import base64
import html
import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from posixpath import dirname, normpath
from posixpath import join as beside
from typing import Literal, Protocol

from .palette import FRAME, MINUS, PLUS
from .payload import Payload

# over several lines, too, where it names many things
IMPORT = re.compile(r'^import\s[^;"]*?\sfrom\s+"(\.\.?/[\w./-]+)\.js";\n', re.MULTILINE)
# comments with lines of their own; what begins with a comment and goes on as code stays, and no
# template literal has such lines
COMMENT = re.compile(r"^[ \t]*(?://.*|/\*\*(?:(?!\*/)[\s\S])*\*/[ \t]*)\n", re.MULTILINE)
# types of an expression, for the checker alone
CAST = re.compile(r"/\*\* @type \{[^*\n]*\} \*/ ?(?=\()")
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 1.5rem auto; padding: 0 1rem; max-width: 1280px; }}
</style>
</head>
<body>
{body}
</body>
</html>
"""


View = Mapping[str, object]
# seen in a notebook where no script runs
ASLEEP = (
    '<p style="font: 12px sans-serif">A still picture. Run the cell or trust the notebook, and '
    "the figure answers to the mouse.</p>"
)


class Drawable(Protocol):
    """What a page is made of: see `Viewer`."""

    module: str
    summary: str

    def payload(self) -> Payload:
        """What the browser draws from."""

    def posters(self, *kinds: Literal["png", "webp"]) -> list[bytes]:
        """Pictures of the default state."""


def page(viewer: Drawable, view: View | None = None) -> str:
    """A complete HTML document that works as a file, without network.

    `view` is what a live figure keeps of its state; the page begins with it, and keeps its own in
    its address, behind the `#`.
    """
    return PAGE.format(
        policy=POLICY, title=html.escape(viewer.summary), body=fragment(viewer, view, linked=True)
    )


def mimebundle(viewer: Drawable) -> dict[str, str]:
    """What a notebook stores: the interactive figure, and a picture and a line of text for whoever
    cannot run it.
    """
    png, webp = viewer.posters("png", "webp")
    picture, figure = base64.b64encode(png).decode("ascii"), fragment(viewer, poster=webp)
    return {"text/html": figure, "image/png": picture, "text/plain": viewer.summary}


def fragment(
    viewer: Drawable,
    view: View | None = None,
    *,
    linked: bool = False,
    poster: bytes | None = None,
) -> str:
    """The figure as HTML to put into any page, whatever its encoding: all of it is ASCII. Only in
    its own page is the address its own. The `poster` is a WebP, drawn anew if it is not given.
    """
    still = base64.b64encode(poster or viewer.posters("webp")[0]).decode("ascii")
    summary = html.escape(viewer.summary).encode("ascii", "xmlcharrefreplace").decode("ascii")
    payload, asleep = viewer.payload(), "" if linked else ASLEEP
    values = {
        "payload": {"header": payload.header, "blob": payload.base64()},
        "css": stylesheet(),
        "view": view,
        "linked": linked,
    }
    # text of several lines is style, which indents do not change
    program = INDENT.sub("", join(f"{viewer.module}/viewer", "browser/host"))
    code = f'"use strict";\n{program}\nclaim("{viewer.module}", viewer);'
    script = f"(() => {{\n{code}\n}})();"
    return (
        f'<div class="clipxai-figure" data-viewer="{viewer.module}" '
        'data-lm-suppress-shortcuts="true">'
        f'<img style="max-width: 100%" alt="{summary}" src="data:image/webp;base64,{still}">'
        f"{asleep}"
        f'<script type="application/json">{escape(values)}</script></div>\n<script>'
        f"{script}</script>"
    )


def module_source(module: str) -> str:
    """A viewer's browser code as one ES module with a default export, for a live widget; `module`
    is the name of its room.
    """
    return f"{join(f'{module}/viewer')}\nexport default viewer;\n"


@cache
def join(*scripts: str) -> str:
    """Browser modules and all they import as one script, whose default export becomes the constant
    `viewer`; paths in this folder, without suffix.
    """
    order: list[str] = []
    for script in scripts:
        _collect(script, order)
    return "\n".join(_inline(asset(f"{script}.js")) for script in order)


def stylesheet() -> str:
    """The style that all viewers share, with the colours that they share with paper."""
    colours = f"--plus: {PLUS}; --minus: {MINUS}; --chosen: {FRAME};"
    return f":host {{ {colours} }}\n{asset('browser/viewer.css')}"


def escape(values: object) -> str:
    """JSON that may stand inside a script element: it cannot end it, whatever text it holds."""
    text = json.dumps(values, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@cache
def asset(path: str) -> str:
    """Text of a file of this package."""
    return files(__package__).joinpath(*path.split("/")).read_text(encoding="utf-8")


def _collect(script: str, order: list[str]) -> None:
    """Append a module after everything it imports."""
    for imported in IMPORT.findall(asset(f"{script}.js")):
        _collect(normpath(beside(dirname(script), imported)), order)
    if script not in order:
        order.append(script)


def _inline(source: str) -> str:
    source = CAST.sub("", COMMENT.sub("", IMPORT.sub("", source)))
    source = re.sub(r"\n{2,}", "\n", source)
    source = re.sub(r"^export default ", "const viewer = ", source, flags=re.MULTILINE)
    source = re.sub(
        r"^export (?=(async )?(function|const|class)\b)", "", source, flags=re.MULTILINE
    )
    # these occur in texts and comments only
    return re.sub(r"[^\x00-\x7f]", lambda letter: f"\\u{{{ord(letter[0]):x}}}", source)
