"""Does every link of the built site lead somewhere?"""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

OUTSIDE = re.compile(r"[a-z]+:|//|#clipxai:")  # the last is for the figures on the page


class Page(HTMLParser):
    """Where a page leads to, and which places it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called for every tag."""
        for name, value in attrs:
            if name in ("href", "src") and value and not OUTSIDE.match(value):
                self.leads.append(value)
            if name in ("id", "name") and value:
                self.places.add(value)


def dead(folder: Path) -> list[str]:
    """Every link within a site that leads nowhere, with the page it is on."""
    files = (path for path in folder.resolve().rglob("*.html") if path.parent.name != "live")
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in files}
    found = []
    for path, page in pages.items():
        for link in page.leads:
            file, _, place = link.partition("#")
            to = (path.parent / unquote(file.partition("?")[0])).resolve() if file else path
            known = to in pages and place in pages[to].places
            if not to.exists() or (place and to in pages and not known):
                found.append(f"{path.relative_to(folder.resolve())}: {link}")
    return found
