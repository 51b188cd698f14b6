"""Does a map also know when the thing is not there? Its evidence for labels that are present, against labels that are absent.

A map drawn from its minimum to its maximum shows something for everything. The raw scores can do better: if they do, the evidence
of present labels ranks above that of absent ones.
"""

import numpy as np


def evidence(scores: np.ndarray) -> np.ndarray:
    """How strongly each map (T, gh, gw), raw and signed, claims its text somewhere: its highest patch, (T,). This project's definition."""
    return np.nanmax(scores, axis=(1, 2))
