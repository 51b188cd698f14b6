"""What of a model can its tensors not tell, and who says it? A config, the caller, or the sizes of
the published models, in this order; nobody guesses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ...checks import shown
from ..clip import CLIP
from ..towers.hosted import HostedImageTower, HostedTextTower
from ..towers.parts import ACTIVATIONS
from .openai import LONG_TEXTS
from .sizes import known_activation
from .transformers_types import IMAGE_ONLY
from .untrusted import read_json

HEAD_WIDTH = 64  # in all that OpenAI's own code can build
# numbers that only the archives of OpenAI's own code hold beside the weights; LongCLIP's is that
# code with a second table of positions
OPENAI_NUMBERS = {"input_resolution", "context_length", "vocab_size"}
GELU, QUICK, BOTH = ("gelu",), ("quick_gelu",), ("gelu", "quick_gelu")
# the models of OpenAI and open_clip that are CLIP's own ViTs and ResNets:
# image patch, width, blocks; text width, blocks; joint width -> image heads, text heads, activation
PUBLISHED = {
    (32, 384, 12, 384, 12, 384): (6, 6, GELU),
    (16, 384, 12, 384, 12, 384): (6, 6, GELU),
    (32, 384, 12, 256, 10, 256): (6, 4, GELU),
    (16, 384, 12, 256, 10, 256): (6, 4, GELU),
    (32, 512, 12, 512, 12, 512): (8, 8, GELU),
    (16, 512, 12, 512, 12, 512): (8, 8, GELU),
    (32, 512, 12, 384, 12, 384): (8, 6, GELU),
    (16, 512, 12, 384, 12, 384): (8, 6, GELU),
    (32, 768, 12, 512, 12, 512): (12, 8, BOTH),
    (16, 768, 12, 512, 12, 512): (12, 8, BOTH),
    (32, 896, 12, 640, 12, 640): (14, 10, GELU),
    (16, 896, 12, 640, 12, 640): (14, 10, GELU),
    (14, 1024, 24, 768, 12, 768): (16, 12, BOTH),
    (16, 1024, 24, 768, 12, 768): (16, 12, GELU),
    (14, 1280, 32, 1024, 24, 1024): (16, 16, BOTH),
    (16, 1280, 32, 1024, 24, 1024): (16, 16, GELU),
    (14, 1408, 40, 1024, 24, 1024): (16, 16, GELU),
    (14, 1664, 48, 1280, 32, 1280): (16, 20, BOTH),
    (14, 1792, 56, 1280, 36, 1280): (16, 20, GELU),
    # a ResNet has no patches; blocks of its four stages
    (None, 64, (3, 4, 6, 3), 512, 12, 1024): (32, 8, BOTH),
    (None, 64, (3, 4, 23, 3), 512, 12, 512): (32, 8, BOTH),
    (None, 80, (4, 6, 10, 6), 640, 12, 640): (40, 10, BOTH),
    (None, 96, (6, 8, 18, 8), 768, 12, 768): (48, 12, BOTH),
    (None, 128, (3, 15, 36, 10), 1024, 12, 1024): (64, 16, BOTH),
}
VOCABULARY = 49408  # of all of them
# vocabularies of published models that pool or mask otherwise: CLIPA, MetaCLIP 2
OTHER_VOCABULARIES = (32000, 250100, 901629)


@dataclass(frozen=True)
class Told:
    """What the caller of `load` says of a model: heads (image, text), activation, config."""

    heads: tuple[int, int] | None = None
    activation: str | None = None
    config: object = None

    def __post_init__(self) -> None:
        heads = self.heads
        pair = isinstance(heads, (tuple, list)) and len(heads) == 2
        if heads is not None and not (pair and all(type(n) is int and n > 0 for n in heads)):
            raise ValueError(
                f"heads={shown(heads)}, but two whole numbers are expected, those of a block of "
                "the image tower and of the text tower, such as heads=(12, 8)"
            )
        if self.activation is not None:
            known_activation(self.activation)

    def config_of(self, file: Path | None, key: str) -> tuple[dict, object] | None:
        """The config of a model and what errors call it: from `file`, which lies beside the
        weights, or the caller's; None without.

        Parameters
        ----------
        file : whose word stands; where it is, the caller may not give another
        key : which every config of that layout has

        Raises
        ------
        ValueError : both are there, or the caller's is no config of this layout
        """
        if self.config is None:
            return None if file is None else (read_json(file), file)
        if file is not None:
            raise ValueError(f"config= is given, but {file} lies beside the weights: leave it out")
        where: object = "config="
        config = self.config
        if isinstance(config, (str, Path)):
            where = config = Path(config)
            if not config.is_file():
                raise FileNotFoundError(f"config={str(config)!r} is no file; pass a config's JSON")
            config = read_json(config)
        elif hasattr(config, "to_dict"):  # a config of transformers
            config = config.to_dict()
        if not isinstance(config, Mapping):
            raise TypeError(f"config= is a dict or a JSON file, not a {type(config).__name__}")
        if key == "model_cfg" and "vision_cfg" in config:  # as open_clip.get_model_config gives it
            config = {"model_cfg": config}
        if key not in config and config.get("model_type") not in IMAGE_ONLY:
            raise ValueError(
                f"{where} has no {key!r}, as the config of a model whose tensors are named like "
                "these has"
            )
        return dict(config), where

    def expect_agreed(self, model: CLIP, where: object) -> None:
        """A ValueError if what the caller says is not what the model's config says."""
        image, text = model.visual, model.text
        if self.heads is None and self.activation is None:
            return
        hosted = isinstance(image, HostedImageTower) or isinstance(text, HostedTextTower)
        if hosted or not text.reads:
            raise ValueError(f"heads and activation do nothing here: {where} says both")
        pool = getattr(image, "attention_pool", None)  # a ResNet's
        of_image = (pool or image.blocks[0].attn).heads
        found = (of_image, text.blocks[0].attn.heads)
        if self.heads is not None and tuple(self.heads) != found:
            raise ValueError(f"heads={self.heads} contradicts {where}, which says {found}")
        if self.activation is None:
            return
        blocks = [text.blocks[0]] if pool else [text.blocks[0], image.blocks[0]]
        if any(block.mlp.activation is not ACTIVATIONS[self.activation] for block in blocks):
            raise ValueError(f"activation={self.activation!r} contradicts {where}")

    def settled(self, tensors: Mapping[str, Tensor], where: object) -> tuple[int, int, str]:
        """Image heads, text heads and activation of a model with OpenAI's tensor names and no
        config: as the caller says, else as all published models of these sizes have them.

        Raises
        ------
        ValueError : neither tells
        """
        if tensors.keys() >= OPENAI_NUMBERS or LONG_TEXTS in tensors:
            widths = _sizes(tensors)
            image = widths[1] * (32 if widths[0] is None else 1)
            heads, known = (max(1, image // HEAD_WIDTH), max(1, widths[3] // HEAD_WIDTH)), QUICK
        else:
            heads, known = _published(tensors, where)
        heads = self.heads or heads
        activation = self.activation or (known[0] if len(known) == 1 else None)
        if heads and activation:
            return heads[0], heads[1], activation
        missing = [] if heads else ["heads=(image, text)"]
        if not activation:
            missing.append(
                "activation='quick_gelu' (OpenAI, MetaCLIP, DFN) or 'gelu' (LAION, DataComp, …)"
            )
        raise ValueError(
            f"the tensors of {where} do not tell the model's heads and activation, and no "
            f"open_clip_config.json lies beside them: pass {' and '.join(missing)}, or config="
        )


NOTHING_TOLD = Told()


def _published(
    tensors: Mapping[str, Tensor], where: object
) -> tuple[tuple[int, int] | None, tuple[str, ...]]:
    """Heads and activations of the published models of these sizes; None and () if there are
    none.
    """
    sizes, vocabulary = _sizes(tensors), len(tensors.get("token_embedding.weight", ()))
    if sizes not in PUBLISHED:
        return None, ()
    if vocabulary in OTHER_VOCABULARIES:
        raise ValueError(
            f"{where} has the sizes of CLIPA or MetaCLIP 2, whose masks and pooling tensors do not "
            "tell: put its open_clip_config.json beside it, or pass it as config="
        )
    if vocabulary != VOCABULARY:
        return None, ()
    image, text, activations = PUBLISHED[sizes]
    return (image, text), activations


def _sizes(tensors: Mapping[str, Tensor]) -> tuple:
    """The key of `PUBLISHED` that tensors have; sizes that are missing are 0."""

    def size(name: str, axis: int) -> int:
        shape = tensors[name].shape if name in tensors else ()
        return shape[axis] if len(shape) > axis else 0

    def blocks(prefix: str) -> int:
        return len({n[len(prefix) :].split(".")[0] for n in tensors if n.startswith(prefix)})

    text = (size("ln_final.weight", 0), blocks("transformer.resblocks."))
    joint = size("text_projection", 1)
    if "visual.layer1.0.conv1.weight" in tensors:
        stages = tuple(blocks(f"visual.layer{n}.") for n in (1, 2, 3, 4))
        return None, size("visual.layer1.0.conv1.weight", 0), stages, *text, joint
    patch, width = size("visual.conv1.weight", 2), size("visual.conv1.weight", 0)
    return patch, width, blocks("visual.transformer.resblocks."), *text, joint
