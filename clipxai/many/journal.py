"""What has a long run done before it was interrupted? Files of JSON lines, appended one by one; a
line that was cut off is none.
"""

import json
from collections.abc import Callable
from pathlib import Path

Fits = Callable[[object], bool]


def whole_lines(file: Path, first: Fits, others: Fits) -> list:
    """What the lines of a file say, the last left out if it has no end.

    Parameters
    ----------
    file : of JSON lines
    first, others : whether the first line, and those after it, say what such a line says

    Raises
    ------
    ValueError : a line that is no JSON, or says something else, by its number
    """
    said = []
    for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):  # the last, cut off while it was written
            continue
        try:
            said.append(json.loads(line))
            if not (others if said[1:] else first)(said[-1]):
                raise ValueError("it says something else than such a line does")
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"line {number} of {file} is damaged ({error}): delete that line, or the file if "
                "it is the first, and what it stood for is done again"
            ) from None
    return said
