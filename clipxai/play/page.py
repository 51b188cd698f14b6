"""How does the playground become one file that needs nothing else?

The page's scripts are joined as a viewer's are, and start as one: state in the address, both
themes, a shadow root. The engine travels as text, and the page starts it in threads of its own.
What the page may do is what every saved page may, and two things more: threads made from that text,
and WebAssembly, whose bytes the engine puts together itself.
"""

import html
from importlib.resources import files
from pathlib import Path

import numpy as np

from ..model.clip import CLIP
from ..model.files.checkpoints import load
from ..results.writing import replacing
from ..view.html import PAGE, POLICY, escape, join, stylesheet
from ..view.palette import DIM, OPACITY
from ..view.payload import Payload, pack
from ..view.scales import DIVERGING, SEQUENTIAL, colour_table
from .packing import pack_model
from .pictures import pictures_header, sprites, tiles
from .sentences import SUMMARY, VERDICTS, page_words
from .walks import START, WALKS

BUDGET = 9_000_000  # bytes of text
LIVE = POLICY.replace("'unsafe-inline'; script", "'unsafe-inline'; worker-src blob:; script")
LIVE += " 'wasm-unsafe-eval'"
NO_SCRIPTS = "<noscript><p>The model of this page runs in its scripts: allow them.</p></noscript>"


class Playground:
    """The embedded model, live, in one page.

    Attributes
    ----------
    html : the page, complete
    """

    def __init__(self) -> None:
        self.html = page(load())

    def save(self, path: str | Path) -> None:
        """Write the page to a file, which works without network or installation."""
        with replacing(path) as draft:
            draft.write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        """The page in a frame of its own, for a notebook."""
        style = "width: 100%; height: 860px; border: 0"
        return (
            f'<iframe title="{html.escape(SUMMARY)}" style="{style}" '
            f'srcdoc="{html.escape(page(load(), linked=False))}"></iframe>'
        )


def playground() -> Playground:
    """The embedded model running in a page: put things on a stage, type words, watch the maps.

    Returns
    -------
    A `Playground`, which a notebook shows live; `.save("page.html")` writes it to one file of about
    8 MB that needs no server, no network and no installation

    Examples
    --------
    >>> playground().save("playground.html")
    """
    return Playground()


def page(model: CLIP, *, linked: bool = True) -> str:
    """The page of a model made like the embedded one, as HTML.

    `linked` says whether the address is its own, which it is not in a frame.
    """
    payload = payload_of(model)
    values = {
        "payload": {"header": payload.header, "blob": payload.base64()},
        "css": f"{stylesheet()}\n{_asset('page.css')}",
        "view": None,
        "linked": linked,
    }
    program = join("../play/page/viewer", "../view/browser/host")
    script = f'(() => {{\n"use strict";\n{program}\nclaim("playground", viewer);\n}})();'
    body = (
        f'{NO_SCRIPTS}<div class="clipxai-figure" data-viewer="playground">'
        f'<script type="application/json">{escape(values)}</script></div>\n'
        f"<script>{script}</script>"
    )
    whole = PAGE.format(policy=LIVE, title=html.escape(SUMMARY), body=body)
    return whole.replace("margin: 1.5rem auto", "margin: 0.4rem auto")  # a projector is not high


def payload_of(model: CLIP) -> Payload:
    """What the page is made from."""
    sizes, weights = pack_model(model)
    side, patch = sizes["image"]["side"], sizes["image"]["patch"]
    grid = {
        "height": side // patch,
        "width": side // patch,
        "box": [0.0, 0.0, float(side), float(side)],
        "image_size": [side, side],
    }
    header = {
        "engine": engine(),
        "model": sizes,
        "pictures": pictures_header(),
        "first": START,
        "walks": WALKS,
        "verdicts": VERDICTS,
        "words": page_words(),
        "photo": "data:,",
        "grids": [grid],
        "alpha": OPACITY,
        "dim": DIM,
        "colours": {"low": SEQUENTIAL, "signed": DIVERGING},
    }
    arrays = {
        "weights": np.frombuffer(weights, np.uint8),
        "sprites": sprites(),
        "tiles": tiles(),
        **{name: colour_table(name).ravel() for name in (SEQUENTIAL, DIVERGING)},
    }
    return pack(header, {name: (values, "u8") for name, values in arrays.items()}, BUDGET)


def engine() -> str:
    """The program of the page's threads."""
    return f'"use strict";\n{join("../play/engine/worker")}\n'


def _asset(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
