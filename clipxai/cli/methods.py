"""`clipxai methods`: the table of methods."""

import argparse

from ..explainers.table import methods


def run(given: argparse.Namespace) -> int:
    """Print it."""
    print(methods())
    return 0
