"""How does a `Trace` come about? One forward pass of image(s) and texts, written down."""

from collections.abc import Iterable

from ..checks import expect, of_its_kinds
from ..model.clip import CLIP, Texts
from ..model.image import MOST_PATCHES, Mode
from .sides import read, see
from .trace import Trace


@of_its_kinds
def record(
    model: CLIP,
    image: object,
    texts: Texts,
    *,
    mode: Mode = "squash",
    size: int | tuple[int, int] | None = None,
    templates: str | Iterable[str] | None = None,
    truncate: bool = False,
    normalized: bool | None = None,
) -> Trace:
    """Run image(s) and texts through the model once and keep what happened.

    Parameters
    ----------
    model : any `CLIP` from `clipxai.load`
    image : one image or a list (path, bytes, open file, array, PIL image, tensor), or pixels
        (B, 3, h, w) float as `preprocess` returns them
    texts : one string, several, or token ids (T, S)
    mode, size : how images become pixels, see `CLIP.preprocess`
    templates : prompts such as "a photo of a {}." to average each text over, e.g.
        `clipxai.IMAGENET_TEMPLATES`
    truncate : cut texts that are too long instead of raising
    normalized : whether floats are pixels as `preprocess` returns them (True) or pictures in 0…1
        (False). None looks at their range; the explanations' notes say what it was taken for, and
        where the range does not say, it is an error that asks. Every entry of a list is looked at
        by itself, a batch as a whole

    Returns
    -------
    A `Trace` of B images and T texts, in the model's own precision, also under autocast

    Raises
    ------
    ValueError, TypeError, FileNotFoundError : no `CLIP`, or one without numbers; an unreadable
        image; an over-long text; a size that does not fit the patches; floats of an unclear range

    Examples
    --------
    >>> record(model, "photo.jpg", ["a cat", "a guitar"])
    <Trace of 1 images (14x14 patches) and 2 texts by Emoji World CLIP (embedded)>
    """
    expect(CLIP, model, "load")
    if model.device.type == "meta":
        raise ValueError(
            f"{model.name} lies on the meta device, which has shapes and no numbers: load it with "
            "device='cpu' or another"
        )
    seen = see(model, model.preprocessor(image, mode, size, normalized, MOST_PATCHES))
    return Trace(model, **seen, **read(model, texts, templates, truncate))
