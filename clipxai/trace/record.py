"""How does a `Trace` come about? One forward pass of image(s) and texts, written down."""

from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor

from ..checks import expect, of_its_kinds
from ..model.clip import CLIP, Texts
from ..model.image import MOST_PATCHES, Mode, Prepared
from .flowing import flowing, is_flowing
from .sides import read, read_nothing, see, see_nothing
from .trace import Trace


@of_its_kinds
def record(
    model: CLIP,
    image: object,
    texts: Texts | None = None,
    *,
    mode: Mode = "squash",
    size: int | tuple[int, int] | None = None,
    templates: str | Iterable[str] | None = None,
    truncate: bool = False,
    normalized: bool | None = None,
    differentiable: bool = False,
) -> Trace:
    """Run image(s) and texts through the model once and keep what happened.

    Parameters
    ----------
    model : any `CLIP` from `clipxai.load`
    image : one image or a list (path, bytes, open file, array, PIL image, tensor), or pixels
        (B, 3, h, w) float as `preprocess` returns them
    texts : one string, several, or token ids (T, S); None for an image alone, of which can be asked
        what reads no text: `attention_maps`, "attention", "rollout", `patch_similarity`
    mode, size : how images become pixels, see `CLIP.preprocess`
    templates : prompts such as "a photo of a {}." to average each text over, e.g.
        `clipxai.IMAGENET_TEMPLATES`
    truncate : cut texts that are too long instead of raising
    normalized : whether floats are pixels as `preprocess` returns them (True) or pictures in 0…1
        (False). None looks at their range; the explanations' notes say where it was taken for that
        of pixels, and where it does not say, it is an error that asks. Every entry of a list is
        looked at by itself, a batch as a whole
    differentiable : keep the graph, so that `clipxai.score_maps` carries gradients to what requires
        them: weights, after `model.requires_grad_(True)`, and an `image` that is normalised pixels

    Returns
    -------
    A `Trace` of B images and T texts, in the model's own precision, also under autocast

    Raises
    ------
    ValueError, TypeError, FileNotFoundError : no `CLIP`, or one without numbers; an unreadable
        image; an over-long text; a size that does not fit the patches; floats of an unclear range;
        `differentiable` where nothing requires gradients

    Examples
    --------
    >>> record(model, "photo.jpg", ["a cat", "a guitar"])
    <Trace of 1 images (14x14 patches) and 2 texts by Emoji World CLIP (embedded)>
    """
    _expect_numbers(model)
    prepared = model.preprocessor(image, mode, size, normalized, MOST_PATCHES)
    if differentiable and isinstance(image, Tensor) and image.requires_grad:
        prepared = _with_graph(prepared, image)
    inferring = torch.is_inference_mode_enabled() and not differentiable
    with torch.inference_mode(inferring), flowing(differentiable):
        seen = see(model, prepared)
        told = {} if texts is None else read(model, texts, templates, truncate)
    trace = Trace(model, **seen, **(told or read_nothing(templates)))
    if differentiable and not is_flowing(trace):
        raise ValueError(
            "differentiable=True, but nothing requires gradients: call model.requires_grad_(True), "
            "or pass normalised pixels that do"
        )
    return trace


def record_texts(
    model: CLIP, texts: Texts, templates: str | Iterable[str] | None = None, truncate: bool = False
) -> Trace:
    """A trace that has seen no image yet, for `Trace.with_images`; arguments as for `record`."""
    _expect_numbers(model)
    with flowing(False):
        return Trace(model, **see_nothing(model), **read(model, texts, templates, truncate))


def _expect_numbers(model: CLIP) -> None:
    expect(CLIP, model, "load")
    if model.device.type == "meta":
        raise ValueError(
            f"{model.name} lies on the meta device, which has shapes and no numbers: load it with "
            "device='cpu' or another"
        )


def _with_graph(prepared: Prepared, pixels: Tensor) -> Prepared:
    """The same pixels (B, 3, h, w) or (3, h, w), with their graph."""
    pixels = pixels if pixels.ndim == 4 else pixels[None]
    seen = pixels.detach().to(prepared.pixels)
    if seen.shape != prepared.pixels.shape or not torch.equal(seen, prepared.pixels):
        raise ValueError(
            "an image that requires gradients has to be what the model reads: normalised pixels "
            "(B, 3, h, w), as `preprocess` returns them, with normalized=True"
        )
    return replace(prepared, pixels=pixels.clone())
