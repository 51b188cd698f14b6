"""The same verbs on the command line.

- clipxai explain photo.jpg "a dog" "a bicycle" --out dog.html
- clipxai explain photos/ "a dog" "a bicycle" --out maps/ --format png --format npz
- clipxai explain large.jpg "a dog" --window 224 --stride 112
- clipxai compare photo.jpg "a dog" --methods clip,clip_surgery,gem
- clipxai contrast photo.jpg "a dog" "a cat" --out contrast.html
- clipxai effects photo.jpg "a dog" --of heads --by mean --out effects.html
- clipxai segment photo.jpg "a dog" "a bicycle" --background "the street" --mask labels.png
- clipxai bench --data emoji-world --out runs/bench
- clipxai methods
- clipxai models ViT-B/16
- clipxai doctor ViT-B/16
- clipxai lessons
- clipxai lab
- clipxai playground --out playground.html

In: what may be said (`parser`), and a file for each command with a function `run`; what several of
them do (`asking`). Not in: anything that Python cannot do as well.
"""

import gc
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from types import ModuleType

from ..checks import visible
from .parser import parser

FAILED, MISUSED = 1, 2  # exit codes; 0 is done


def main(arguments: list[str] | None = None) -> int:
    """Run one command; a wrong input is one line on stderr and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        # texts in any script, also through a pipe on Windows, which has 256 letters
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    code = 0
    try:
        try:
            code = _run(arguments)
        finally:
            sys.stdout.flush()  # now, while what becomes of it can still be said
    except OSError as error:
        # who closes a pipe has seen enough, as `head` does; what failed before has been said
        if not (code or isinstance(error, BrokenPipeError)):
            print(f"clipxai: cannot write to stdout: {error.strerror}", file=sys.stderr)
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # nothing is left to be flushed at exit
        return code or FAILED
    return code


def _run(arguments: list[str] | None) -> int:
    given = parser().parse_args(arguments)
    try:
        return _command(given.command).run(given)
    except BrokenPipeError:
        raise
    except (ValueError, TypeError, IndexError, OSError, MemoryError) as error:
        # what it quotes may be from a stranger's file
        print(f"clipxai: {visible(str(error))}", file=sys.stderr)
        return MISUSED
    except KeyboardInterrupt:
        print("clipxai: interrupted", file=sys.stderr)
        return FAILED


def _command(name: str) -> ModuleType:
    """Only this command's file, and only now.

    Help and typing errors do not wait for torch, nor `explain` for what other commands need.
    """
    if "torch" in sys.modules:
        return import_module(f".{name}", __name__)
    # torch makes a million objects that stay; to look through them for garbage, again and again
    # while they are made and afterwards, takes a tenth of the time to the first map
    gc.disable()
    try:
        return import_module(f".{name}", __name__)
    finally:
        gc.freeze()
        gc.enable()
