"""What a pass has freed stays with the process: the next need not have it cleared once more."""

import ctypes
import os
import platform
import subprocess
import sys
from types import SimpleNamespace

import pytest

from clipxai.model import freed

# bytes that a pass keeps, and that the system had to clear for one of the last three of five: the
# heap may grow a little in any of them
PASSES = """
import resource
import numpy as np
import clipxai as cx

model, images = cx.load(), [np.zeros((112, 112, 3), np.uint8)] * 32
cleared = []
for _ in range(5):
    trace = None
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    trace = cx.record(model, images, "a cat")
    cleared.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
parts = ("residual", "q", "k", "v", "attention", "ffn")
kept = sum(getattr(tape, part).nbytes for tape in trace.layers for part in parts)
print(kept, min(cleared[2:]) * resource.getpagesize())
"""


def environment():
    return {name: value for name, value in os.environ.items() if name not in freed.OWN_WORDS}


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_the_next_trace_takes_the_memory_of_the_last():
    ran = [sys.executable, "-c", PASSES]
    said = subprocess.run(ran, env=environment(), capture_output=True, text=True, check=True)
    kept, cleared = map(int, said.stdout.split())
    assert kept > 2**27  # more than glibc keeps by itself
    assert cleared < kept / 20


@pytest.mark.parametrize("told", [None, *freed.OWN_WORDS])
def test_what_the_environment_says_of_the_allocator_holds(monkeypatch, told):
    calls = {}
    for name in freed.OWN_WORDS:
        monkeypatch.delenv(name, raising=False)
    if told:
        monkeypatch.setenv(told, "1")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(mallopt=calls.__setitem__))
    freed.keep_freed_memory.__wrapped__()
    assert calls == ({} if told else {-1: 2**30, -3: 2**25})  # as glibc's malloc.h numbers them
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace())
    freed.keep_freed_memory.__wrapped__()  # an allocator that has no such thing
