"""Where in what somebody saved, or holds in memory, is the CLIP? Training puts wrappers around it,
in any order: {"state_dict": …}, "module.", "_orig_mod.", Lightning's "model.". It is recognised by
what is inside, never by what the wrapper is called.
"""

import re
import warnings
from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor, nn

# how the names of an image tower begin, in all layouts, behind whatever prefix
IMAGE_TOWER = re.compile(r"((?:[^.]+\.)*?)(?:visual|vision_model)\.")
# a tower inside of LLaVA, as transformers' fifth version names it
TOWER_ALONE = re.compile(r"((?:[^.]+\.)*?vision_tower\.)embeddings\.")
DEEPEST = 4  # dictionaries in one another


def prefix_of(names: Iterable[str], where: object) -> str:
    """What stands in front of every tensor of the CLIP among `names`; "" too if there is no CLIP.

    Tensors without it belong to what is around the CLIP, such as a classifier: a warning names one.

    Raises
    ------
    ValueError : there are two CLIPs, such as a model and its moving average

    Examples
    --------
    >>> prefix_of(["module.visual.conv1.weight", "module.logit_scale"], "x.pt")
    'module.'
    """
    names = list(names)
    found = {match[1] for name in names if (match := IMAGE_TOWER.match(name))}
    found = found or {match[1] for name in names if (match := TOWER_ALONE.match(name))}
    if len(found) > 1:
        raise _several(where, found)
    prefix = found.pop() if found else ""
    outside = [name for name in names if not name.startswith(prefix)]
    if outside:
        warnings.warn(
            f"{where} is read as the CLIP behind {prefix!r}: {len(outside)} tensor(s) beside it, "
            f"such as {outside[0]!r}, are left out",
            stacklevel=2,
        )
    return prefix


def state_dict_in(saved: object) -> dict[str, Tensor]:
    """The state dict of what torch saved, however deep it lies in a training checkpoint.

    Raises
    ------
    ValueError : none, or those of two CLIPs
    """
    found = dict(_state_dicts(saved))
    clips = {key for key, state in found.items() if any(map(IMAGE_TOWER.match, state))}
    if len(clips) > 1:
        raise _several("it", clips)
    if clips:
        return found[clips.pop()]
    if not found:
        raise ValueError(
            "it holds no plain state dict (name -> tensor); save the model's state_dict()"
        )
    return max(found.values(), key=len)


def _state_dicts(saved: object, key: str = "", depth: int = 0) -> Iterator[tuple]:
    """(where, name -> tensor) of every dictionary that holds tensors and nothing else."""
    if not isinstance(saved, Mapping) or not saved or depth > DEEPEST:
        return
    if not all(isinstance(name, str) for name in saved):
        return
    if all(isinstance(kept, Tensor) for kept in saved.values()):
        yield key, dict(saved)
        return
    for name, kept in saved.items():
        yield from _state_dicts(kept, f"{key}.{name}".lstrip("."), depth + 1)


def inner_clip(module: nn.Module) -> nn.Module:
    """The CLIP inside of wrappers (DataParallel, torch.compile, Lightning, PEFT, a class of one's
    own); the module itself if it is one, or holds none.

    Raises
    ------
    ValueError : it holds two
    """
    found: dict[str, nn.Module] = {}
    for name, part in module.named_modules():
        inside = any(name.startswith(f"{outer}.") or not outer for outer in found)
        if not inside and _is_clip(part):
            found[name] = part
    if len(found) > 1:
        raise _several(f"this {type(module).__name__}", found)
    return next(iter(found.values()), module)


def _is_clip(module: nn.Module) -> bool:
    """Both towers are its own children."""
    children = dict(module.named_children())
    of_images = {"visual", "vision_model", "image_model"} & children.keys()
    of_texts = {"transformer", "text", "text_model", "text_encoder"} & children.keys()
    return bool(of_images and of_texts)


def _several(where: object, found: Iterable[str]) -> ValueError:
    listed = " and ".join(repr(key) for key in sorted(found))
    return ValueError(f"{where} holds several CLIPs, as {listed}: pass the one that is meant alone")
