"""What has a long run done before it was interrupted? Files of JSON lines, appended one by one; a
line that was cut off is none.
"""

import json
from pathlib import Path


def whole_lines(file: Path) -> list:
    """What the lines of a file say, the last left out if it has no end.

    Raises
    ------
    ValueError : a line that is no JSON, by its number
    """
    said = []
    for number, line in enumerate(file.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n"):  # the last, cut off while it was written
            continue
        try:
            said.append(json.loads(line))
        except ValueError as error:
            raise ValueError(
                f"line {number} of {file} is damaged ({error}): delete that line, or the file if "
                "it is the first, and what it stood for is done again"
            ) from None
    return said
