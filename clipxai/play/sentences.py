"""What does the playground say? A script only shows it, and fills in what it alone knows."""

from ..explainers.presets import PRESETS
from ..view.method_comparison.sentences import MERITS
from ..view.payload import Header
from ..view.sentences import DOWN, NEAR_ZERO, NEITHER, OUTSIDE, RANKED, UP
from .walks import case

SUMMARY = "What a CLIP sees, live: put things on the stage, type words, and watch the maps"
VERDICTS: list[Header] = [
    case(
        "{text} calls nothing on the stage by its name, and after {way} nothing is left of its "
        "map.",
        "absent and surgeryFlat",
    ),
    case("For {text} nothing is left of the map after {way}.", "surgeryFlat"),
    case("Other things hide the {names}, so there is no verdict.", "hidden"),
    case(
        "For {text} the raw map is upside down: contrast {raw:hundredths} at the {names}. After "
        "{way} it is {surgery:hundredths}.",
        "rawInverted and surgeryRight",
    ),
    case(
        "For {text} both maps point at the {names}: contrast {raw:hundredths} raw, "
        "{surgery:hundredths} after {way}.",
        "rawRight and surgeryRight",
    ),
    case(
        "For {text} the raw map does not tell the {names} from the background: contrast "
        "{raw:hundredths}. After {way} it is {surgery:hundredths}.",
        "rawUnclear and surgeryRight",
    ),
    case(
        "For {text} the map after {way} does not point at the {names}: contrast "
        "{surgery:hundredths}, raw {raw:hundredths}.",
        "surgeryWrong",
    ),
    case(
        "{text} calls nothing on the stage by its name, so there is no verdict; each map has a "
        "highest patch all the same.",
        "absent",
    ),
    case(" "),
]
WORDS = {
    "title": "clipxai playground",
    "summary": SUMMARY,
    "loading": "The model is being unpacked …",
    "failed": "The model stopped: {message}",
    "keys": (
        "On the stage: Enter chooses a thing, arrow keys move it, plus and minus resize it, Delete "
        "removes it. On the maps: arrow keys move over the patches, Space pins"
    ),
    "help": (
        "Drag things on the stage, by their corner to resize them; add others, type any words. The "
        "model runs in this page, and all maps are its own. Keys on the stage: Enter chooses the "
        "next thing, arrows move it, + and − resize it, Delete removes it. On the maps: arrows "
        "move over patches, Space pins one. In the grid of heads: arrows move, s silences. The "
        "address keeps all of it: copy the link, send it, and others see what you see."
    ),
    "help_title": "How to use this page",
    "outside": OUTSIDE,
    "ranked": RANKED,
    "image": "stage",
    "size": "",
    "stage": "stage: Enter chooses a thing, arrows move it, plus and minus resize it",
    "stage_title": "Stage",
    "stage_subtitle": "drag, resize, add",
    "add": "add a thing",
    "add_short": "+ add …",
    "larger": "larger",
    "smaller": "smaller",
    "remove": "remove the chosen thing",
    "background": "background",
    "nothing_selected": "click a thing to choose it",
    "search": "search 110 things",
    "nothing_found": "No such thing in Emoji World.",
    "close": "close",
    "opacity": "opacity",
    "smooth": "smooth",
    "zero": "zero in the middle",
    "zero_help": "colours of the first two maps: red above zero, blue below",
    "raw_title": "Raw map",
    "surgery_title": "After {way}",
    "made_title": "What made the score",
    "made_subtitle": "all heads fetched {sum}",
    "head_title": "Layer {layer}, head {head}",
    "head_subtitle": "fetched {share} of the cosine",
    "silent_subtitle": "is silent",
    "word_title": "The word “{name}”",
    "word_subtitle": "without it the cosine loses {drop}",
    "no_map": "no map",
    "alone": "A single text shares nothing with others, so the empty text was subtracted.",
    "no_variation": "no variation",
    "way_up": UP,
    "upside_down": DOWN,
    "near_chance": NEITHER,
    "near_zero": NEAR_ZERO,
    "texts": "Texts, cosines, ranks",
    "empty_text": "(empty text)",
    "add_text": "+ add a text",
    "choose_text": "show the maps of this text",
    "text_number": "text {n}",
    "remove_text": "remove this text",
    "heads": "What each head fetched from patches",
    "head_row": "head {head}",
    "layer_tick": "layer {layer}",
    "head_cell": "layer {layer}, head {head}: {value:signed} of the cosine, from patches",
    "unknown_cell": "layer {layer}, head {head}: what it fetched is not known",
    "silent_cell": "layer {layer}, head {head}: silent",
    "silence": "silence this head",
    "let_speak": "let it speak",
    "all_heads": "let all heads speak",
    "made_up": (
        "{sum:signed} fetched from patches and {rest:signed} by everything else make the cosine "
        "{cosine:signed}. Choose a head."
    ),
    "silenced": "{count} silent: the cosine was {before:signed} and is {cosine:signed}.",
    "waiting": "Being computed …",
    "things": "If a thing were not there",
    "thing": "thing",
    "without": "truly lost",
    "fetched": "heads fetched",
    "raw_out": "raw map",
    "surgery_out": "surgery",
    "without_help": "what the cosine loses when the thing is taken off the stage and seen again",
    "fetched_help": "shares of the cosine that all heads brought from its patches",
    "out_help": "mean of the map on the thing minus elsewhere, in cosine",
    "no_things": "The stage is empty.",
    "none_matters": "Without any one of them the cosine would not fall.",
    "one_matters": "Without the {name} the cosine loses {loss:signed}.",
    "matters": "What counts most is the {name}: without it the cosine loses {loss:signed}.",
    "raw_map": "Highest in the raw map",
    "surgery_map": "after surgery",
    "made_map": "in what the heads fetched",
    "map_agrees": "{map}: the {name}, right",
    "map_differs": "{map}: the {name}, wrong",
    "words": "Words of the chosen text",
    "words_help": "What the cosine loses without each word. Choose one to see its own map.",
    "word_chip": "without “{name}” the cosine loses {drop:signed}",
    "surgery": "Parts of the surgery",
    "preset": "method",
    "preset:": "your own",
    "attention": "patches attend by",
    "blocks": "last layers",
    "subtract": "subtract",
    "subtract:empty": "the empty text",
    "subtract:labels": "what the texts share",
    "subtract:nothing": "nothing",
    "dual_path": "values of the original stream",
    "dual_path_help": "without it the new path feeds on itself",
    "residual": "keep the stream",
    "residual_help": "without it only the last attention remains",
    "ffn": "FFNs",
    "ffn_help": "run the FFNs on the new path too",
    "neighbourhood": "favour near patches",
    "neighbourhood_help": "NACLIP's bonus, of 5 patches' standard deviation",
    "normalize": "sharp, unit length",
    "normalize_help": "queries and keys of unit length, 8 times sharper",
    "iterations": "refine twice",
    "iterations_help": "GEM refines its tokens by their own attention",
    "class_token": "rewritten class token",
    "class_token_help": "the rewritten class token weighs the texts",
    "reset": "CLIP Surgery as it was",
    "step": "{title} Step {step} of {of}",
    "back": "back",
    "next": "next",
    "leave": "leave the walk",
    "small_print": (
        "This is the embedded Emoji World CLIP, a small model for teaching and testing, not one "
        "for photographs; it was trained on scenes of one to three things.\n"
        "Raw map: cosine of every patch with the text. After surgery: the same on the rewritten "
        "path, less what is subtracted. Both from their lowest patch (dark violet) to their "
        "highest (yellow), each by itself, unless zero is in the middle. What made the score: "
        "shares of the cosine, red above zero, blue below. " + f"Contrast: {MERITS['contrast']}."
    ),
}
ATTENTIONS = {
    "vv": "their values (v-v)",
    "qq": "their queries (q-q)",
    "kk": "their keys (k-k)",
    "qq+kk": "both (q-q + k-k)",
    "gem": "GEM's mean of three",
    "identity": "themselves only",
    "qk": "as in the model (q-k)",
}


WAYS = {
    "own": "your own surgery",
    "clip": "no surgery",
    "clip_surgery": "CLIP Surgery",
    "maskclip": "MaskCLIP",
    "maskclip_released": "MaskCLIP as released",
    "gem": "GEM",
    "sclip": "SCLIP",
    "naclip": "NACLIP",
    "clearclip": "ClearCLIP",
}


def page_words() -> dict[str, str]:
    """All words of the page, by the names that its scripts know."""
    attentions = {f"{WORDS['attention']}:{name}": said for name, said in ATTENTIONS.items()}
    methods = {f"{WORDS['preset']}:{name}": name for name in PRESETS}
    ways = {f"way:{name}": said for name, said in WAYS.items()}
    return {**WORDS, **attentions, **methods, **ways}
