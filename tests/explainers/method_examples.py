"""What tests of the methods share: how to run the slow ones quickly, and how a test says which
method it proves.
"""

import functools
import sys
from inspect import unwrap
from pathlib import Path

import clipxai as cx

# pixels a side, for methods that take many forward passes, or go back to the pixels
SMALL = dict.fromkeys(("occlusion", "rise", "gscorecam"), 48)
SMALL |= dict.fromkeys(("integrated_gradients", "gradient_x_input", "m2ib"), 64)
QUICK = {
    "integrated_gradients": {"steps": 2},
    "m2ib": {"steps": 2, "samples": 2},
    "gscorecam": {"channels": 8},
    "occlusion": {"window": 1},
    "rise": {"masks": 48},
}
PACKAGE, TESTS = (str(Path(file).parent) for file in (cx.__file__, __file__))
EXPLAINERS = f"{PACKAGE}/explainers/"
# what methods share besides; the trace itself, which is proved by other tests, may be read
SHARED = (f"{PACKAGE}/trace/replay.py", f"{PACKAGE}/trace/readout.py")


def second_route(*methods, draws=()):
    """This test compares the numbers of these methods (or of a "words of ..." side) with another
    way to compute them.

    While it runs, it is watched: the other way may read the trace and the parts of the model, and
    ask for the methods that it proves, but call nothing else that explains. `draws` are functions
    whose random numbers it has to share.
    """
    named = {method.removeprefix("words of ") for method in methods}
    known = {function.__code__ for function in draws}

    def mark(test):
        @functools.wraps(test)
        def watched(**arguments):
            for name, value in arguments.items():
                room = type(value).__module__
                assert not room.startswith(("clipxai.explainers", "clipxai.results")), (
                    f"{name} is an answer, made before the route was watched: {room}"
                )
            calls, before = set(), sys.getprofile()
            sys.setprofile(functools.partial(_watch, named, known, calls))
            try:
                test(**arguments)
            finally:
                sys.setprofile(before)
            assert not calls, f"a second route may not call what it proves: {', '.join(calls)}"

        watched.proves = methods
        return watched

    return mark


def _watch(named, known, calls, frame, event, _):
    code = frame.f_code
    if event != "call" or code.co_name == "<module>" or code in known:
        return
    if code.co_filename.startswith(EXPLAINERS):
        if not any(_explains(caller) for caller in _callers(frame)) and not _asks(frame, named):
            calls.add(code.co_qualname if hasattr(code, "co_qualname") else code.co_name)
    elif code.co_filename in SHARED:
        nearest = (f.f_code.co_filename for f in _callers(frame))
        ours = (file for file in nearest if file.startswith((PACKAGE, TESTS)))
        if next(ours, "").startswith(TESTS):
            calls.add(code.co_name)


def _callers(frame):
    while frame := frame.f_back:
        yield frame


def _explains(frame):
    return frame.f_code.co_filename.startswith(EXPLAINERS)


def _asks(frame, named):
    """Whether this call is the question itself: a verb that is told one of the methods, or the side
    of one that reads words.
    """
    if frame.f_code.co_name in ("explain", "explain_all", "word_relevance"):
        return frame.f_locals["method"] in named
    return any(
        words and frame.f_code is unwrap(words).__code__
        for words in (cx.METHODS[name].words for name in named)
    )
