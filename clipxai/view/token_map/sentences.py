"""What does the map of words say?"""

from collections.abc import Sequence

import numpy as np

from ...results.findings import LEFT_OUT
from ...results.what_if import what_if
from ..number import fill, number
from ..scales import finite
from ..sentences import LABELS, Table, caption, one_of_several
from ..texts import one_line
from ..word_units import Unit
from .content import WordMaps

PATHS = {  # a path for people
    "raw": "token itself, raw",
    "surgery": "token itself, surgery",
    "surgery minus the empty text": "token itself, surgery − empty text",
}
UNITS = {
    "raw": "cosine of word and patch",
    "surgery": "cosine of word and patch on the path of CLIP Surgery",
    "surgery minus the empty text": (
        "cosine of word and patch minus that of the empty text, on the path of CLIP Surgery"
    ),
}
ADDED = "what the word adds to the map of the text, by {method}"
BARS = "Bars: the same score with the class token in place of a patch."
CAUSAL = (
    "A word's own token knows the words before it and never those after, so a later word may light "
    "up what an earlier one names; [end] knows them all, and it alone was trained to match images."
)
LEAVING = (
    "A word's map is that of the text minus that of the text without the word, with an article or "
    "comma that would stand alone. [end] shows the map of the text itself, [start] nothing. Of two "
    "words that say the same, neither seems to matter."
)
DROPS = (
    "Bars: by how much the cosine of image and text falls without the word; of [end] the cosine."
)
MERGED = "A word of several pieces shows the mean of its pieces."
PLACES = (
    "A number in brackets tells words apart that occur more than once: the place in the text, "
    "[start] being 0."
)
FIRST = "Shown at first: the words with the highest patches."
PIECES = " · {pieces} pieces"
# what a number of a word is: of its own token, and of leaving it out
TOKEN = {
    "title": "words by the whole image",
    "subtitle": "score of each word's token with the whole image",
    "column": "whole image",
    "whole": "whole image {whole:number}",
    "row": "{word}: {value:number} with the whole image",
    "number": "{value:number}",
    "previewed": "“{word}”: {value:number} with the whole image",
}
LEFT = {
    "title": "words by what they add",
    "subtitle": "to the cosine of the image and the text",
    "column": "adds to the cosine",
    "whole": "adds {whole:number} to the cosine",
    "row": "{word}: adds {value:number} to the cosine",
    "number": "{value:number}",
    "previewed": "“{word}” adds {value:number} to the cosine of image and text",
}
WORDS = {
    "help": (
        "Move over a word to see its map, click it to pin the map below, click again to unpin it. "
        "Move over a patch to colour the words by its scores, click to pin the patch, Esc unpins "
        "it. Keys: arrows move by one patch, [ and ] by one word, Space pins the patch, p the "
        "word, ? shows this line."
    ),
    "keys": (
        "Arrow keys move over the patches, brackets over the words, Space pins, question mark "
        "helps."
    ),
    "table": "Table: all words",
    "own": LABELS["minmax"],
    "pieces": "pieces of words",
    "whole_words": "every word of this text is one piece",
    "pinned_words": "pinned words",
    "no_pins": "no pinned words: click one to keep its map here",
    "idle": "Move over a word to see where it is, over a patch to see which words go with it.",
    "scored": "“{word}” {value:number}",
    "status": "row {row}, column {column}{pinned}: {own}; highest {best}",
    "at_patch": "{word}: {value:number} at row {row}, column {column}{pieces}",
}
MATRIX = {
    "title": "The text's own attention",
    "label": "text attention, causal matrix",
    "layer": "layer",
    "legend": (
        "Row: a token that reads; column: the token it reads from; mean of all heads. A row adds "
        "up to 1. Dark violet 0, yellow 1; colours follow the square root, so that small weights "
        "are seen. What comes after a token is hidden from it: the text tower is causal."
    ),
    "reads": "layer {layer}: “{from}” reads {weight:number} from “{to}”",
    "hidden": "“{from}” cannot see “{to}”, which comes after it",
}


def summary(words: WordMaps) -> str:
    """What the figure shows, in one line."""
    return f"Which word of {one_line(words.scores.text)!r} goes with which patch"


def words_of(words: WordMaps) -> dict[str, str]:
    """The words of the page; of a trace of several texts also which one it shows."""
    one = one_of_several(words.scores, "token_scores")
    return {**WORDS, "idle": " ".join(filter(None, (WORDS["idle"], one)))}


def path_name(path: str) -> str:
    """A path as its reader chooses it."""
    return PATHS.get(path, path)


def said_of(path: str) -> dict[str, str]:
    """What a word's number is called on a path."""
    return LEFT if path == LEFT_OUT else TOKEN


def unit_of(words: WordMaps, path: str) -> str:
    """What a score of a path is."""
    if path == LEFT_OUT:
        return fill(ADDED, method=words.scores.left_out_by)
    return UNITS.get(path, f"score ({path})")


def colours(words: WordMaps, path: str, units: Sequence[Unit], *, own: bool = False) -> str:
    """What the colours of `units` on a `path` mean, on one scale or each on its `own`."""
    scaling = "minmax" if own else "shared"
    return caption([unit_of(words, path)] * len(units), scaling, words.scales(path, units, own=own))


def notes(words: WordMaps, path: str) -> list[str]:
    """What a reader of the maps of a path has to know."""
    repeated = any(unit.label != unit.name for unit in words.units)
    merged = path != LEFT_OUT and len(words.units) < len(words.pieces)
    return [
        *what_if(words.scores.picture.provenance),
        *([LEAVING, DROPS] if path == LEFT_OUT else [CAUSAL, BARS]),
        *([MERGED] if merged else []),
        *([PLACES] if repeated else []),
    ]


ADDS = "“{word}” adds most to the cosine of image and text: {value}{next}."
NEXT = "; then “{word}”, {value}"
NONE_ADDS = "No word adds to the cosine of image and text; “{word}” takes least away: {value}."
PEAK = "Of all words, “{word}” has the highest patch, in row {row}, column {column}: {value}."


def story(words: WordMaps, path: str) -> str:
    """Which word adds most, or, of tokens by themselves, has the highest patch; [start] and [end]
    are no words. Empty where nothing is a word, or no number is known.
    """
    starts = {start for _, start, _ in words.scores.words}
    places = [n for n, unit in enumerate(words.units) if unit.start in starts]
    maps, whole = (finite(f(path, words.units)) for f in (words.maps, words.whole))
    peaks = np.nan_to_num(maps, nan=-np.inf).max(1)
    order = np.nan_to_num(whole if path == LEFT_OUT else peaks, nan=-np.inf)
    first, *others = sorted(places, key=lambda n: -order[n]) or [0]
    if not places or not np.isfinite(order[first]):
        return ""
    told = {"word": words.units[first].label, "value": number(float(order[first]))}
    if path != LEFT_OUT:
        width = words.scores.picture.grid.width
        row, column = divmod(int(np.nan_to_num(maps[first], nan=-np.inf).argmax()), width)
        return fill(PEAK, row=str(row), column=str(column), **told)
    if order[first] <= 0:
        return fill(NONE_ADDS, **told)
    if not others or order[others[0]] <= 0:
        return fill(ADDS, next="", **told)
    second = {"word": words.units[others[0]].label, "value": number(float(order[others[0]]))}
    return fill(ADDS, next=fill(NEXT, **second), **told)


def map_subtitle(path: str, whole: float, pieces: int) -> str:
    """The line below a word: its number with the whole image, and of how many pieces it is."""
    number_said = fill(said_of(path)["whole"], whole=whole)
    return number_said + (fill(PIECES, pieces=pieces) if pieces > 1 else "")


def mean_of(unit: Unit, tokens: Sequence[str]) -> str:
    """What a word is the mean of, as the end of a line; nothing for one piece."""
    spelled = unit.spelled(tokens)
    return f", mean of the pieces {spelled}" if spelled else ""


def table(words: WordMaps, path: str, units: Sequence[Unit]) -> Table:
    """All of `units` on a `path`, by falling score with the whole image."""
    whole, maps = words.whole(path, units), finite(words.maps(path, units))
    width, rows = words.scores.picture.grid.width, []
    for n in np.argsort(-np.nan_to_num(finite(whole), nan=-np.inf), kind="stable"):
        best = int(np.nan_to_num(maps[n], nan=-np.inf).argmax())
        numbers = number(float(whole[n])), number(float(maps[n, best]))
        rows.append([units[n].label, *numbers, str(best // width), str(best % width)])
    column = said_of(path)["column"]
    head = ["word", column, "highest patch", "row", "column"]
    return {"title": f"All words, by “{column}”", "head": head, "rows": rows}
