"""How is a whole file damaged? Bytes of any file, values of a JSON file; the same number, the same
damage.
"""

import json
from random import Random

ODD_BYTES = (b"", b"\0", b"\xff" * 4, b"\0" * 64, b"A" * 300, b"\x80\0\0\0", b"\x7f\xff\xff\xff")
ODD_VALUES = (
    None,
    True,
    False,
    0,
    -1,
    1,
    3,
    2**31,
    2**63,
    -(2**70),
    1e308,
    1e-320,
    float("nan"),
    float("inf"),
    "",
    "a",
    "\0",
    "\x1b]0;title\x07",
    "../../../etc/passwd",
    "x" * 5000,
    [],
    {},
    [[]],
    [None],
    {"a": {"b": []}},
    list(range(300)),
)


def damaged(data: bytes, random: Random) -> bytes:
    """A file's bytes with one to five wounds."""
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        data = random.choice(WOUNDS)(data, random)
    return data


def _flipped(data: bytes, random: Random) -> bytes:
    if not data:
        return data
    # the beginning of a file says the most
    place = random.randrange(min(len(data), random.choice((16, 64, 1024, len(data)))))
    return data[:place] + bytes([data[place] ^ 1 << random.randrange(8)]) + data[place + 1 :]


def _overwritten(data: bytes, random: Random) -> bytes:
    place, odd = random.randrange(len(data) + 1), random.choice(ODD_BYTES)
    return data[:place] + odd + data[place + len(odd) :]


def _inserted(data: bytes, random: Random) -> bytes:
    place = random.randrange(len(data) + 1)
    return data[:place] + random.choice(ODD_BYTES) + data[place:]


def _cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data) + 1)]


def _without_a_part(data: bytes, random: Random) -> bytes:
    first, last = sorted(random.randrange(len(data) + 1) for _ in range(2))
    return data[:first] + data[last:]


def _repeated(data: bytes, random: Random) -> bytes:
    first = random.randrange(len(data) + 1)
    part = data[first : first + random.choice((1, 8, 64, 1024))]
    return data[:first] + part * random.choice((2, 3, 50)) + data[first:]


WOUNDS = (_flipped, _flipped, _overwritten, _inserted, _cut, _without_a_part, _repeated)


def damaged_json(data: bytes, random: Random) -> bytes:
    """A JSON file with some values replaced, gone or doubled; now and then with wounded bytes."""
    if random.random() < 0.2:
        return damaged(data, random)
    told = json.loads(data)
    for _ in range(random.choice((1, 1, 2, 4))):
        told = _changed(told, random)
    return json.dumps(told).encode()


def _changed(told: object, random: Random) -> object:
    """One value somewhere below, or this one."""
    if random.random() < 0.12 or not isinstance(told, (dict, list)) or not told:
        return random.choice(ODD_VALUES)
    if isinstance(told, list):
        place = random.randrange(len(told))
        if random.random() < 0.2:
            return told[:place] + told[place + 1 :]
        return [*told[:place], _changed(told[place], random), *told[place + 1 :]]
    key = random.choice(list(told))
    if random.random() < 0.15:
        return {name: value for name, value in told.items() if name != key}
    return {**told, key: _changed(told[key], random)}
