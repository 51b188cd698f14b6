"""How do models of transformers come in whose towers are not both ours? CLIP's own image tower, if
they have it, fills ours; every other tower is copied as it is, out of the module in memory, or, for
a checkpoint, out of the module that transformers builds of its config.
"""

import copy
import warnings
from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from ...checks import visible
from ..clip import CLIP
from ..image import Preprocessor
from ..towers.hosted import HostedImageTower, HostedTextTower
from ..towers.tower import ImageTower
from .hosting import CONTEXT, UNREAD
from .hugging_face import HF, clip_vision, resizing, sections
from .sizes import empty_modules
from .tensor_names import TensorNames, TowersNames
from .transformers_types import HOSTED
from .untrusted import Weights

REASON = "its parts are not those of CLIP's towers"
LEFT_OUT = 3  # names that a warning gives
ALIKE = 1e-4  # how far features of unit length may lie apart for a tower to be what it is taken for


class FirstToken(nn.Module):
    """A text encoder whose first token, or pooled output, is projected: ids (T, S) -> (T, E).

    Parameters
    ----------
    module, projection : of transformers; what its encoder puts out to features
    pad : the token that fills texts up, and is not attended to
    pooled : read its pooler's output, not the first token
    """

    def __init__(self, module: nn.Module, projection: nn.Module, pad: int, pooled: bool) -> None:
        super().__init__()
        self.encoder, self.projection = module, projection
        self.pad, self.pooled = pad, pooled

    def forward(self, ids: Tensor) -> Tensor:
        """Token ids (T, S) to features (T, E), not normalised."""
        out = self.encoder(input_ids=ids, attention_mask=(ids != self.pad).long())
        return self.projection(out.pooler_output if self.pooled else out.last_hidden_state[:, 0])


class Trunk(nn.Module):
    """An image encoder with the names that `HostedImageTower` knows from timm.

    Parameters
    ----------
    module : of transformers: pixels -> `last_hidden_state`, tokens or a map
    pooled : its `pooler` makes one vector of them; else the first token is it
    tokens_before : how many stand before the patches
    """

    def __init__(self, module: nn.Module, pooled: bool, tokens_before: int = 1) -> None:
        super().__init__()
        self.encoder, self.pooled = module, pooled
        self.num_prefix_tokens = tokens_before

    def forward_features(self, pixels: Tensor) -> Tensor:
        """(B, 3, h, w) -> (B, 1 + P, D), or (B, D, gh, gw)."""
        return self.encoder(pixel_values=pixels).last_hidden_state

    def forward_head(self, ending: Tensor) -> Tensor:
        """That to (B, D)."""
        if not self.pooled:
            return ending[:, 0]
        return self.encoder.pooler(ending).flatten(1)


class HeadedTrunk(nn.Module):
    """A trunk and a projection, as open_clip's `TimmModel` has them."""

    origin = "transformers'"

    def __init__(self, trunk: Trunk, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head


# for each kind: image encoder, its projection, text encoder, its projection
_PARTS = {
    "altclip": ("vision_model", "visual_projection", "text_model", "text_projection"),
    "chinese_clip": ("vision_model", "visual_projection", "text_model", "text_projection"),
    "vision-text-dual-encoder": (
        "vision_model",
        "visual_projection",
        "text_model",
        "text_projection",
    ),
    "blip": ("vision_model", "vision_proj", "text_encoder", "text_proj"),
    "align": ("vision_model", None, "text_model", "text_projection"),
    "flava": ("image_model", "image_projection", "text_model", "text_projection"),
}
_POOLED_TEXT = ("altclip", "vision-text-dual-encoder")
_POOLED_IMAGE = ("align", "vision-text-dual-encoder")
_OF_CLIP = ("clip_vision_model", "altclip_vision_model", "chinese_clip_vision_model")


def read_hosted(module: nn.Module, size: int | None = None) -> tuple[CLIP, Weights, TowersNames]:
    """A model with the towers of one of transformers' modules, its tensors, and their names.

    Parameters
    ----------
    module : of a class in `HOSTED`
    size : side of the images, where the files say another than the config

    Raises
    ------
    ValueError : a tower that does something else than those of its kind
    """
    kind, name = module.config.model_type, f"this {type(module).__name__}"
    parts = _PARTS[kind]
    lacking = [part for part in parts if part and not hasattr(module, part)]
    if lacking:
        raise ValueError(
            f"{name} has no {lacking[0]!r}, so its images and texts share no space: pass "
            f"transformers' {HOSTED[kind]}"
        )
    encoder, projection, reader, text_projection = (
        getattr(module, p) if p else None for p in parts
    )
    config = module.config.to_dict()
    pad = reader.config.pad_token_id
    positions = getattr(reader.config, "max_position_embeddings", CONTEXT)
    if not isinstance(pad, int):
        raise ValueError(f"the text tower of {name} does not say what texts are filled up with")
    text = HostedTextTower(
        FirstToken(_copied(reader), _copied(text_projection), pad, kind in _POOLED_TEXT),
        vocabulary=reader.get_input_embeddings().num_embeddings,
        context=min(positions, CONTEXT),
        pad_id=pad,
    )
    visual, names, given = _image_tower(module, encoder, projection, config, size)
    model = resizing(CLIP(visual, text, preprocessor=_colours(kind, visual)), given)
    tensors = {
        # of older versions of transformers
        name.replace("vision_model.vision_model.", "vision_model."): tensor.detach()
        for name, tensor in module.state_dict().items()
    }
    tensors["logit_scale"] = _scale(module)
    unread = tuple({name.split(".")[0] for name in tensors if name != "logit_scale"})
    if names is HF:
        unread = tuple(name for name in unread if name not in parts[:2])
    return model, Weights.there(tensors), TowersNames(names, replace(UNREAD, unread=unread))


def _scale(module: nn.Module) -> Tensor:
    """The logarithm of what cosines are multiplied with: 0 where the library multiplies nothing."""
    if hasattr(module, "temperature"):
        return -module.temperature.detach().float().log()
    return getattr(module, "logit_scale", torch.zeros(())).detach()


def _colours(kind: str, tower: ImageTower) -> Preprocessor:
    """What is usual, where no file says it: CLIP's, but for ALIGN and other encoders that were
    paired with a text encoder.
    """
    half = isinstance(tower, HostedImageTower) and kind in _POOLED_IMAGE
    colours = ((0.5,) * 3, (0.5,) * 3) if half else ()
    return Preprocessor(tower.image_size, tower.patch, *colours)


def _image_tower(
    module: nn.Module, encoder: nn.Module, projection: nn.Module | None, config: dict, size: object
) -> tuple[ImageTower, TensorNames, int]:
    """Ours if it is CLIP's; its tensors' names; the side of its images."""
    kind, name = config["model_type"], f"the image tower of this {type(module).__name__}"
    vision = encoder.config
    if vision.model_type in _OF_CLIP:
        _, described = sections(config, name)
        with empty_modules():
            visual, given = clip_vision(described, projection.out_features, name)
        return visual, HF, given
    trunk = Trunk(_copied(encoder), kind in _POOLED_IMAGE, 0 if kind == "align" else 1)
    head = nn.Identity() if projection is None else _copied(projection)
    if trunk.pooled and not callable(getattr(trunk.encoder, "pooler", None)):
        raise ValueError(
            f"{name} is a {type(encoder).__name__}, whose images are pooled in a way that is not "
            "known here: read are those with a pooler, such as ViTModel's"
        )
    visual = _hosted(trunk, head, size, name)
    _expect_alike(module, visual, name)
    return visual, UNREAD, visual.image_size[0]


def _hosted(trunk: Trunk, head: nn.Module, size: int | None, name: str) -> HostedImageTower:
    config = trunk.encoder.config
    side, patch = size or config.image_size, getattr(config, "patch_size", None)
    if trunk.num_prefix_tokens == 0:  # a convolutional net's, the last of which may hang over
        side = side // 32 * 32
    if not isinstance(side, int) or side < 1:
        raise ValueError(f"{name} is for images of {side!r} pixels, but one number is expected")
    if isinstance(patch, int) and side % patch:
        raise ValueError(
            f"{name} is for images of {side} pixels, which squares of {patch} do not fill: it is "
            "not read"
        )
    return HostedImageTower(HeadedTrunk(trunk, head), (side, side), REASON)


@torch.no_grad()
def _expect_alike(module: nn.Module, tower: HostedImageTower, name: str) -> None:
    """A ValueError unless the tower says of noise what the library says of it."""
    noise = torch.randn(1, 3, *tower.image_size, generator=torch.Generator().manual_seed(0))
    weight = next(module.parameters())
    noise = noise.to(weight)
    if hasattr(module, "get_image_features"):
        theirs = module.get_image_features(pixel_values=noise)
        theirs = getattr(theirs, "pooler_output", theirs)
        theirs = theirs[:, 0] if theirs.ndim == 3 else theirs
    else:  # BLIP, whose class returns no features
        theirs = module.vision_proj(module.vision_model(noise).last_hidden_state[:, 0])
    unit = nn.functional.normalize
    apart = (unit(tower.pool(noise).float()) - unit(theirs.float())).abs().max()
    if not apart < ALIKE:
        raise ValueError(f"{name} pools its images in a way that is not known here: it is not read")


def _copied(module: nn.Module) -> nn.Module:
    return copy.deepcopy(module).eval().requires_grad_(False)


def through_transformers(
    config: Mapping, weights: Weights, where: object, named: str | None = None
) -> nn.Module:
    """The module that transformers builds of a config, with these weights. No code of a stranger is
    run: the class is one of `HOSTED`, or the one that is `named`.

    Raises
    ------
    ImportError : transformers is not installed
    ValueError : transformers cannot build it, or the weights are not those of such a model
    """
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            f"{where} describes a model with a tower that is none of ours; transformers runs it: "
            "pip install transformers"
        ) from error
    kind = getattr(transformers, named or HOSTED[config["model_type"]])
    described = {name: value for name, value in config.items() if name != "auto_map"}
    tensors = {name: weights.read(name).clone() for name in weights.tensors}
    log = transformers.utils.logging
    loud, bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        module, told = kind.from_pretrained(
            None,
            config=kind.config_class.from_dict(described),
            state_dict=tensors,
            output_loading_info=True,
            dtype=torch.float32,
        )
    except Exception as error:  # of any kind, from a config of a stranger
        reason = " ".join(str(error).strip().splitlines()[:2])[:300]
        raise ValueError(
            f"transformers cannot build the model of {where}: {visible(reason)}"
        ) from error
    finally:
        log.set_verbosity(loud)
        if bars:
            log.enable_progress_bar()
    _expect_filled(told, where, module)
    return module.eval()


def _expect_filled(told: Mapping, where: object, module: nn.Module) -> None:
    """A ValueError for a weight that the file lacks; a warning for what it has besides."""
    missing, kind = {*map(str, told["missing_keys"])}, module.config.model_type
    for part in filter(None, _PARTS.get(kind, ())):
        own = {name for name in module.state_dict() if name.startswith(f"{part}.")}
        if own and own <= missing:
            raise ValueError(
                f"the weights beside {where} have no {part!r}, so images and texts share no space: "
                f"load a {HOSTED[kind]} of transformers"
            )
    wrong = sorted([*missing, *map(str, told["mismatched_keys"])])
    if wrong:
        raise ValueError(
            f"{len(wrong)} tensor(s) of this model are missing in the weights beside {where}, or "
            f"have another shape, such as {visible(wrong[0])!r}"
        )
    left = sorted(map(str, told["unexpected_keys"]))
    if left:
        some = ", ".join(map(visible, left[:LEFT_OUT]))
        warnings.warn(
            f"{where}: {len(left)} tensor(s) of parts that compare no images with texts, such as "
            f"{some}, are left out",
            stacklevel=2,
        )
