"""Which explorers stand in a notebook? Those that the last run of a cell has shown.

What a cell shows lives on without a variable; what the cell's run before showed is gone from the
page, and goes from memory unless somebody still holds it.
"""

import sys
from typing import Protocol


class Closable(Protocol):
    """What stands in a notebook."""

    def close(self) -> None:
        """Let go of everything."""


def _count_alone() -> int:
    """What Python counts for a thing that one local variable holds: the variable, and before 3.14
    the question itself.
    """
    alone = object()
    return sys.getrefcount(alone)


ALONE = _count_alone()
# cell -> the run that showed something there, and what
_shown: dict[str, tuple[str, list[Closable]]] = {}


def stands(thing: Closable) -> None:
    """Keep alive what a cell shows, and close what its run before showed, if only the notebook's
    history (`Out`, `_`) remembers that.
    """
    cell, run = _here()
    before, things = _shown.get(cell, ("", []))
    if before != run:
        _shown[cell] = run, [thing]
        while things:
            old = things.pop()
            held = sys.getrefcount(old) - ALONE
            if old is not thing and held <= _in_history(old):
                old.close()
    elif all(one is not thing for one in things):
        things.append(thing)


def forget(thing: Closable) -> None:
    """It does not stand anywhere any more."""
    for cell, (run, things) in [*_shown.items()]:
        _shown[cell] = run, [one for one in things if one is not thing]


def _here() -> tuple[str, str]:
    """The cell that runs, and which run of it this is; both empty where no kernel says so."""
    try:
        parent = _shell().get_parent()
    except AttributeError:  # no kernel's shell
        return "", ""
    metadata, header = parent.get("metadata", {}), parent.get("header", {})
    return str(metadata.get("cellId", "")), str(header.get("msg_id", ""))


def _in_history(thing: Closable) -> int:
    """How many places of IPython's history hold something: `Out[3]`, `_3`, `_`, …"""
    shell = _shell()
    if shell is None:
        return 0
    places = [value for name, value in [*shell.user_ns.items()] if name.startswith("_")]
    for more in (shell.user_ns.get("_oh", {}), shell.user_ns_hidden, vars(shell.displayhook)):
        places += more.values()
    places.append(getattr(shell.last_execution_result, "result", None))
    return sum(one is thing for one in places)


def _shell() -> "object | None":
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None
