"""How do results read? Which columns a table has, for the terminal and in Markdown.

Only what was measured appears, and every IoU says where the map was cut. Numbers of other people
never stand here: their protocols differ.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..explainers.table import METHODS

COLUMNS = {  # heading -> where it stands in the scores of a method
    "mIoU at 0.5": ("localisation", "mIoU at 0.5"),
    "at mean": ("localisation", "mIoU at mean"),
    "at Otsu": ("localisation", "mIoU at otsu"),
    "at best of other half": ("localisation", "mIoU at best of other half"),
    "(at oracle)": ("localisation", "mIoU at oracle"),
    "mSC": ("localisation", "mSC"),
    "upside down %": ("localisation", "upside down"),
    "object contrast": ("localisation", "object contrast"),
    "pointing %": ("localisation", "pointing"),
    "energy %": ("localisation", "energy"),
    "AP": ("localisation", "AP"),
    "pixel acc. at 0.5": ("localisation", "pixel accuracy at 0.5"),
    "presence AUROC": ("presence", "AUROC"),
    "segmentation mIoU": ("segmentation", "mIoU"),
    "with background, at best of other half": (
        "segmentation",
        "with background at best of other half",
    ),
    "given labels, at 0.5": ("given-labels", "with background at 0.5"),
    "given labels, at best of other half": (
        "given-labels",
        "with background at best of other half",
    ),
    "recognition mAP": ("recognition", "mAP"),
    "IN-Seg pixel acc.": ("imagenet-segmentation", "pixel accuracy"),
    "IN-Seg mIoU": ("imagenet-segmentation", "mIoU"),
    "IN-Seg mAP": ("imagenet-segmentation", "mAP"),
    **{
        f"{what}, {fill}": ("faithfulness", f"{what}, {fill}")
        for what in ("deletion", "insertion")
        for fill in ("mean", "blur", "black")
    },
    "drop": ("faithfulness", "drop"),
    "increase %": ("faithfulness", "increase"),
    "rank corr. with shuffled weights": ("randomisation", "rank correlation with shuffled weights"),
    "sensitivity": ("sensitivity", "largest change"),
}
# the first of these that was measured orders the methods
LEADING = (
    "IN-Seg mIoU",
    "at best of other half",
    "segmentation mIoU",
    "given labels, at 0.5",
    "recognition mAP",
    "presence AUROC",
)
FINE = {"rank corr. with shuffled weights", "sensitivity"}  # numbers about 0…1
# what a test measures again on the first images
REMEASURED = ("mIoU at 0.5", "mSC", "pointing %", "AP")
COST = "cost in forwards"
LESS_IS_BETTER = {
    "upside down %",
    "drop",
    "rank corr. with shuffled weights",
    "sensitivity",
    COST,
    *(name for name in COLUMNS if name.startswith("deletion")),
}
ABOUT = (  # metrics -> what their columns mean; no metrics: always said
    (
        {"localisation"},
        "Per cent, over (picture, label) pairs. mSC: mean of the min-max map inside the mask minus "
        "outside; upside down: share of maps where "
        "that is negative; object contrast: inside the named object minus inside the others. The "
        "threshold of 'best of other half' is one for "
        "all, chosen on pictures that it does not score; 'oracle' is chosen on the very pictures, "
        "an upper bound and no result.",
    ),
    (
        {"presence"},
        "Presence: does a map's highest score rank present labels above absent ones; 50 is chance.",
    ),
    (
        {"segmentation"},
        "Segmentation, per cent: every pixel to the highest of all classes' raw scores; pixels are "
        "summed over the data set, then divided, "
        "then averaged over the classes that occur. Without background only pixels of some class "
        "count; with it, background is where the "
        "softmax probability of the best class (scale 40) stays below one threshold, chosen on the "
        "other half of the images.",
    ),
    (
        {"given-labels"},
        "Of given labels, per cent: the same, but only the classes that are in the picture "
        "compete, each map on its own scale of 0…1, and "
        "background is where no map reaches the threshold (0.5, or chosen on the other half).",
    ),
    (
        {"recognition"},
        "Recognition, per cent: mean over classes of the average precision of ranking images, a "
        "map by its highest patch; the class token by "
        "its probability among all classes, by its cosine, and by its cosine after feature surgery "
        "with the list of all classes.",
    ),
    (set(), "Cost: time on top of the recorded forward pass, in such passes."),
)


@dataclass(frozen=True)
class Board:
    """A table of methods.

    Attributes
    ----------
    headings : what was measured
    rows : method -> a number for every heading, the best method first; None or NaN where something
        was not measured or is not defined
    leading : the heading that orders the methods
    """

    headings: tuple[str, ...]
    rows: dict[str, list[float | None]]
    leading: str

    def column(self, heading: str) -> dict[str, float]:
        """Method -> number, where there is one."""
        at = self.headings.index(heading)
        return {method: row[at] for method, row in self.rows.items() if is_number(row[at])}


def board(results: Mapping) -> Board:
    """The leaderboard of results from `summary.summary`."""
    scores, milliseconds = results["scores"], results["milliseconds"]
    found = {
        method: {heading: number_at(of, heading) for heading in COLUMNS}
        for method, of in scores.items()
    }
    for method, numbers in found.items():
        numbers[COST] = (
            milliseconds[method] / milliseconds["forward"] if method in milliseconds else None
        )
    headings = tuple(
        name
        for name in (*COLUMNS, COST)
        if any(numbers[name] is not None for numbers in found.values())
    )
    leading = next(
        (
            name
            for name in (*LEADING, *headings)
            if any(is_number(numbers[name]) for numbers in found.values())
        ),
        COST,
    )
    known = {
        method: numbers[leading] for method, numbers in found.items() if is_number(numbers[leading])
    }
    ranked = sorted(known, key=known.get, reverse=leading not in LESS_IS_BETTER) + [
        method for method in found if method not in known
    ]
    return Board(
        headings, {method: [found[method][name] for name in headings] for method in ranked}, leading
    )


def about(results: Mapping) -> str:
    """What the columns mean."""
    return " ".join(
        words for metrics, words in ABOUT if not metrics or metrics.intersection(results["metrics"])
    )


def is_number(value: float | None) -> bool:
    """Whether there is a number to show: not None, not NaN."""
    return value is not None and not math.isnan(value)


def cell(heading: str, value: float | None) -> str:
    """A number as the tables write it."""
    if not is_number(value):
        return "–"
    return f"{value:.2f}" if heading in FINE or heading == COST else f"{value:.1f}"


def text(results: Mapping) -> str:
    """A table for the terminal."""
    table = board(results)
    lines = [["method", *table.headings]]
    lines += [
        [method, *map(cell, table.headings, numbers)] for method, numbers in table.rows.items()
    ]
    widths = [
        max(*map(len, lines[0][n].split(" ")), *(len(line[n]) for line in lines[1:]))
        for n in range(len(lines[0]))
    ]
    head = [_wrapped(heading, width) for heading, width in zip(lines[0], widths)]
    tall = max(map(len, head))
    head = [[""] * (tall - len(words)) + words for words in head]
    stacked = (
        [[words[n] for words in head] for n in range(tall)]
        + [["-" * width for width in widths]]
        + lines[1:]
    )
    aligned = (
        [
            line[0].ljust(widths[0]),
            *(word.rjust(width) for word, width in zip(line[1:], widths[1:])),
        ]
        for line in stacked
    )
    found = ["  ".join(words).rstrip() for words in aligned]
    for caption, rows in inside_tables(results):
        found += [
            "",
            caption,
            *(
                "  ".join([name.ljust(26), *(word.rjust(5) for word in words)])
                for name, *words in rows
            ),
        ]
    return "\n".join(found)


def _wrapped(heading: str, width: int) -> list[str]:
    lines = [""]
    for word in heading.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if len(longer) <= width else [*lines, word]
    return lines


def inside_tables(results: Mapping) -> list[tuple[str, list[list[str]]]]:
    """What was measured of the model's layers, as (caption, rows of words); none if nothing was."""
    found = results.get("inside", {"objects": 0})
    if not found["objects"]:
        return []
    by_layer = {
        "mFSR": found["mFSR by layer"],
        "attention that stays": found["attention that stays by layer"],
    }
    layers = [["block", *(str(n + 1) for n in range(len(found["mFSR by layer"]["qk"])))]]
    for name, kinds in by_layer.items():
        layers += [
            [f"{name}, {kind}", *(f"{value:.2f}" for value in values)]
            for kind, values in kinds.items()
        ]
    pairs = [[pair, f"{value:.2f}"] for pair, value in found["L1 redundancy"].items()]
    return [
        (
            f"Attention on {found['objects']} objects: share of what is attended to that is the "
            "object's; mFSR by chance "
            f"{found['mFSR by chance']:.2f}",
            layers,
        ),
        (
            "L1 distance of what two texts light up, relative to the first; small is redundant",
            pairs,
        ),
    ]


def markdown(results: Mapping, command: str) -> str:
    """`leaderboard.md`: what was run, the table, and the first images alone, which a test can
    measure again.
    """
    table, model = board(results), results["model"]
    inside = [
        line
        for caption, rows in inside_tables(results)
        for line in ("", caption, "", *_table(tuple(rows[0]), rows[1:]))
    ]
    first = {
        method: [
            number_at(results["scores of the first images"][method], name) for name in REMEASURED
        ]
        for method in results["methods"]
    }
    lines = [
        f"# {model['name']} on {results['data']}",
        "",
        f"Made by `{command}`",
        f"(clipxai {results['clipxai']}, seed {results['seed']}, {results['images']} images, "
        "weights "
        f"sha256 {model['weights sha256']}…, torch {results['versions']['torch']}).",
        "",
        *(f"- {name}: {words}" for name, words in results["protocol"].items()),
        "",
        about(results),
        "",
        *_table(
            ("method", *table.headings, "reference"),
            [
                (
                    f"`{name}`",
                    *map(cell, table.headings, numbers),
                    METHODS[name].reference if name in METHODS else "",
                )
                for name, numbers in table.rows.items()
            ],
        ),
    ]
    if all(value is not None for numbers in first.values() for value in numbers):
        lines += [
            "",
            f"The first {min(results['images'], results['first'])} images alone, for a test that "
            "measures them again:",
            "",
            *_table(
                ("method", *REMEASURED),
                [
                    (f"`{name}`", *(f"{value:.2f}" for value in numbers))
                    for name, numbers in first.items()
                ],
            ),
        ]
    return "\n".join([*lines, *inside]) + "\n"


def number_at(scores: Mapping, heading: str) -> float | None:
    """What stands under a heading in the scores of a method; None if it was not measured."""
    metric, name = COLUMNS[heading]
    return scores.get(metric, {}).get(name)


def _table(head: tuple, rows: list[tuple]) -> list[str]:
    return ["| " + " | ".join(map(str, row)) + " |" for row in (head, ["---"] * len(head), *rows)]
