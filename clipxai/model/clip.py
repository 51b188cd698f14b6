"""What is CLIP? Two towers whose outputs meet in one space.

There cosine similarity says how well image and text fit.

Reference: Radford et al. 2021, "Learning Transferable Visual Models From Natural Language
Supervision" (arXiv 2103.00020). Axes: B images, T texts, S text tokens, E joint width.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Set
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..checks import of_its_kinds, shown
from .image import Mode, Preprocessor, expect_few_patches
from .towers.text import known_ids
from .towers.tower import Capability, ImageTower, TextTower, found_in, in_words
from .words.library_tokenizer import LibraryTokenizer
from .words.piece_tokenizer import PieceTokenizer
from .words.tokenizer import Tokenizer

Texts = str | Iterable[str] | Tensor


class CLIP(nn.Module):
    """A CLIP model: two towers, a learned scale, and the tokenizer and preprocessing of both.

    Parameters
    ----------
    visual, text : the towers
    tokenizer : None for a lone weights file; such a model takes token ids only
    preprocessor : how images become pixels; CLIP's mean and standard deviation unless told
    name : what figures and files call this model
    provenance : where the weights come from, remembered by every explanation

    Attributes
    ----------
    logit_scale : logarithm of what cosines are multiplied with
    sigmoid : whether every pair of image and text is scored alone, not against the other texts
    """

    sigmoid: ClassVar[bool] = False

    def __init__(
        self,
        visual: ImageTower,
        text: TextTower,
        tokenizer: Tokenizer | PieceTokenizer | LibraryTokenizer | None = None,
        preprocessor: Preprocessor | None = None,
        name: str = "unnamed CLIP",
        provenance: dict[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.visual, self.text = visual, text
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))
        self.tokenizer = tokenizer
        self.preprocessor = preprocessor or Preprocessor(visual.image_size, visual.patch)
        self.name = name
        self.provenance = provenance or {}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.logit_scale.device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are kept in."""
        return self.logit_scale.dtype

    def changed(self, name: str, how: str) -> None:
        """From now on this model goes by `name` and says `how` it is no longer what was loaded.
        What is changed in a pass, its trace says.
        """
        before = self.provenance.get("since loading")
        self.name = name
        told = {"model": name, "since loading": f"{before}; {how}" if before else how}
        self.provenance = self.provenance | told

    def expect(self, asked: str, *required: Capability) -> None:
        """A ValueError unless the image tower has what is `required` for what is `asked`."""
        missing = set(required) - self.visual.has
        if missing:
            raise ValueError(
                f"{asked} cannot be asked of {self.name}, a {self.visual.description}: that "
                f"requires {in_words(missing)}, which {found_in(required)} have"
            )

    def expect_texts(self, asked: str) -> None:
        """A ValueError if the model is an image tower alone, which `asked` cannot be asked of."""
        if not self.text.reads:
            raise ValueError(
                f"{asked} requires texts, and {self.name} is an image tower alone: record(model, "
                "image) without texts and ask for attention_maps, 'attention', 'rollout' or "
                "patch_similarity"
            )

    def weights_sha256(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of all weights as they are now."""
        digest = hashlib.sha256()
        for tensor in self.state_dict().values():
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return digest.hexdigest()[:16]

    @of_its_kinds
    def preprocess(
        self,
        images: object,
        mode: Mode = "squash",
        size: int | tuple[int, int] | None = None,
        normalized: bool | None = None,
    ) -> Tensor:
        """One image or a list of them to pixels (B, 3, h, w), float32, normalised with this model's
        mean and deviation.

        `images` (what an image may be), `mode` ("squash", "crop" or "aspect"), `size`, `normalized`
        and errors are those of `clipxai.model.image.Preprocessor`.
        """
        return self.preprocessor(images, mode, size, normalized).pixels.to(self.device)

    @of_its_kinds
    def tokenize(self, texts: Texts, truncate: bool = False) -> Tensor:
        """`texts` to token ids (T, S), padded behind [end]; S is the longest text of the batch, or
        the context where padding is read too. Ids pass through as they are, filled up or not.

        Raises
        ------
        ValueError : no text; strings without a vocabulary; a text longer than the model's context,
            unless `truncate` cuts it; ids that are not whole numbers of shape (T, S), none at all,
            or without [start] at the beginning and [end] behind it
        TypeError : a text that is not a string
        """
        self.expect_texts("a text")
        if isinstance(texts, Tensor):
            if texts.ndim != 2 or texts.is_floating_point() or not texts.numel():
                raise ValueError(
                    "token ids must be whole numbers of shape (T, S), both at least 1, not "
                    f"{texts.dtype} of shape {tuple(texts.shape)}"
                )
            known_ids(texts, self.text.context, self.text.vocabulary)
            self._expect_ended(texts)
            return texts.to(self.device, copy=True)
        if self.tokenizer is None:
            files = "tokenizer.json (of SigLIP also its tokenizer's .model)"
            if self.text.read_at_end:
                files = (
                    "vocab.json and merges.txt (or tokenizer.json, or OpenAI's "
                    "bpe_simple_vocab_16e6.txt.gz)"
                )
            raise ValueError(
                f"{self.name} was loaded without a vocabulary, so it takes token ids only: put "
                f"{files} beside the weights to use strings, or load with tokenizer=; or pass the "
                "ids that the model's own tokenizer gives"
            )
        encoded = [self.tokenizer.encode(text, truncate) for text in as_list(texts)]
        length = self.text.context if self.text.full else max(map(len, encoded))
        ids = torch.tensor([ids + [self.text.pad_id] * (length - len(ids)) for ids in encoded])
        self._expect_ended(ids)
        return ids.to(self.device)

    def _expect_ended(self, ids: Tensor) -> None:
        """A ValueError unless every text begins with [start], and the text tower reads it where the
        vocabulary ends it.
        """
        if not isinstance(self.tokenizer, Tokenizer):
            if self.text.read_at_end and getattr(self.tokenizer, "begins", True):
                _expect_begun(self.text.end(ids) > 0, "begins with [end], where it would be read")
            return
        start, end = self.tokenizer.start, self.tokenizer.end
        _expect_begun(ids[:, 0] != end, "begins with [end]")
        _expect_begun(ids[:, 0] == start, f"does not begin with [start], {start}")
        if not self.text.read_at_end:
            return
        ended = ids == end
        without = (~ended.any(dim=1)).nonzero()
        if len(without):
            raise ValueError(f"text {int(without[0])} of these token ids has no [end], {end}")
        if not torch.equal(self.text.end(ids), ended.int().argmax(dim=1)):
            raise ValueError(
                f"the vocabulary ends a text with token {end}, but {self.name} reads it elsewhere "
                "(at the config's eos_token_id, or else at the largest id): vocabulary and model "
                "do not belong together, or tokens were added behind [end] and the config not told"
            )

    def encode_image(self, pixels: Tensor, normalize: bool = True) -> Tensor:
        """`pixels` (B, 3, h, w) to one feature per image, (B, E) float32; unit length unless
        `normalize` is False.

        Raises
        ------
        ValueError : sides that are not multiples of the patch; more patches than attention has room
            for
        """
        pixels = self.preprocessor.covered(pixels)
        expect_few_patches(*(side // self.visual.patch for side in pixels.shape[-2:]))
        features = self.visual.pool(pixels.to(self.dtype)).float()
        return F.normalize(features, dim=-1) if normalize else features

    @of_its_kinds
    def encode_text(
        self,
        texts: Texts,
        normalize: bool = True,
        templates: str | Iterable[str] | None = None,
        truncate: bool = False,
    ) -> Tensor:
        """Texts (strings or ids) to one feature per text, (T, E) float32; unit length unless
        `normalize` is False.

        With `templates` such as "a photo of a {}.", each text is put into every template, the
        features are brought to unit length, averaged and brought to unit length again (the prompt
        ensemble of CLIP and CLIP Surgery). `truncate` cuts texts that are too long.

        Raises
        ------
        ValueError, TypeError : as `tokenize`; templates without {}, or for ids
        """
        if templates is not None:
            if isinstance(texts, Tensor):
                raise ValueError("templates need strings to be put into, not token ids")
            return self._encode_ensemble(as_list(texts), as_templates(templates), truncate)
        ids = self.tokenize(texts, truncate)
        features = self.text.of_ends(self.text(ids), ids).float()
        return F.normalize(features, dim=-1) if normalize else features

    def _encode_ensemble(
        self, texts: list[str], templates: tuple[str, ...], truncate: bool
    ) -> Tensor:
        filled = [template.replace("{}", text) for text in texts for template in templates]
        features = torch.cat(
            [
                self.encode_text(filled[n : n + 256], truncate=truncate)
                for n in range(0, len(filled), 256)
            ]
        )
        return F.normalize(features.unflatten(0, (len(texts), len(templates))).mean(1), dim=-1)

    def forward(self, pixels: Tensor, texts: Texts) -> Tensor:
        """Logits (B, T) of `pixels` (B, 3, h, w) and T `texts`: learned scale times cosine, CLIP's
        Figure 3 (arXiv 2103.00020).
        """
        return self.logit_scale.exp() * self.encode_image(pixels) @ self.encode_text(texts).T

    def probabilities(self, pixels: Tensor, texts: Texts) -> Tensor:
        """(B, T), 0…1, which text fits each image of `pixels` (B, 3, h, w) best: a softmax over the
        texts, so every row sums to 1.
        """
        return self(pixels, texts).softmax(-1)


class SigLIP(CLIP):
    """A model trained with the sigmoid loss, as SigLIP and SigLIP 2 are: `CLIP` with a learned
    `logit_bias`.
    """

    sigmoid = True

    def __init__(
        self, visual: ImageTower, text: TextTower, preprocessor: Preprocessor | None = None
    ) -> None:
        super().__init__(visual, text, preprocessor=preprocessor)
        self.logit_bias = nn.Parameter(torch.tensor(-10.0))

    def forward(self, pixels: Tensor, texts: Texts) -> Tensor:
        """Logits (B, T): scale * cosine + bias (arXiv 2303.15343, Algorithm 1)."""
        return super().forward(pixels, texts) + self.logit_bias

    def probabilities(self, pixels: Tensor, texts: Texts) -> Tensor:
        """(B, T), 0…1, whether each text fits each image: a sigmoid of every logit by itself, so
        rows need not sum to 1.
        """
        return self(pixels, texts).sigmoid()


def _expect_begun(begun: Tensor, otherwise: str) -> None:
    """A ValueError unless every text (T,) has `begun`."""
    if not bool(begun.all()):
        raise ValueError(
            f"text {int(begun.int().argmin())} of these token ids {otherwise}: pass [start], the "
            "text and [end], filled up behind them (tokenizer.padding_side = 'right')"
        )


def as_list(texts: str | Iterable[str]) -> list[str]:
    """One text or several, as a list.

    Raises
    ------
    ValueError : none at all
    TypeError : no texts, or nothing that has an order
    """
    if isinstance(texts, str):
        return [texts]
    if isinstance(texts, Mapping):  # transformers' BatchEncoding is one, too
        way_out = "pass its token ids" if "input_ids" in texts else "pass list(…) of what you mean"
        raise TypeError(f"texts are a list of strings, not a {type(texts).__name__}: {way_out}")
    numbers = hasattr(texts, "ndim")  # ids may stand for texts, but not here
    if numbers or isinstance(texts, (bytes, Set)) or not isinstance(texts, Iterable):
        raise TypeError(
            f"texts are a string or a list of them, such as ['a dog'], not a {type(texts).__name__}"
            f"{', and token ids a tensor: torch.from_numpy(...)' if numbers else ''}"
        )
    listed = list(texts)
    if not listed:
        raise ValueError("no text given: pass at least one, such as ['a dog']")
    for text in listed:
        if not isinstance(text, str):
            raise TypeError(f"a text must be a string, not {type(text).__name__}: {shown(text)}")
    return listed


def as_templates(templates: str | Iterable[str]) -> tuple[str, ...]:
    """One template or several; a ValueError unless each has a {} for the text."""
    listed = tuple(as_list(templates))
    odd = next((template for template in listed if "{}" not in template), None)
    if odd is not None:
        raise ValueError(f"every template needs a {{}} for the text, but one is {odd!r}")
    return listed


def cosines(image_features: Tensor, text_features: Tensor) -> Tensor:
    """(B, N, E) and (T, E) or (B, T, E), all of unit length -> (B, N, T) float32.

    Also under autocast, because rounded scores rank patches at random.
    """
    with torch.autocast(image_features.device.type, enabled=False):
        return image_features.float() @ text_features.float().mT
