"""Where does memory go that a pass has freed? To the next pass, not back to the operating system.

What a trace keeps is hundreds of megabytes. Once it is gone, glibc hands them back, and the system
clears every page of them again for the next trace, where a pass that keeps nothing reuses what it
had. That takes up to a tenth of the pass, at other times next to nothing (`GLIBC_TUNABLES= python
benchmarks/surgery_cost.py` against the same without). PyTorch does the same for accelerators, whose
freed memory it keeps until it is told otherwise.
"""

import ctypes
import os
import sys
from functools import cache

KEPT = 2**30  # bytes at the heap's end that stay with the process; glibc's own limit is 64 MB
LARGEST = 2**25  # of one tensor; what is larger comes from the system anew, and no more is allowed
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # glibc's malloc.h
OWN_WORDS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


@cache
def keep_freed_memory() -> None:
    """Let this process keep up to a gigabyte of what it frees.

    Nothing happens where the allocator is not glibc's, or where the environment tells it something
    else already.
    """
    if sys.platform != "linux" or any(word in os.environ for word in OWN_WORDS):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, LARGEST)
        mallopt(_TRIM_THRESHOLD, KEPT)
