"""What are methods called in a lecture? Code calls them as `clipxai.methods()` lists them."""

import re

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

MOST = 48  # characters of options in a title


def method_name(code: str) -> str:
    """A method for people, with the options it was given; one that has no name here keeps its own.

    >>> method_name("clip_surgery (blocks=3)")
    'CLIP Surgery (blocks=3)'
    """
    name = re.match(r"\w*", code)[0]  # type: ignore[index]  # matches anything
    return NAMES.get(name, name) + code[len(name) :]


def code_of(explanation: Explanation) -> str:
    """A method as code calls it, with the options it was given."""
    options = explanation.provenance.get("options")
    return f"{explanation.method} ({options})" if options else explanation.method


def short_code_of(explanation: Explanation) -> str:
    """The same for a title: options that would fill it are cut, such as a list of labels, and that
    a pass was changed is said.
    """
    options = explanation.provenance.get("options", "")
    if len(options) > MOST:
        options = f"{options[:MOST].rstrip()}…"
    changed = "changed" if explanation.provenance.get("changed") else ""
    told = ", ".join(filter(None, (options, changed)))
    return f"{explanation.method} ({told})" if told else explanation.method
