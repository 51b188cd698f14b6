"""How do numbers travel into a web page? One JSON header and one blob of concatenated arrays, the
same for every viewer.

Codings (a row is the last axis; every array starts at a multiple of four bytes, its row scales
follow it):

    u8       bytes as they are, such as colour tables
    f32      exact, for few numbers
    u16      linear between the lowest and highest of each row; error at most 1/131068 of the row's
    range; NaN survives
    u8sqrt   square-root companded by row, for attention: code = round(255 sqrt(a / row maximum)).
    Linear bytes would turn a third of the
             non-zero weights of a ViT into 0, because a few sink tokens dominate the rows. A row
             with NaN becomes NaN.
    sqrt63   the same with 63 (31, 23, 15) steps instead of 255, still one byte each: coarser codes
    deflate better. The error is at most
             1/steps of the row maximum, and less for small weights: sqrt(a * row maximum) / steps +
             row maximum / (4 steps^2).

A deflated payload (`header["deflated"]`) has its whole blob compressed as zlib does it; a browser
inflates it by itself. Square roots in it travel as differences: many tokens attend alike, so each
row of a matrix is written as what it differs, modulo 256, from the row above it that is most like
it. `above` says how many rows up that is, 0 for a row written as it is. A third of the bytes of
attention goes away so.

A payload has a byte budget. Where it does not fit, the steps the caller allows are taken in order,
and each leaves a sentence in the header (`dropped`) that the figure shows: nothing disappears
silently.
"""

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

SCHEMA = 1
BUDGET = 1_500_000  # bytes of text: a notebook keeps every figure it shows
NAN_CODE = 65535
Coding = Literal["u8", "f32", "u16", "u8sqrt", "sqrt63", "sqrt31", "sqrt23", "sqrt15"]
# steps of each companded coding
SQUARE_ROOT = {"u8sqrt": 255, "sqrt63": 63, "sqrt31": 31, "sqrt23": 23, "sqrt15": 15}
Header = dict[str, Any]
Arrays = Mapping[str, tuple[np.ndarray, Coding]]
Step = tuple[str, Callable[[Header, Arrays], tuple[Header, Arrays]]]


@dataclass(frozen=True)
class Payload:
    """What a viewer draws: `header` (JSON types only) and `blob`, whose arrays `header["arrays"]`
    locates.
    """

    header: Header
    blob: bytes

    @property
    def size(self) -> int:
        """Bytes of text it takes in a page."""
        return len(json.dumps(self.header)) + 4 * -(-len(self.blob) // 3)

    def base64(self) -> str:
        """The blob as ASCII text."""
        return base64.b64encode(self.blob).decode("ascii")


def pack(
    header: Header,
    arrays: Arrays,
    budget: int = BUDGET,
    steps: Sequence[Step] = (),
    *,
    deflate: bool = False,
) -> Payload:
    """Put a viewer's words and numbers into a payload.

    Parameters
    ----------
    header : JSON types; `schema`, `arrays` and `dropped` are added
    arrays : name -> (values, coding)
    budget : most bytes of text the payload may take
    steps : what may be given up, in this order: a sentence that says so, and a function (header,
        arrays) -> smaller (header, arrays)
    deflate : compress the blob, for the price that a viewer has to wait for it (`unpackLater` in
        decode.js)

    Raises
    ------
    ValueError : too large even after all steps, or a value the coding cannot hold
    """
    dropped: list[str] = []
    payload = _pack(header, arrays, dropped, deflate)
    for sentence, lighten in steps:
        if payload.size <= budget:
            break
        header, arrays = lighten(header, arrays)
        dropped.append(sentence)
        payload = _pack(header, arrays, dropped, deflate)
    if payload.size > budget:
        raise ValueError(
            f"the figure needs {payload.size:,} bytes, but its budget is {budget:,}: show fewer "
            "maps or give more budget="
        )
    return payload


def unpack(payload: Payload) -> dict[str, np.ndarray]:
    """The arrays of a payload as a viewer sees them: name -> float32, or uint8 where it was sent as
    such.
    """
    blob = zlib.decompress(payload.blob) if payload.header.get("deflated") else payload.blob
    return {name: _decode(entry, blob) for name, entry in payload.header["arrays"].items()}


def _pack(header: Header, arrays: Arrays, dropped: Sequence[str], deflate: bool) -> Payload:
    blob = bytearray()
    entries: dict[str, dict[str, Any]] = {}
    for name, (values, coding) in arrays.items():
        codes, scales = _encode(np.asarray(values), coding)
        parts = {"offset": codes, "scales": scales}
        if deflate and coding in SQUARE_ROOT and codes.ndim > 1:
            parts["offset"], parts["above"] = _differences(codes)
        entries[name] = {"coding": coding, "shape": list(np.shape(values))}
        for place, numbers in parts.items():
            blob += bytes(-len(blob) % 4)
            entries[name][place] = len(blob)
            blob += numbers.tobytes()
    header = {**header, "schema": SCHEMA, "arrays": entries, "dropped": list(dropped)}
    return (
        Payload({**header, "deflated": True}, _deflated(blob))
        if deflate
        else Payload(header, bytes(blob))
    )


def _deflated(blob: bytes) -> bytes:
    """As zlib's best, which takes six times as long, to one or two per cent: told that small
    numbers prevail, and with all its memory.
    """
    packer = zlib.compressobj(
        7, wbits=zlib.MAX_WBITS, memLevel=zlib.DEF_MEM_LEVEL + 1, strategy=zlib.Z_FILTERED
    )
    return packer.compress(blob) + packer.flush()


def _encode(values: np.ndarray, coding: Coding) -> tuple[np.ndarray, np.ndarray]:
    """Codes and row scales, both in the byte order of browsers."""
    none = np.empty(0, "<f4")
    if coding == "u8":
        if values.dtype != np.uint8:
            raise ValueError(
                f"coding u8 sends bytes as they are, but these values are {values.dtype}"
            )
        return values, none
    if coding == "f32":
        return values.astype("<f4"), none
    if coding == "u16":
        return _encode_linear(values.astype(np.float64))
    if coding in SQUARE_ROOT:
        top = values.max(axis=-1, keepdims=True, initial=0)  # NaN if the row has one
        if (values < 0).any() or np.isinf(top).any():
            raise ValueError(
                f"coding {coding} is for finite weights of at least 0; send signed values as u16"
            )
        share = np.divide(values, top, out=np.zeros(values.shape, np.float64), where=top > 0)
        return np.rint(SQUARE_ROOT[coding] * np.sqrt(share)).astype(np.uint8), top.astype("<f4")
    raise ValueError(
        f"unknown coding {coding!r}; choose one of {', '.join(map(repr, get_args(Coding)))}"
    )


def _encode_linear(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    finite = np.isfinite(values)
    low = np.where(finite, values, np.inf).min(axis=-1, keepdims=True, initial=np.inf)
    span = np.where(finite, values, -np.inf).max(axis=-1, keepdims=True, initial=-np.inf) - low
    low, span = np.where(np.isfinite(low), low, 0), np.where(np.isfinite(span), span, 0)
    share = np.divide(values - low, span, out=np.zeros(values.shape), where=finite & (span > 0))
    codes = np.where(finite, np.rint(share * (NAN_CODE - 1)), NAN_CODE)
    return codes.astype("<u2"), np.concatenate([low, span], axis=-1).astype("<f4")


def _differences(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bytes (..., R, n): every row less the most similar of the 255 above it, and how many rows up
    that is, (..., R); 0 for none.
    """
    differences, above = codes.copy(), np.zeros(codes.shape[:-1], np.uint8)
    for matrix in np.ndindex(codes.shape[:-2]):
        rows = codes[matrix]
        for n in range(1, len(rows)):
            others = rows[max(0, n - 255) : n][::-1]
            apart = (np.maximum(others, rows[n]) - np.minimum(others, rows[n])).sum(
                -1, dtype=np.int64
            )
            nearest = int(apart.argmin())
            if apart[nearest] < rows[n].sum(dtype=np.int64):
                differences[matrix][n] -= others[nearest]
                above[matrix][n] = 1 + nearest
    return differences, above


def _summed(differences: np.ndarray, above: np.ndarray) -> np.ndarray:
    """What `_differences` took apart."""
    codes = differences.copy()
    for matrix in np.ndindex(codes.shape[:-2]):
        for n in np.flatnonzero(above[matrix]):
            codes[matrix][n] += codes[matrix][n - above[matrix][n]]
    return codes


def _decode(entry: dict[str, Any], blob: bytes) -> np.ndarray:
    shape, coding = tuple(entry["shape"]), entry["coding"]
    kind = {"f32": "<f4", "u16": "<u2"}.get(coding, "u1")
    codes = np.frombuffer(blob, kind, int(np.prod(shape)), entry["offset"]).reshape(shape)
    if coding in ("u8", "f32"):
        return codes
    rows, per_row = shape[:-1], 2 if coding == "u16" else 1
    if "above" in entry:
        codes = _summed(
            codes, np.frombuffer(blob, "u1", int(np.prod(rows)), entry["above"]).reshape(rows)
        )
    scales = np.frombuffer(blob, "<f4", int(np.prod(rows)) * per_row, entry["scales"]).reshape(
        *rows, per_row
    )
    if coding in SQUARE_ROOT:
        return (codes / np.float32(SQUARE_ROOT[coding])) ** 2 * scales
    values = scales[..., :1] + codes.astype(np.float32) / (NAN_CODE - 1) * scales[..., 1:]
    return np.where(codes == NAN_CODE, np.nan, values).astype(np.float32)
