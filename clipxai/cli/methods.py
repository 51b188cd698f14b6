"""`clipxai methods`: the table of methods, or their papers."""

import argparse

from ..explainers.table import methods


def run(given: argparse.Namespace) -> int:
    """Print it."""
    print(methods().bibtex() if given.bibtex else methods())
    return 0
