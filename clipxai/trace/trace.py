"""What happened inside the model? One forward pass, with everything worth looking at kept.

    trace = record(model, "photo.jpg", ["a dog", "a bicycle"])
    trace.attention(layer=-1)          # where every token looked
    trace.image_tokens()               # every patch in the space shared with text

The forward pass that records runs the same operations as one that does not: outputs are equal to
the last bit, and nothing stays behind in the model. Attention matrices are not stored; they follow
from q and k when somebody looks.

Axes: B images, L layers, H heads, N = 1 + P tokens (class token first; SigLIP has none: N = P), D
width, T texts, S text tokens, E joint.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..checks import expect
from ..model.clip import CLIP, Texts, as_list
from ..model.image import Mode
from ..model.towers.block import BlockTape
from ..model.words.tokenizer import WordSpan
from ..results.explanation import Grid

Kind = Literal["qk", "vv", "qq", "kk"]


@dataclass(frozen=True, eq=False)
class Trace:
    """One forward pass, written down.

    Attributes
    ----------
    model : the model it went through (unchanged)
    pixels : (B, 3, h, w) as the model read them
    images, grids : the B original images (H, W, 3) uint8, and where the patches lie on them
    layers : one `BlockTape` per image block (for a ResNet: its attention pool)
    stream : (B, N, D) after the last block (for a ResNet: (B, N, E))
    texts : T strings ("text 0", "text 1", … where token ids were given to a model without
        vocabulary)
    templates : the prompt templates the texts were put into, if any
    token_ids : (T, S), or None with templates
    text_layers : one `BlockTape` per text block; empty with templates
    text_tokens : (T, S, E) every text token in the joint space, not normalised, or None with
        templates
    text_features : (T, E) unit length
    """

    model: CLIP
    pixels: Tensor
    images: list[np.ndarray]
    grids: list[Grid]
    layers: tuple[BlockTape, ...]
    stream: Tensor
    texts: tuple[str, ...]
    templates: tuple[str, ...] | None
    token_ids: Tensor | None
    text_layers: tuple[BlockTape, ...]
    text_tokens: Tensor | None
    text_features: Tensor

    def __repr__(self) -> str:
        grid = "x".join(map(str, self.grid))
        return (
            f"<Trace of {len(self.images)} images ({grid} patches) and {len(self.texts)} texts by "
            f"{self.model.name}>"
        )

    @property
    def grid(self) -> tuple[int, int]:
        """Patches down and across, the same for all images of a batch."""
        return self.grids[0].height, self.grids[0].width

    @cached_property
    @torch.no_grad()
    def _image_tokens(self) -> Tensor:
        # bfloat16 has too few digits to rank patches by
        return self.model.visual.tokens(self.stream).float()

    def image_tokens(self, normalize: bool = True) -> Tensor:
        """(B, 1 + P, E) read out of the last stream, of unit length if `normalize`: the whole image
        first, then every patch.
        """
        return F.normalize(self._image_tokens, dim=-1) if normalize else self._image_tokens

    @property
    def image_features(self) -> Tensor:
        """(B, E) unit length, what `CLIP.encode_image` returns."""
        return F.normalize(self._image_tokens[:, 0], dim=-1)

    def similarity(self) -> Tensor:
        """(B, N, T) cosine, -1…1, of every image token with every text, float32."""
        return cosines(self.image_tokens(), self.text_features)

    @cached_property
    @torch.no_grad()
    def empty_features(self) -> Tensor:
        """(1, E) unit length: the empty text in the texts' templates, what all texts share; a
        ValueError for a SigLIP without tokenizer.
        """
        if self.model.tokenizer is None:
            return self.model.encode_text(self.model.text.empty(self.token_ids))
        return self.model.encode_text([""], templates=self.templates)

    def attention(self, layer: int, kind: Kind = "qk") -> Tensor:
        """(B, H, N, N) attention weights of a `layer` (an IndexError if there is none); rows
        (queries) sum to 1.

        `kind` "qk" is the model's own; "vv", "qq", "kk" compare tokens' values, queries or keys
        with one another; else a ValueError.
        """
        tape = self.layer(layer)
        if kind not in ("qk", "vv", "qq", "kk"):
            raise ValueError(f"unknown kind of attention {kind!r}; choose 'qk', 'vv', 'qq' or 'kk'")
        a, b = (getattr(tape, letter) for letter in kind)
        return (a @ b.transpose(-1, -2) * a.shape[-1] ** -0.5).softmax(-1)

    def layer(self, layer: int) -> BlockTape:
        """What one block did; a negative `layer` counts from the last, one that is not there is an
        IndexError.
        """
        if not -len(self.layers) <= layer < len(self.layers):
            raise IndexError(
                f"layer {layer}, but this model has {len(self.layers)} (0 to "
                f"{len(self.layers) - 1})"
            )
        return self.layers[layer]

    def attention_output(self, layer: int) -> Tensor:
        """(B, N, D) what the attention of a layer added to the stream; a ResNet's is (B, N, E).
        IndexError: no such layer.
        """
        return self.layer(layer).attention

    def ffn_output(self, layer: int) -> Tensor:
        """(B, N, D) what the FFN of a layer added to the stream. IndexError: no such layer;
        ValueError: a ResNet, which has no FFN.
        """
        return self._of_blocks(self.layer(layer).ffn, "FFN")

    def residual(self, layer: int) -> Tensor:
        """(B, N, D) the stream entering a layer; `residual(L)` is that after the last. IndexError:
        no such layer; ValueError: a ResNet.
        """
        return (
            self.stream
            if layer == len(self.layers)
            else self._of_blocks(self.layer(layer).residual, "residual stream")
        )

    def _of_blocks(self, tensor: Tensor | None, what: str) -> Tensor:
        if tensor is None:
            raise ValueError(f"{self.model.name} is a ResNet: its attention pool has no {what}")
        return tensor

    def words(self, text: int) -> list[WordSpan]:
        """A text's words (by its number) and their tokens. IndexError: no such text; ValueError: no
        vocabulary, templates, or a SigLIP.
        """
        if self.model.tokenizer is None or self.templates is not None:
            raise ValueError(
                "words need a model with a vocabulary and texts recorded without templates"
            )
        return self.model.tokenizer.words(self.texts[text], truncate=True)

    def with_texts(
        self, texts: Texts, templates: Iterable[str] | None = None, truncate: bool = False
    ) -> "Trace":
        """The same images with other `texts`, `templates` and `truncate`, errors as in `record`;
        the image tower does not run again.
        """
        return replace(self, **_read_texts(self.model, texts, templates, truncate))


def cosines(image_features: Tensor, text_features: Tensor) -> Tensor:
    """(B, N, E) and (T, E), both of unit length -> (B, N, T) float32, also under autocast: rounded
    scores rank patches at random.
    """
    with torch.autocast(image_features.device.type, enabled=False):
        return image_features.float() @ text_features.float().T


@torch.no_grad()
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
    """Run image(s) and texts through the model once and keep what happened: a `Trace` of (B) images
    and T texts.

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

    Raises
    ------
    ValueError, TypeError, FileNotFoundError : no `CLIP`; an unreadable image; an over-long text; a
        size that does not fit the patches
    """
    expect(CLIP, model, "load")
    if isinstance(image, Tensor) and image.ndim == 4 and image.is_floating_point():
        pixels, images = image.to(model.device), model.preprocessor.restore(image)
        h, w = pixels.shape[-2:]
        grids = [Grid(*model.visual.grid(h, w), (h, w), (0, 0, h, w))] * len(pixels)
    else:
        prepared = model.preprocessor(image, mode=mode, size=size)
        pixels, images, grids = prepared.pixels.to(model.device), prepared.images, prepared.grids
    layers: list[BlockTape] = []
    stream = model.visual(pixels.to(model.dtype), tape=layers)
    return Trace(
        model,
        pixels,
        images,
        grids,
        tuple(layers),
        stream,
        **_read_texts(model, texts, templates, truncate),
    )


@torch.no_grad()
def _read_texts(model: CLIP, texts: Texts, templates: Iterable[str] | None, truncate: bool) -> dict:
    if templates is not None:
        templates = tuple(templates)
        features = model.encode_text(texts, templates=templates, truncate=truncate)
        return dict(
            texts=tuple(as_list(texts)),
            templates=templates,
            token_ids=None,
            text_layers=(),
            text_tokens=None,
            text_features=features,
        )
    ids = model.tokenize(texts, truncate)
    layers: list[BlockTape] = []
    tokens = model.text(ids, tape=layers)
    if isinstance(texts, Tensor):
        names = tuple(
            model.tokenizer.decode(row.tolist()) if model.tokenizer else f"text {n}"
            for n, row in enumerate(ids)
        )
    else:
        names = tuple(as_list(texts))
    ends = model.text.end(ids)
    features = F.normalize(tokens[torch.arange(len(ids), device=ids.device), ends].float(), dim=-1)
    return dict(
        texts=names,
        templates=None,
        token_ids=ids[:, : tokens.shape[1]],
        text_layers=tuple(layers),
        text_tokens=tokens,
        text_features=features,
    )
