"""`clipxai doctor`: is a model read rightly?"""

import argparse

from ..measure.doctor import doctor
from ..model.files.checkpoints import load


def run(given: argparse.Namespace) -> int:
    """Print one page; 1 if something is off."""
    names = ("revision", "trust", "config", "activation", "heads")
    told = {name: getattr(given, name) for name in names}
    report = doctor(load(given.model, **told) if any(told.values()) else given.model)
    print(report)
    return 0 if report.good else 1
