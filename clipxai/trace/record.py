"""How does a `Trace` come about? One forward pass of image(s) and texts, written down."""

from collections.abc import Iterable

from ..checks import expect
from ..model.clip import CLIP, Texts
from ..model.image import Mode
from .sides import prepare, read, see
from .trace import Trace


def record(
    model: CLIP,
    image: object,
    texts: Texts,
    *,
    mode: Mode = "squash",
    size: int | tuple[int, int] | None = None,
    templates: Iterable[str] | None = None,
    truncate: bool = False,
) -> Trace:
    """Run image(s) and texts through the model once and keep what happened.

    Parameters
    ----------
    model : any `CLIP` from `clipxai.load`
    image : one image or a list (path, bytes, array, PIL image, tensor), or pixels (B, 3, h, w)
        float as `preprocess` returns them
    texts : one string, several, or token ids (T, S)
    mode, size : how images become pixels, see `CLIP.preprocess`
    templates : prompts such as "a photo of a {}." to average each text over, e.g.
        `clipxai.IMAGENET_TEMPLATES`
    truncate : cut texts that are too long instead of raising

    Returns
    -------
    A `Trace` of B images and T texts

    Raises
    ------
    ValueError, TypeError, FileNotFoundError : no `CLIP`; an unreadable image; an over-long text; a
        size that does not fit the patches

    Examples
    --------
    >>> record(model, "photo.jpg", ["a cat", "a guitar"])
    <Trace of 1 images (14x14 patches) and 2 texts by Emoji World CLIP (embedded)>
    """
    expect(CLIP, model, "load")
    seen = see(model, prepare(model, image, mode, size))
    return Trace(model, **seen, **read(model, texts, templates, truncate))
