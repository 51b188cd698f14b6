"""What are methods called in a lecture? Code calls them as `clipxai.methods()` lists them."""

import ast
import re
from collections import Counter
from collections.abc import Sequence

from ..results.explanation import Explanation

NAMES = {
    "clip": "raw CLIP",
    "reversed_clip": "raw CLIP turned over",
    "clip_surgery": "CLIP Surgery",
    "clip_surgery_architecture": "Surgery, architecture",
    "clip_surgery_features": "Surgery, features",
    "clip_surgery_released": "Surgery, as released",
    "maskclip": "MaskCLIP",
    "maskclip_released": "MaskCLIP, as released",
    "gem": "GEM",
    "sclip": "SCLIP",
    "naclip": "NACLIP",
    "clearclip": "ClearCLIP",
    "resclip": "ResCLIP",
    "eclip_pooling": "ECLIP pooling",
    "attention": "raw attention",
    "rollout": "attention rollout",
    "decomposition": "decomposition",
    "grad_cam": "Grad-CAM",
    "bimodal": "bi-modal relevance",
    "legrad": "LeGrad",
    "legrad_released": "LeGrad, as released",
    "grad_eclip": "Grad-ECLIP",
    "gradient_x_input": "gradient × input",
    "integrated_gradients": "integrated gradients",
    "m2ib": "M2IB",
    "gscorecam": "gScoreCAM",
    "occlusion": "occlusion",
    "rise": "RISE",
}

# switches in words; the code, which its reader types, stands where the title is pointed at
SWITCHES = {
    "dual_path=True": "second path",
    "dual_path=False": "single path",
    "ffn=True": "with FFN",
    "ffn=False": "no FFN",
    "residual=True": "with residual stream",
    "residual=False": "no residual stream",
    "redundant=empty": "− empty text",
    "redundant=labels": "− what the texts share",
}
KINDS = {"qk": "q-k", "vv": "v-v", "qq": "q-q", "kk": "k-k"}
OPTION = re.compile(r"(?<=[(\s])(\w+)=('[^']*'|[^,()\s]+)(?=[,)])")

MOST = 48  # characters of options in a title


def method_name(code: str) -> str:
    """A method for people, with the options it was given, switches in words; what has no name here
    keeps its own.

    >>> method_name("clip_surgery (blocks=3, ffn=True)")
    'CLIP Surgery (last 3 layers, with FFN)'
    """
    name = re.match(r"\w*", code)[0]  # type: ignore[index]  # matches anything
    return NAMES.get(name, name) + OPTION.sub(_in_words, code[len(name) :])


def _in_words(found: re.Match[str]) -> str:
    """An option in words, if it has any."""
    option, value = found[1], found[2].strip("'")
    if option == "attention" and value in KINDS:
        return f"{KINDS[value]} attention"
    if option == "layer" and value.isdecimal():
        return f"layer {value}"
    if option == "blocks" and value.isdecimal():
        return (
            "last layer" if value == "1" else f"last {value} layers" if value != "0" else found[0]
        )
    return SWITCHES.get(f"{option}={value}", found[0])


def code_of(explanation: Explanation) -> str:
    """A method as code calls it, with the options it was given."""
    options = explanation.provenance.get("options")
    return f"{explanation.method} ({options})" if options else explanation.method


def short_code_of(explanation: Explanation) -> str:
    """The same for a title: a list of options is counted, what would fill the title is cut, and
    what was changed in the pass is said.
    """
    options = re.sub(r"\[[^\[\]]*\]", _counted, explanation.provenance.get("options", ""))
    changed = explanation.provenance.get("changed", "")
    told = [_cut(part) for part in (options, changed and f"changed: {changed}") if part]
    return f"{explanation.method} ({', '.join(told)})" if told else explanation.method


def told_apart(explanations: Sequence[Explanation], letters: str = "") -> list[str]:
    """Those of several in one figure; where two maps of a text have one title, of which model each
    is, and else which map, by its number or its letter.
    """
    codes = [short_code_of(e) for e in explanations]
    models = [e.provenance.get("model", "a model") for e in explanations]
    numbers = [f"map {n}" for n in letters or range(1, len(codes) + 1)]
    for more in (models, numbers) if len({*models}) > 1 else (numbers,):
        alike = Counter((code, text) for code, e in zip(codes, explanations) for text in {*e.texts})
        codes = [
            f"{code}, {one}" if max(alike[code, text] for text in e.texts) > 1 else code
            for code, e, one in zip(codes, explanations, more)
        ]
    return codes


def _cut(told: str) -> str:
    return told if len(told) <= MOST else f"{told[:MOST].rstrip()}…"


def _counted(found: re.Match[str]) -> str:
    """A list as code has it, or how long it is."""
    try:
        listed = ast.literal_eval(found[0])
    except (SyntaxError, ValueError):
        return found[0]
    return f"{len(listed)} of them" if len(found[0]) > MOST else found[0]
