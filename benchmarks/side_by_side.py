"""Two ways to do something, timed in turns in one run, so that a busy machine slows both."""

import time
from collections.abc import Callable
from statistics import median


def ratio(
    a: Callable[[], object], b: Callable[[], object], rounds: int = 15, warm_up: int = 2
) -> tuple[float, float, float]:
    """(median seconds of a, median seconds of b, median over rounds of a / b)."""
    for _ in range(warm_up):
        a(), b()
    times = []
    for n in range(rounds):
        pair = {}
        # who comes first changes: the second may find caches warm
        for f in (a, b) if n % 2 else (b, a):
            start = time.perf_counter()
            f()
            pair[f] = time.perf_counter() - start
        times.append((pair[a], pair[b]))
    return median(x for x, _ in times), median(y for _, y in times), median(x / y for x, y in times)
