"""What does the model as one picture say?"""

import numpy as np

from ...results.findings import Overview, Reading
from ...results.findings.overview import PAD
from ...results.what_if import what_if
from ..number import fill
from ..sentences import CONTRAST, of_total, way_up
from ..texts import listed, title_of
from .content import agreement, contrasts, place_of, story

MOST_NAMED = 3  # texts in a summary
LONGEST = 30  # letters of a text in the story
LITTLE = 0.2  # of the cosine; a part that adds less is no story by itself
OPPOSITE = -0.5  # rank correlation of two maps of which one is the other turned over
ADDS = "Layer {layer}'s {part} adds most to “{text}”: {share:signed}{of}"
HEAD = "; head {head} alone {head_share:signed}, most of all from {place}."
SPREAD = (
    "No single part makes “{text}” (cosine {cosine:two_digits}): the largest, layer {layer}'s "
    "{part}, adds {share:signed}."
)
NOTHING = "No layer adds to “{text}”: its cosine with the whole image is {cosine:two_digits}."
WHOLE = "The whole image and “{text}” have a cosine of {cosine:two_digits}."
STREAM = " Of {stations} stations on the way it is highest {where}."
HIGHEST = ("before the first layer", "after layer {layer}")
TURNED = " CLIP Surgery turns the map over (rank correlation {agreement:two_digits})."
REDRAWN = " CLIP Surgery redraws the map (rank correlation {agreement:two_digits})."
ONE_WAY = " The map {raw}."
BOTH_WAYS = " The raw map {raw}, CLIP Surgery's {surgery}."
WAY, ALL_ZERO = "is {way}", "is near zero all over"
OUTLINED = "Outlined: what the text names. Which way up a map is: {how}."
PADS = "{count} pad{s}"
PADDED = (
    "Pads fill a text up to the length that its tower was trained with; those side by side are "
    "shown as one token, with all that they get."
)
PLACE, CLASS, REGISTER = "row {row}, column {column}", "[class] itself", "[class] or a register"
PARTS = {"attention": "attention", "ffn": "FFN"}
BARS = (
    "A layer is a block of two boxes: attention (A), then FFN (F). Bars: what each added to the "
    "cosine of what is followed with the text, red above zero, blue below, all on one scale. They "
    "hold the final norm fixed: what was added, not what would happen without the block."
)
NO_BARS = "Layers have no bars: no class token gathers the image layer by layer."
MAPS = (
    "Small maps: cosine of every patch with the text if the network stopped there, each from its "
    "lowest patch (dark violet) to its highest (yellow), so colours do not compare across maps."
)
RAIL = (
    "Second rail: CLIP Surgery beside the last {layers}. With all its switches off it is the "
    "model's own path."
)
KEPT = "Of every row of attention the largest weights are kept; all others are drawn as their mean."
SOME = "It has {few} of {count} texts: ModelOverview(…, text=…) shows another."
MEAN_ROWS = "Patches have the mean over heads; single heads answer for [class] only."
SURGERY = {
    "attention": "v-v attention",
    "dual_path": "reads the original",
    "ffn": "no FFN",
    "minus": "− empty text",
}
SURGERY_TITLES = {
    "attention": "tokens attend by the similarity of their values, not of queries and keys",
    "dual_path": "values come from the original stream, not from the second one",
    "ffn": "the second rail skips the FFNs",
    "minus": "what even the empty text lights up is taken off the last map",
}
OPTIONS = {"attention": 'attention="qk"', "dual_path": "dual_path=False", "ffn": "ffn=True"}
WORDS = {
    "help": (
        "Point at a patch to follow it through the model, click to keep it, Esc follows the whole "
        "image again. A box opens below when it is clicked. Keys: Tab reaches the boxes, arrows "
        "move from box to box and Enter opens one; on the picture arrows move by one patch and "
        "Space keeps it; [ and ] go one layer back and on, { and } one head, ? shows this line."
    ),
    "keys": (
        "Arrow keys move over patches, brackets over layers, Space pins; boxes are buttons that "
        "arrows reach from each other."
    ),
    "boxes": "the model, box by box",
    "rail": "CLIP Surgery, the second rail",
    "patches": "patches",
    "blocks": "layers {first}–{last}",
    "block": "layer {layer}",
    "pool": "attention pool",
    "hosted": "runs as it is",
    "cosine": "cosine",
    "cosine_of_patch": "patch cosine",
    "words": "words",
    "text_blocks": "text layers",
    "vv": "v-v",
    "qk": "q-k",
    "with_ffn": " + F",
    "text_tower": "text tower",
    "attention_word": "attention",
    "stream_word": "the stream",
    "rail_word": "the second rail",
    "raw": "raw map",
    "surgery": "surgery",
    "surgery_name": "CLIP Surgery",
    "heads": "heads",
    "short_place": "{row}, {column}",
    "share_of": "{weight:percent}",
    "cosine_now": "{value:two_digits}",
    "show": "show me",
    "copy": "copy",
    "copied": "copied",
    "whole": "the whole image",
    "patch": "row {row}, column {column}",
    "following": "following {what}",
    "head": "head {head}",
    "mean_head": "mean of heads",
    "even": "{times:tenth} × even",
    "rest": "the other {count} tokens: {share:percent}",
    "class": "[class]",
    "register": "a register",
    "looked": "looks at",
    "score": "q·k / √d",
    "weight": "softmax",
    "worth": "adds",
    "value": "|value|",
    "attention_title": "Layer {layer}, attention",
    "pool_title": "Attention pool",
    "ffn_title": "Layer {layer}, FFN",
    "stream_title": "The stream after layer {layer}",
    "first_title": "The stream before the first layer",
    "end_title": "The stream at its end",
    "rail_title": "The second rail at layer {layer}",
    "rail_pool_title": "The pool, asked another way",
    "image_title": "From pixels to patches",
    "joint_title": "The joint space",
    "text_title": "How “{text}” is read",
    "adds_share": "adds {share:signed} to the cosine of {what}",
    "gaze": "head {head} looks at about {spread:tenth} of {count} tokens",
    "mean_gaze": "its heads look at about {spread:tenth} of {count} tokens",
    "alone": "Every patch by itself: nothing is read from elsewhere",
    "before": "before: {value:two_digits}",
    "attention_map": "+ attention {value:signed}",
    "ffn_map": "+ FFN {value:signed}",
    "after": "after: {value:two_digits}",
    "cosine_of": "cosine of {what}: {value:two_digits}",
    "chart": "cosine along the way",
    "chart_raw": "model",
    "chart_rail": "second rail",
    "qk_row": "q-k: where it looks",
    "vv_row": "v-v: who holds alike",
    "rail_map": "second rail, here",
    "rail_end": "second rail, at its end",
    "pixels": "{height} × {width} pixels become {width_d} numbers",
    "joint_says": "the angle between image and text is {angle:number}°",
    "text_vector": "text",
    "image_vector": "image",
    "reads": "what the token that is read gives to each word, layer by layer",
    "read_at": "stops here: {value:two_digits}",
    "asked": "asked: {what}; the marked kind of attention is the one in use",
    "status": "{title}. Following {what}, text “{text}”.",
}


def summary(found: Overview) -> str:
    """What the figure shows, in one line."""
    return f"The model as one picture: a {found.tower}, {listed(found.texts, MOST_NAMED)}"


def opening(
    found: Overview, text: int, truth: np.ndarray | None = None, *, maps: bool = True
) -> str:
    """The story of a text, made from its numbers, and from its true mask (H, W) where known;
    without `maps` what holds whichever switches of the second rail are on.
    """
    changed = what_if(found.picture.provenance)
    of_maps = _of_maps(found, text, truth) if maps else ""
    return " ".join([*changed, _of_parts(found, text) + of_maps])


def _of_parts(found: Overview, text: int) -> str:
    told, named = story(found, text), _short(title_of(found.texts[text]))
    if told is None:
        return _of_stream(found, text, named)
    values = {"text": named, "part": PARTS[told.part], "layer": told.layer}
    values |= {"share": told.share, "cosine": told.cosine, "of": of_total(told.share, told.cosine)}
    if told.share <= 0:
        return fill(NOTHING, **values)
    if told.share < LITTLE * abs(told.cosine):
        return fill(SPREAD, **values)
    if told.head is None or told.head_share <= 0:
        return fill(ADDS, **values) + "."
    place = fill(PLACE, row=told.place[0], column=told.place[1]) if told.place else no_patch(found)
    head = fill(HEAD, head=told.head, head_share=told.head_share, place=place)
    return fill(ADDS, **values) + head


def _short(text: str) -> str:
    """A text that leaves room for what is said of it."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1].rstrip()}…"


def _of_stream(found: Overview, text: int, named: str) -> str:
    cosines = found.lens[:, text, 0]
    said = fill(WHOLE, text=named, cosine=float(cosines[-1]))
    if len(cosines) == 1:
        return said
    highest = int(cosines.argmax())
    where = fill(HIGHEST[highest > 0], layer=highest - 1)
    return said + fill(STREAM, stations=len(cosines), where=where)


def _of_maps(found: Overview, text: int, truth: np.ndarray | None) -> str:
    ways = list(map(_way, contrasts(found, text, truth))) if truth is not None else []
    if ways:
        return fill(BOTH_WAYS if len(ways) > 1 else ONE_WAY, raw=ways[0], surgery=ways[-1])
    alike = agreement(found, text)
    if alike is None or alike != alike:
        return ""
    return fill(TURNED if alike <= OPPOSITE else REDRAWN, agreement=alike)


def _way(contrast: float | None) -> str:
    if contrast is None:
        return ALL_ZERO
    return fill(WAY, way=way_up(contrast))


def captions(found: Overview, *, known: bool = False) -> list[str]:
    """What colours and numbers mean, and outlines if something true is `known`."""
    lines = [*what_if(found.picture.provenance), BARS if found.shares else NO_BARS, MAPS]
    if known:
        lines.append(fill(OUTLINED, how=CONTRAST))
    if found.rail:
        R = len(found.rail.maps[0]) - 1
        last = f"{R} layers" if R > 1 else "layer" if found.has_stream else "attention"
        lines.append(fill(RAIL, layers=last))
    if found.patch_rows is not None:
        mean = found.patch_rows.tokens.shape[1] < _heads(found) and found.class_rows is not None
        lines.append(KEPT + (f" {MEAN_ROWS}" if mean else ""))
    if any(PAD in reading.tokens for reading in found.readings):
        lines.append(PADDED)
    return lines


def some_of(whole: Overview, shown: Overview) -> list[str]:
    """What is said where not all texts are shown."""
    few, all_of_them = len(shown.texts), len(whole.texts)
    return [fill(SOME, few=str(few), count=str(all_of_them))] if few < all_of_them else []


def _heads(found: Overview) -> int:
    rows = found.class_rows if found.class_rows is not None else found.patch_rows
    return rows.tokens.shape[1]


def folded(reading: Reading) -> tuple[list[str], np.ndarray]:
    """Tokens of a text as they are shown, and where it looks, (layers, S): pads that stand side by
    side are one token, with the sum of their weights.
    """
    pads = [token == PAD for token in reading.tokens]
    starts = [n for n, pad in enumerate(pads) if not (pad and n and pads[n - 1])]
    ends = [*starts[1:], len(pads)]
    names = [
        fill(PADS, count=str(end - start), s="s" * (end - start > 1))
        if pads[start]
        else reading.tokens[start]
        for start, end in zip(starts, ends)
    ]
    return names, np.add.reduceat(reading.rows, starts, axis=1)


def codes(found: Overview) -> dict[str, str]:
    """The line of code that opens the full viewer of a box, with places for what was chosen; none
    where there is no such viewer.
    """
    image = f", image={found.picture.number}" if found.picture.number else ""
    modules = f"cx.contributions(trace{image})"
    told = {
        "image": f"cx.show(cx.patch_similarity(trace, ({{row}}, {{column}}){image}))",
        "joint": f"cx.show(cx.explain(trace{image}))",
        "stream": f'cx.show(cx.explain(trace, "clip"{image}))',
    }
    if found.patch_rows is not None:
        told["attention"] = (
            f"cx.show(cx.view.LayerAttentionViewer(cx.attention_maps(trace{image})"
            ".with_heads(trace, {layer}), layer={layer}{query}))"
        )
    if found.shares:
        module = f"cx.show(cx.view.ModuleComparison({modules}, texts={{text}}, layer={{layer}}))"
        told |= {"ffn": module, "stream": module}
        if found.shares.heads is not None:
            told["heads"] = (
                f"cx.show(cx.view.HeadGrid(cx.head_contributions(trace{image}), texts={{text}}, "
                "head=({layer}, {head})))"
            )
    if found.readings and found.readings[0].tokens[0] == "[start]":
        told["text"] = f"cx.show(cx.token_scores(trace, {{text}}{image}))"
    return told


def rail_codes(found: Overview) -> list[list[str]]:
    """The same for every setting of the second rail's switches, without and with the empty text
    taken off.
    """
    if found.rail is None:
        return []
    image = f", image={found.picture.number}" if found.picture.number else ""
    lines = []
    for setting in range(len(found.rail.maps)):
        off = [OPTIONS[name] for n, name in enumerate(found.rail.switches) if not setting >> n & 1]
        if found.has_stream:
            off += [f"blocks={found.rail.maps.shape[1] - 1}"]
        elif off:
            off = ["blocks=0"]
        both = ("clip_surgery_architecture", "clip_surgery")
        told = "".join(f", {option}" for option in off)
        lines.append([f'cx.show(cx.explain(trace, "{name}"{image}{told}))' for name in both])
    return lines


def place_name(found: Overview, token: int) -> str:
    """A token of the stream, for people."""
    place = place_of(found, token)
    return fill(PLACE, row=place[0], column=place[1]) if place else no_patch(found)


def no_patch(found: Overview) -> str:
    """What a token is that is no patch."""
    return CLASS if found.leading == 1 else REGISTER
