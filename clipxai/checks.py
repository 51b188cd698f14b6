"""Is what the caller gave what was asked for? If not, one error that names what came in, what was
expected, and where that comes from.

In: every question that more than one file asks; above all, whether an argument is what its
annotation says (`of_its_kinds`). Not in: what only one verb can know of its input.
"""

import inspect
import math
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from difflib import get_close_matches
from functools import cache, partial, wraps
from numbers import Real
from operator import index
from pathlib import Path
from reprlib import Repr
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Verb = TypeVar("Verb", bound=Callable[..., Any])
SIMPLE = (bool, int, float, str, bytes, Path, types.NoneType)


def expect(kind: type, given: object, source: str) -> None:
    """A TypeError unless `given` is a `kind`, which `clipxai.<source>` returns."""
    if not isinstance(given, kind):
        first = source == "record" and hasattr(given, "tokenize")
        raise TypeError(
            f"expected {kind.__name__} (from clipxai.{source}), got {type(given).__name__}"
            + ": call record(model, image, texts) first" * first
        )


def shown(value: object) -> str:
    """A value in a message: short, in one line, without anything that a terminal obeys."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and getattr(value, "ndim", 0):
        return f"{type(value).__name__} of shape {tuple(value.shape)}"
    return " ".join(SHORT.repr(value).split())


SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 70


@dataclass(frozen=True)
class Within:
    """A range of numbers, both ends included; `above` leaves out the lower one. It stands in an
    annotation; an end is one of meaning, memory or patience.
    """

    low: float
    high: float = math.inf
    above: bool = False

    def __contains__(self, value: float) -> bool:
        return (self.low < value if self.above else self.low <= value) and value <= self.high

    def __str__(self) -> str:
        begins = f"above {self.low:,.12g}" if self.above else f"from {self.low:,.12g}"
        if self.high == math.inf:
            return begins if self.above else f"of at least {self.low:,.12g}"
        return f"{begins} to {self.high:,.12g}"


Steps = Annotated[int, Within(1, 10_000)]
Seed = Annotated[int, Within(0, 2**63 - 1)]
Share = Annotated[float, Within(0, 1)]
Factor = Annotated[float, Within(-1e6, 1e6)]  # in a softmax, where a larger one leaves no numbers
Reach = Annotated[float, Within(1e-3, 1e6)]  # a standard deviation in patches, squared
Side = Annotated[int, Within(1, 1 << 15)]  # of a picture, in pixels


def of_its_kinds(verb: Verb) -> Verb:
    """Decorator: arguments are held against their annotations before anything runs, and numpy's
    numbers become Python's, which do not overflow.

    Of a class, all its public methods, and `__init__` where it is written out. What is one of the
    package's own things, or may be anything, is left to the verb.
    """
    if isinstance(verb, type):
        for name, method in vars(verb).items():
            own = not name.startswith("_") or (name == "__init__" and not is_dataclass(verb))
            if inspect.isfunction(method) and own:
                setattr(verb, name, of_its_kinds(method))
        return verb
    signature = inspect.signature(verb)
    parameters = signature.parameters.values()
    extras = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD]

    @wraps(verb)
    def asked(*arguments: Any, **options: Any) -> Any:
        arguments = plain(arguments)
        options = {name: plain(value) for name, value in options.items()}
        try:
            given = signature.bind(*arguments, **options).arguments
        except TypeError:
            if not extras:
                expect_names(verb, options, signature.parameters)
            given = {}  # the call itself says what is missing
        for extra in extras:
            expect_options(verb, extra, given.pop(extra, {}))
        first, told = next(iter(given.items()), ("", None))
        # whoever passes something else than a trace is told so first, by the verb
        if first != "trace" or type(told).__name__ == "Trace":
            expect_kinds(verb, given)
        return verb(*arguments, **options)

    return asked  # type: ignore[return-value]  # of the same parameters


def expect_names(verb: Callable[..., object], given: Iterable[str], known: Iterable[str]) -> None:
    """A TypeError that names the nearest, unless everything `given` is a name that is `known`."""
    names = [name for name in known if name != "self"]
    for name in given:
        if name not in names:
            said, near = verb.__qualname__.removesuffix(".__init__"), _nearest(name, names)
            meant = f": did you mean {near}=?" if near else ""
            raise TypeError(f"{said} has no {name}=; it takes {', '.join(names)}{meant}")


def _nearest(name: str, known: Iterable[object]) -> str:
    """What was probably meant; "" where nothing is near."""
    near = get_close_matches(name, [one for one in known if isinstance(one, str)], 1)
    return near[0] if near else ""


def plain(value: Any) -> Any:
    """A number, truth value or text of numpy as Python's own, also in a tuple, and an array of
    texts as a list, which can be compared with a word; all else as it is.

    Examples
    --------
    >>> import numpy as np
    >>> plain((np.int64(3), np.bool_(True), np.array(["a", "b"]), 2.5))
    (3, True, ['a', 'b'], 2.5)
    """
    if type(value) is tuple:
        return tuple(map(plain, value))
    if _is_array(value) and getattr(getattr(value, "dtype", None), "kind", "") in ("U", "O"):
        listed = value.tolist()
        return listed if all(isinstance(one, str) for one in listed) else value
    of_numpy = type(value).__module__ == "numpy" and getattr(value, "ndim", 1) == 0
    return value.item() if of_numpy else value


def expect_kinds(function: Callable[..., object], given: Mapping[str, object]) -> None:
    """An error, as `expect_kind`, unless every value `given` is what the parameter may be."""
    known = _kinds(function.func if isinstance(function, partial) else function)
    for name, value in given.items():
        if name in known:
            expect_kind(name, value, known[name])


def expect_options(function: Callable[..., object], name: str, given: Mapping[str, object]) -> None:
    """The same of what came as **`name`, which all has one annotation."""
    kind = _kinds(function).get(name)
    for option, value in given.items() if kind is not None else ():
        expect_kind(option, value, kind)


def expect_kind(name: str, value: object, kind: object) -> None:
    """An error unless a value is of an annotated kind; the message says which that is.

    Raises
    ------
    TypeError : of another kind
    ValueError : of that kind, but not one of the choices, not in the range, or not finite
    """
    if _fits(value, kind):
        return
    if not _fits(value, kind, loosely=True):
        raise TypeError(f"{name}={shown(value)}, but {_in_words(kind)} is needed")
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        near = _nearest(value, choices) if isinstance(value, str) else ""
        meant = f": did you mean {near!r}?" if near else ""
        raise ValueError(
            f"unknown {name} {shown(value)}; choose one of {', '.join(map(str, choices))}{meant}"
        )
    raise ValueError(f"{name}={shown(value)}, but {_in_words(kind)} is needed")


@cache
def _kinds(function: Callable[..., object]) -> dict[str, object]:
    hints = get_type_hints(function, include_extras=True)
    return {name: kind for name, kind in hints.items() if _is_simple(kind)}


def _is_simple(kind: Any) -> bool:
    """Whether it is made of what Python and torch bring; a lone class of the package's own is
    not, as the verbs say where such a thing comes from.
    """
    if any(_is_own(part) for part in get_args(kind)):
        return False
    return get_origin(kind) is not None or kind in SIMPLE or kind.__module__ == "torch"


def _is_own(kind: Any) -> bool:
    """Whether it is several of the package's own things."""
    kinds = (part for part in get_args(kind) if isinstance(part, type))
    return any(part.__module__.startswith("clipxai.") for part in kinds)


def _fits(value: Any, kind: Any, loosely: bool = False) -> bool:
    """Whether a value is of a kind; `loosely` whatever it is within that."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        base, *ranges = parts
        fits = _fits(value, base, loosely)
        return fits and (loosely or all(value in within for within in ranges))
    if origin in (Union, types.UnionType):
        return any(_fits(value, one, loosely) for one in parts)
    if origin is Literal:
        of_kind = isinstance(value, str) or (not isinstance(value, bool) and _is_whole(value))
        return any(isinstance(one, str) == isinstance(value, str) for one in parts) and (
            of_kind and (loosely or value in parts)
        )
    if kind is float:
        number = isinstance(value, Real) and not isinstance(value, bool)
        return number and (loosely or math.isfinite(value))
    if kind is int:
        return not isinstance(value, bool) and _is_whole(value)
    if origin is tuple and parts[-1] is not Ellipsis:
        of_length = isinstance(value, (tuple, list)) and len(value) == len(parts)
        return of_length and all(_fits(v, part, loosely) for v, part in zip(value, parts))
    if origin in (Sequence, tuple, list):
        listed = isinstance(value, (list, tuple, range)) or _is_array(value)
        return listed and all(_fits(one, parts[0], loosely) for one in value)
    if origin is Iterable:
        listed = isinstance(value, Iterable) and not isinstance(value, (bytes, str))
        return listed and getattr(value, "ndim", 1) > 0  # arrays of one number say they can
    if origin is not None:
        return isinstance(value, origin)
    return not isinstance(kind, type) or isinstance(value, kind)


def _is_array(value: Any) -> bool:
    return getattr(value, "ndim", 0) == 1


def _is_whole(value: Any) -> bool:
    try:
        index(value)  # numpy's whole numbers are some, too
    except TypeError:
        return False
    return True


def _in_words(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        base, *ranges = parts
        return " ".join([_in_words(base), *map(str, ranges)])
    if origin in (Union, types.UnionType):
        return " or ".join(_in_words(one) for one in parts)
    if origin is Literal:
        return " or ".join(map(repr, parts))
    if origin is tuple and parts[-1] is not Ellipsis:
        return f"({', '.join(map(_in_words, parts))})"
    if origin in (Sequence, tuple, list, Iterable):
        return f"a list, each {_in_words(parts[0])}"
    words = {
        bool: "True or False",
        int: "a whole number",
        float: "a finite number",
        str: "a text",
        Path: "a path",
        types.NoneType: "None",
    }
    return words.get(kind) or getattr(origin or kind, "__name__", str(kind))


def visible(text: str) -> str:
    """A text of a stranger as it may be shown in a terminal: what cannot be seen, such as the codes
    that move the cursor or rename the window, is spelled out.

    Examples
    --------
    >>> visible("a\\x1b[2Jb é")
    'a\\\\x1b[2Jb é'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def expect_some(**counts: int) -> None:
    """A ValueError unless every number, by its name, is 1 or more."""
    for name, count in counts.items():
        if whole(count, name) < 1:
            raise ValueError(f"{name}={count}, but at least one is needed")


def whole(asked: object, what: str) -> int:
    """A whole number, numpy's too; a TypeError for all else, truth values included."""
    if isinstance(asked, bool) or not _is_whole(asked):
        raise TypeError(f"{what} {shown(asked)}, but a whole number is needed")
    return index(asked)  # type: ignore[arg-type]  # which was found out


def several(asked: object) -> list:
    """What may be asked for as one or as several, as a list: a text or a number (numpy's too) is
    one.
    """
    one = (
        isinstance(asked, str) or not isinstance(asked, Iterable) or getattr(asked, "ndim", 1) == 0
    )
    return [asked] if one else [*asked]


def layer_of(layers: int, asked: int, owner: str = "this model") -> int:
    """The place, 0…layers - 1, of one of so many `layers`; a negative number counts from the last.

    Raises
    ------
    IndexError : no such layer; the message says how many `owner` ("this model") has
    """
    asked = whole(asked, "layer")
    if not -layers <= asked < layers:
        raise IndexError(f"layer {asked}, but {owner} has {layers} (0 to {layers - 1})")
    return asked % layers


def number_of(known: Sequence[object], asked: int | str, what: str, where: str) -> int:
    """Place of something in a list, by its number; negative numbers count from the last.

    Texts and words may be given as themselves, too.

    Raises
    ------
    ValueError : it is not there; the message says `what` is missing `where` ("word", "this text"),
        and what is there
    IndexError : no such number
    TypeError : neither a number nor, where texts are asked for, a text
    """
    if isinstance(asked, str) and all(isinstance(one, str) for one in known):
        if asked not in known:
            there = ", ".join(map(repr, known))
            raise ValueError(f"no {what} {asked!r} in {where}; it has: {there}")
        return known.index(asked)
    asked = whole(asked, what)
    if not -len(known) <= asked < len(known):
        raise IndexError(
            f"{what} number {asked}, but {where} has {len(known)} (0 to {len(known) - 1})"
        )
    return asked % len(known)
