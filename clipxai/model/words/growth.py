"""How much longer can a tokenizer that a file describes make a text? Steps that replace one letter
by many multiply: seven hundred bytes of them make gigabytes of one word.
"""

import base64
from collections.abc import Iterator

# characters that one text may become on its way; each costs the library some forty bytes
MOST_ON_THE_WAY = 1 << 22
MOST_GROWTH = (
    1 << 12
)  # beyond it not even a caption could be read; SigLIP's steps make it a hundred
# characters that one character becomes at most, of steps whose files do not say
BY_KIND = {
    "NFC": 3,
    "NFD": 4,
    "NFKC": 18,
    "NFKD": 18,
    "Lowercase": 2,
    "ByteLevel": 4,
    "BertNormalizer": 4,
}


def growth(described: dict, part: str) -> int:
    """How many characters the steps of a part of `tokenizer.json`, "normalizer" or "decoder", can
    make of one.

    Raises
    ------
    ValueError : beyond `MOST_GROWTH`
    """
    grown = 1
    for step in _steps(described.get(part)):
        grown *= _of_step(step)
        if grown > MOST_GROWTH:
            raise ValueError(
                f"its {part} makes more than {MOST_GROWTH:,} characters of one, which no "
                "tokenizer needs: it is not read"
            )
    return grown


def _steps(part: object) -> Iterator[dict]:
    """The steps of a part, those within sequences as well, in any order."""
    waiting = [part]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            if "type" in found:
                yield found
            waiting += [value for value in found.values() if isinstance(value, (list, dict))]


def _of_step(step: dict) -> int:
    kind = step["type"]
    if kind == "Replace":
        made = len(str(step.get("content", "")))
        pattern = step.get("pattern")
        exact = pattern.get("String") if isinstance(pattern, dict) else None
        if isinstance(exact, str) and exact:
            return max(1, -(-made // len(exact)))
        return 1 + 2 * made  # an expression may match nothing, on either side of a letter
    if kind == "Prepend":
        return 1 + len(str(step.get("prepend", "")))
    if kind == "Precompiled":
        return _longest(str(step.get("precompiled_charsmap", "")))
    return BY_KIND.get(kind, 1) if isinstance(kind, str) else 1


def _longest(charsmap: str) -> int:
    """The longest entry of SentencePiece's table: the length of a tree, the tree, entries that end
    in zeros.
    """
    table = base64.b64decode(charsmap + "==", validate=False)
    entries = table[4 + int.from_bytes(table[:4], "little") :]
    return max(1, *map(len, entries.split(b"\0")))
