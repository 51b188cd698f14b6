"""What happened inside the model? One forward pass, with everything worth looking at kept.

    trace = record(model, "photo.jpg", ["a dog", "a bicycle"])
    trace.attention(layer=-1)          # where every token looked
    trace.image_tokens()               # every patch in the space shared with text

`record` is Trace(model, **see(model, images), **read(model, texts)), the passes of both towers
(`sides`). Recording changes no output, to the last bit, and leaves nothing behind in the model.
Attention matrices are not stored; they follow from q and k when somebody looks.

Axes: B images, L layers, H heads, N tokens of the stream (1 + P, class token first; SigLIP has
none: P), D width, T texts, S text tokens, E joint width. Read out, there are always 1 + P tokens.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from ..checks import layer_of, number_of, of_its_kinds
from ..model.clip import CLIP, Texts, cosines
from ..model.image import Prepared
from ..model.placing import Movable, unusual
from ..model.towers.block import BlockTape, attend
from ..model.words.tokenizer import WordSpan
from ..results.explanation import Grid
from .edits import UNCHANGED, Edits, said
from .flowing import as_recorded, kept
from .sides import expect_texts, read, read_beside, refuse, see

Kind = Literal["qk", "vv", "qq", "kk"]


@of_its_kinds
@dataclass(frozen=True, eq=False)
class Trace(Movable):
    """One forward pass, written down.

    Attributes
    ----------
    model : the model it went through (unchanged)
    pixels : (B, 3, h, w) as the model read them
    images, grids : the B original images (H, W, 3) uint8, and where the patches lie on them
    layers : one `BlockTape` per image block (for a ResNet: its attention pool)
    stream : (B, N, D) after the last block (for a ResNet: (B, N, E))
    texts : T strings ("text 0", … where token ids were given without a vocabulary), or none
    templates : the prompt templates the texts were put into, if any
    token_ids : (T, S), or None with templates, or of `with_encoded_texts`; so are the next two
    text_layers, text_tokens : a `BlockTape` per text block, or none; (T, S, E) joint, unnormalised
    text_features : (T, E) unit length
    cut, notes : texts read in part, and which; what was concluded of each image
    edits, text_edits : what `ablate` and `patch` changed on the way through each tower
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
    cut: dict[str, str]
    notes: list[tuple[str, ...]]
    edits: Edits = UNCHANGED
    text_edits: Edits = UNCHANGED
    _beside: dict[tuple[str, ...], Tensor] = field(default_factory=dict, repr=False)  # once asked

    def __repr__(self) -> str:
        images = f"{len(self.images)} images ({'x'.join(map(str, self.grid))} patches)"
        changed = said(", ", self.edits, self.text_edits)
        return f"<Trace of {images} and {len(self.texts)} texts by {self.model.name}{changed}>"

    @property
    def provenance(self) -> dict[str, str]:
        """That of the model, what was "changed", and `unusual` device and dtype."""
        changed = said("", self.edits, self.text_edits)
        own = {"changed": changed} if changed else {}
        return self.model.provenance | own | unusual(self.stream.device, self.model.dtype)

    @property
    def grid(self) -> tuple[int, int]:
        """Patches down and across, the same for all images of a batch."""
        return self.grids[0].height, self.grids[0].width

    @cached_property
    @kept
    def _image_tokens(self) -> Tensor:
        # bfloat16 has too few digits to rank patches by
        return self.model.visual.tokens(self._of_all(self.stream, "stream")).float()

    def image_tokens(self, normalize: bool = True) -> Tensor:
        """(B, 1 + P, E) the last stream read out: the whole image first, then every patch; of unit
        length if `normalize`. ValueError: of a trace seen with a `path` beside them.
        """
        return F.normalize(self._image_tokens, dim=-1) if normalize else self._image_tokens

    @cached_property
    @kept
    def whole_image(self) -> Tensor:
        """(B, 1, E) the first of `image_tokens`, not normalised; no patch is read for it."""
        if "class_token" not in self.model.visual.has:
            return self._image_tokens[:, :1]
        return self.model.visual.tokens(self.stream[:, :1]).float()

    @property
    def image_features(self) -> Tensor:
        """(B, E) unit length, what `CLIP.encode_image` returns."""
        return F.normalize(self.whole_image[:, 0], dim=-1)

    def similarity(self) -> Tensor:
        """(B, 1 + P, T) cosine, -1…1, of every image token with every text (at least one)."""
        expect_texts(self.model, self.texts, "similarity")
        return cosines(self.image_tokens(), self.text_features)

    @property
    def empty_features(self) -> Tensor:
        """(1, E) unit length: what all texts share. ValueError: a SigLIP without tokenizer."""
        return self.features_beside(("",))

    @kept
    def features_beside(self, texts: Sequence[str]) -> Tensor:
        """(K, E) unit length of other `texts`, in the same templates; kept, not to write to."""
        if (told := tuple(texts)) not in self._beside:
            known = self.templates, self.token_ids, self.text_edits
            self._beside[told] = read_beside(self.model, told, *known)
        return self._beside[told]

    def attention(self, layer: int, kind: Kind = "qk") -> Tensor:
        """(B, H, N, N) attention weights of a `layer`; rows (queries) sum to 1.

        `kind` "qk" is the model's own; "vv", "qq", "kk" compare values, queries or keys with one
        another; else a ValueError. IndexError: no such layer.
        """
        tape = self.layer(layer)
        return tape.weights() if kind == "qk" else attend(*(getattr(tape, one) for one in kind))

    def layer(self, layer: int) -> BlockTape:
        """What one block did; a negative `layer` counts from the last. IndexError: not there."""
        return self.layers[layer_of(len(self.layers), layer)]

    def attention_output(self, layer: int) -> Tensor:
        """(B, N, D) what a layer's attention added to the stream; a ResNet's is (B, N, E)."""
        return self._of_all(self.layer(layer).attention, "attention")

    def ffn_output(self, layer: int) -> Tensor:
        """(B, N, D) what a layer's FFN added to the stream; a ResNet has none: ValueError."""
        return self._of_all(self.layer(layer).ffn, "FFN")

    def residual(self, layer: int) -> Tensor:
        """(B, N, D) the stream entering a layer, or after the last (L); a ResNet has none."""
        entering = self.layer(-1 if layer == len(self.layers) else layer).residual
        after = entering is not None and layer == len(self.layers)
        return self._of_all(self.stream if after else entering, "residual stream")

    def _of_all(self, tensor: Tensor | None, what: str) -> Tensor:
        """What there is of every token, or a ValueError."""
        if tensor is None:
            raise ValueError(f"{self.model.name}, a {self.model.visual.description}, has no {what}")
        if tensor.shape[1] < self.grids[0].patches:
            refuse()
        return tensor

    def words(self, text: int | str) -> list[WordSpan]:
        """Words of a text's ids as read. ValueError: no vocabulary or token ids, or a SigLIP."""
        if self.model.tokenizer is None or self.token_ids is None:
            needed = "words need a model with a vocabulary, and texts recorded as they are"
            raise ValueError(f"{needed}; clipxai.word_maps leaves words out of such texts too")
        number = number_of(self.texts, text, "text", "this trace")
        return self.model.tokenizer.words(self.token_ids[number].tolist())

    def of(self, image: int) -> "Trace":
        """The same pass of one image, by its number, sharing memory. IndexError: no such image."""
        n = number_of(self.images, image, "image", "this trace")
        if len(self.images) == 1:
            return self  # with what was computed from it already
        one = slice(n, n + 1)
        listed = ("pixels", "images", "grids", "stream", "notes")
        parts = {name: getattr(self, name)[one] for name in listed} | {"edits": self.edits.of(one)}
        return replace(self, **parts, layers=tuple(tape.of(one) for tape in self.layers))

    @as_recorded
    def with_texts(
        self, texts: Texts, templates: str | Iterable[str] | None = None, truncate: bool = False
    ) -> "Trace":
        """The same images with other `texts`, whose tower alone runs; `templates`, `truncate` and
        errors are those of `record`.
        """
        told = read(self.model, texts, templates, truncate, self.text_edits)
        return replace(self, **told, _beside={})

    def with_encoded_texts(
        self,
        texts: tuple[str, ...],
        features: Tensor,
        empty: Tensor | None = None,
        templates: tuple[str, ...] | None = None,
    ) -> "Trace":
        """The same images with `texts`, put into `templates`, that were encoded before: `features`
        (T, E) and those of the `empty` text (1, E), encoded if needed, have unit length.
        """
        known = dict(texts=texts, templates=templates, text_features=features)
        unread = dict(token_ids=None, text_layers=(), text_tokens=None)
        return replace(self, **known, **unread, _beside={} if empty is None else {("",): empty})

    @as_recorded
    def with_images(self, prepared: Prepared, *, path: int | None = None) -> "Trace":
        """The same texts with other images, `prepared` by `model.preprocessor`. For methods with a
        `path` through so many of the last blocks, all that it does not read is left out: also the
        patches that leave the last block, unless it is the model's own path (0).
        """
        return replace(self, **see(self.model, prepared, path, self.edits))
