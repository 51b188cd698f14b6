"""How is a Segment Anything model asked for what a map points at? Points, a box or the map itself
as prompts; of the masks that come back, one is chosen.

Formula    points: the map's hottest cells, and as many of the coldest (`Explanation.points`)
           box: around the plain mask
           mask: the map as logits 20 (h - 0.5) of its height h, 0…1
           agreement a_k: IoU of candidate k with the plain mask; s_k: SAM's own score
           chosen = argmax_k s_k a_k ("both"), s_k ("score") or a_k ("agreement")
Reads      the image, by SAM's own image tower, once for all texts.
Reference  Kirillov et al., arXiv 2304.02643; SAM 2: 2408.00714; text to points: CLIP Surgery,
           2304.05653. Models and processors are transformers'.
Misleads   SAM cuts out whatever thing lies under a point, cleanly, also where the map is wrong.
"""

import inspect
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from typing import Any, Literal, NamedTuple

import cv2
import numpy as np

from ..checks import Share, shown
from .heights import Heights, Points
from .proposal import NO_LABELS, NO_POINTS, Proposal, overlap

Prompts = Literal["points", "box", "points+box", "mask", "all"]
Rank = Literal["both", "score", "agreement"]
LAST = {"input_data_format": "channels_last"}  # it is guessed else, wrongly for 3 rows of pixels
LOGIT, NOTHING = 20.0, -10.0  # of a map's height; of what lies beside the picture
PROCESSORS = {  # model -> its processor, and that of its images
    "SamModel": ("SamProcessor", "SamImageProcessor"),
    "SamHQModel": ("SamHQProcessor", "SamImageProcessor"),
    "Sam2Model": ("Sam2Processor", "Sam2ImageProcessor"),
    "EdgeTamModel": ("Sam2Processor", "Sam2ImageProcessor"),
    "Sam3TrackerModel": ("Sam3TrackerProcessor", "Sam3ImageProcessor"),
}


class Prompt(NamedTuple):
    """What SAM is told of one text; None for what it is not."""

    points: np.ndarray | None  # (n, 2) x and y
    labels: np.ndarray | None  # (n,) 1 or 0
    box: np.ndarray | None  # (4,) left, top, right, bottom
    heights: np.ndarray | None  # (H, W) of the map


Ask = Callable[[Prompt], object]  # masks and scores, or what came instead


def by_sam(
    heights: Heights,
    points: Mapping[str, Points],
    sam: object,
    *,
    prompts: Prompts = "points",
    rank: Rank = "both",
    hot: Share = 0.8,
    processor: object = None,
    revision: str | None = None,
) -> list[Proposal]:
    """A proposal for every text; `points` that are given stand instead of the map's own."""
    ask: Ask | None = None
    proposals = []
    for n, text in enumerate(heights.texts):
        plain = heights.plain(n)
        if not plain.any():
            note = f"{text!r}: its map is nowhere the highest, so there is nothing to ask for"
            nothing = np.zeros((0, *plain.shape), bool)
            proposals.append(Proposal.of(text, plain, nothing, chosen=-1, note=note))
            continue
        # a model is loaded, and reads the picture, when the first text needs it
        # a copy, as an explanation's picture cannot be written into, of which torch warns
        ask = ask or _asker(sam, heights.image.copy(), processor, revision)
        prompt = _prompt(heights, n, prompts, hot, points.get(text))
        candidates, scores = _checked(ask(prompt), plain.shape)
        chosen, note = _choose(text, candidates, scores, plain, rank)
        given = (
            NO_POINTS if prompt.points is None else prompt.points,
            NO_LABELS if prompt.labels is None else prompt.labels,
            prompt.box,
        )
        proposals.append(Proposal.of(text, plain, candidates, scores, chosen, note, given))
    return proposals


def _prompt(heights: Heights, n: int, prompts: str, hot: float, given: Points | None) -> Prompt:
    """What a text's map says, in the words that were asked for."""
    xy = labels = box = None
    if given is not None:
        xy, labels = (np.asarray(one) for one in given)
    elif "points" in prompts or prompts == "all":
        xy, labels = heights.explanation.points(heights.numbers[n], hot)
    if "box" in prompts or prompts == "all":
        rows, columns = (np.flatnonzero(heights.plain(n).any(axis)) for axis in (1, 0))
        box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float32)
    as_mask = np.maximum(heights.full[n], 0) if prompts in ("mask", "all") else None
    if xy is not None and not len(xy):
        xy = labels = None
        if box is None and as_mask is None:  # all points were taken away
            raise ValueError(
                f"no point of {heights.texts[n]!r} to prompt with: give one, or prompts='box'"
            )
    return Prompt(xy, labels, box, as_mask)


def _checked(found: object, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Masks (K, H, W) bool and scores (K,) as they came; NaN for a score that did not."""
    if not isinstance(found, (tuple, list)) or len(found) != 2:
        raise ValueError(f"masks and scores were expected to come back, not {shown(found)}")
    candidates, scores = found
    masks = np.zeros((0, *shape)) if candidates is None else np.asarray(candidates)
    if not masks.size:
        masks = np.zeros((0, *shape))
    if masks.ndim != 3 or masks.shape[1:] != shape:
        raise ValueError(
            f"the masks that came back have shape {masks.shape}, but (K, {shape[0]}, {shape[1]}) "
            "was expected"
        )
    known = np.full(len(masks), np.nan) if scores is None else np.asarray(scores).reshape(-1)
    if len(known) != len(masks):
        raise ValueError(f"{len(masks)} masks came back with {len(known)} scores")
    return np.nan_to_num(masks) > 0, known.astype(np.float32)


def _choose(
    text: str, masks: np.ndarray, scores: np.ndarray, plain: np.ndarray, rank: str
) -> tuple[int, str]:
    """Which candidate, or -1, and why in words."""
    agreement = np.array([overlap(mask, plain) for mask in masks])
    usable = masks.any((1, 2)) if len(masks) else np.zeros(0, bool)
    if not usable.any():
        return -1, f"{text!r}: nothing came back; its plain mask stands"
    by = {"agreement": agreement}
    if not np.isnan(scores[usable]).all():
        by |= {"score": scores, "both": scores * agreement}
    elif rank == "score":
        return -1, f"{text!r}: no score came back to rank by; its plain mask stands"
    order = {
        name: int(np.argmax(np.where(usable & ~np.isnan(values), values, -np.inf)))
        for name, values in by.items()
    }
    best = order.get(rank, order["agreement"])
    others = {
        "score": "SAM's own score",
        "agreement": "agreement with the map",
    }
    told = [words for name, words in others.items() if order.get(name) == best]
    why = f"best by {' and by '.join(told)}" if told else "best by both together"
    return best, f"{text!r}: mask {best + 1} of {len(masks)}, {why}"


def _asker(sam: object, image: np.ndarray, processor: object, revision: str | None) -> Ask:
    """A function that answers prompts about one picture."""
    if isinstance(sam, str):
        sam, processor = _loaded(sam, revision, processor)
    elif revision is not None:
        raise ValueError("revision= belongs to a name on the hub, and this SAM is in memory")
    if kind_of(sam):
        return _by_transformers(sam, processor or _own_processor(sam), image)
    if processor is not None:
        raise ValueError("processor= belongs to a SAM of transformers, not to a callable")

    def ask(prompt: Prompt) -> object:
        if prompt.heights is not None:
            raise ValueError(
                "a function is asked by points and a box: prompts='mask' and 'all' need a SAM of "
                "transformers"
            )
        # copies, which it may write into
        told = (None if one is None else one.copy() for one in prompt[:3])
        return sam(image.copy(), *told)  # type: ignore[operator]  # see `expect_sam`

    return ask


def expect_sam(by: object) -> None:
    """An error unless it may be asked: a name, a folder, a model of transformers, or a function.

    Whether there is a model of that name is seen when it is loaded.
    """
    if isinstance(by, str):
        if "/" not in by and not os.path.isdir(by):
            raise ValueError(
                f"cannot refine by {by!r}: choose 'grabcut' or 'pamr', or a Segment Anything "
                "model, its folder or its name on the hub, such as 'facebook/sam-vit-base'"
            )
        return
    is_function = callable(by) and not isinstance(by, type) and not hasattr(by, "state_dict")
    if not (kind_of(by) or is_function):
        raise TypeError(
            f"cannot refine by a {type(by).__name__}; give 'grabcut', 'pamr', or a SAM: name, "
            "folder, model of transformers, or a function"
        )


def kind_of(sam: object) -> str:
    """Which model of transformers it is, perhaps one derived from it; "" if none."""
    names = (kind.__name__ for kind in type(sam).__mro__)
    return next((name for name in names if name in PROCESSORS), "")


@lru_cache(1)
def _loaded(name: str, revision: str | None, processor: object) -> tuple[Any, Any]:
    """Model and processor, from the hub or a folder; the last stay in memory."""
    transformers = _transformers()
    from huggingface_hub import hf_hub_download, try_to_load_from_cache  # transformers brings it

    one = {"filename": "config.json", "revision": revision}
    try:
        # what was never here is asked for by one small file first: out of reach is told after its
        # retries, where transformers begins anew with several files
        if not os.path.isdir(name) and try_to_load_from_cache(name, **one) is None:
            hf_hub_download(name, **one)
        model = transformers.AutoModelForMaskGeneration.from_pretrained(name, revision=revision)
        kind = type(model).__name__
        if processor is None and kind in PROCESSORS:
            maker = getattr(transformers, PROCESSORS[kind][0])
            processor = maker.from_pretrained(name, revision=revision)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise ValueError(
            f"cannot refine by {name!r}: {first} Without a network, name a folder with the model"
        ) from None
    if kind not in PROCESSORS:
        raise ValueError(f"cannot refine by {name!r}: a {kind} is none of {', '.join(PROCESSORS)}")
    return model.eval(), processor


def _transformers() -> Any:
    if not all(find_spec(name) for name in ("transformers", "torchvision")):
        raise ValueError("a SAM needs transformers and torchvision: pip install 'clipxai[sam]'")
    import transformers  # an extra, and slow to load

    return transformers


def _own_processor(model: Any) -> Any:
    """The processor that a model without one was made for: its size, ImageNet's colours."""
    transformers, side = _transformers(), model.config.prompt_encoder_config.image_size
    of_all, of_images = (getattr(transformers, name) for name in PROCESSORS[kind_of(model)])
    square = {"height": side, "width": side}
    if of_images.__name__ == "SamImageProcessor":
        images = of_images(size={"longest_edge": side}, pad_size=square)
    else:
        images = of_images(size=square)
    return of_all(images)


def _by_transformers(model: Any, processor: Any, image: np.ndarray) -> Ask:
    """Answers by a model of transformers, which reads the picture once."""
    import torch  # only where there is a model

    short, long = sorted(image.shape[:2])
    keeps_ratio = PROCESSORS[kind_of(model)][1] == "SamImageProcessor"
    if keeps_ratio and 2 * short * model.config.prompt_encoder_config.image_size < long:
        return lambda prompt: (None, None)  # nothing is left of it at SAM's size
    read = processor(images=image, return_tensors="pt", **LAST)
    with torch.no_grad():
        found = model.get_image_embeddings(read["pixel_values"].to(model.device, model.dtype))
    known = {"image_embeddings": found}
    if "intermediate_embeddings" in inspect.signature(model.forward).parameters:  # SAM-HQ
        known = {"image_embeddings": found[0], "intermediate_embeddings": found[1]}
    sizes = [read["original_sizes"]]
    if "reshaped_input_sizes" in read:
        sizes.append(read["reshaped_input_sizes"])

    @torch.no_grad()
    def ask(prompt: Prompt) -> tuple[np.ndarray, np.ndarray]:
        told = _told(processor, image, prompt)
        if prompt.heights is not None:
            told["input_masks"] = torch.from_numpy(_logits(model, prompt.heights, sizes[1:]))
        told = {
            name: one.to(model.device, model.dtype if name == "input_masks" else None)
            for name, one in told.items()
        }
        answer = model(**known, **told, multimask_output=True)
        [masks] = processor.post_process_masks(answer.pred_masks.float().cpu(), *sizes)
        return masks[0].numpy(), answer.iou_scores[0, 0].float().cpu().numpy()

    return ask


def _told(processor: Any, image: np.ndarray, prompt: Prompt) -> dict[str, Any]:
    """Points and boxes as a processor makes them for its model: [image, object, …]."""
    given: dict[str, Any] = {}
    if prompt.points is not None and prompt.labels is not None:
        given["input_points"] = [[prompt.points.tolist()]]
        given["input_labels"] = [[prompt.labels.tolist()]]
    if prompt.box is not None:
        given["input_boxes"] = [[prompt.box.tolist()]]
    made = processor(images=image, **given, return_tensors="pt", **LAST)
    return {name: made[name] for name in given}


def _logits(model: Any, heights: np.ndarray, reshaped: list) -> np.ndarray:
    """(1, 1, h, w) float32, a map as SAM takes a mask: where its picture lies in its square."""
    config = model.config.prompt_encoder_config
    side = 4 * config.image_size // config.patch_size
    rows = columns = side
    for sizes in reshaped:  # SAM keeps the ratio, SAM 2 does not
        rows, columns = (round(int(n) * side / config.image_size) for n in sizes[0])
    rows, columns = max(1, rows), max(1, columns)  # of a picture that is a line
    small = cv2.resize(heights, (columns, rows), interpolation=cv2.INTER_AREA)
    logits = np.full((side, side), NOTHING, np.float32)
    logits[:rows, :columns] = LOGIT * (small - 0.5)
    return logits[None, None]
