"""`clipxai doctor`: is a model read rightly?"""

import argparse

from ..measure.doctor import doctor


def run(given: argparse.Namespace) -> int:
    """Print one page; 1 if something is off."""
    report = doctor(given.model)
    print(report)
    return 0 if report.good else 1
