"""`clipxai playground`: the embedded model, live in one page."""

import argparse
from pathlib import Path

from ..play.page import playground


def run(given: argparse.Namespace) -> int:
    """The exit code."""
    out = Path(given.out)
    if out.suffix.lower() != ".html":
        raise ValueError(f"the playground is a page, so --out ends in .html, not {out.name!r}")
    playground().save(out)
    print(out)
    print(f"  {out.stat().st_size / 1e6:.1f} MB, complete: open it in any browser")
    return 0
