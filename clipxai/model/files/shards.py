"""How is a checkpoint read that is kept in several files? Its index, ….index.json, says which file
holds which tensor; every file is read as one alone is, and must hold what the index says of it.
"""

from pathlib import Path

from ...checks import shown, visible
from .locating import Files
from .untrusted import Weights, read_json, read_weights

INDEX = ".index.json"


def read_shards(index: Path, at: Files) -> Weights:
    """The tensors of all files that an index names.

    Parameters
    ----------
    index : such as model.safetensors.index.json
    at : where a file beside the index lies, by its name

    Raises
    ------
    ValueError : no index; a tensor is not in the file that should hold it, or in no index; a file
        as `read_weights`
    FileNotFoundError : a file that the index names is not there
    """
    places = read_json(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise ValueError(f"{index} is no index of weights: it has no weight_map (tensor -> file)")
    # the index must not lead out of its folder
    odd = next((p for p in places.values() if not isinstance(p, str) or Path(p).name != p), None)
    if odd is not None:
        raise ValueError(f"{index} names {shown(odd)}, but a file beside it is expected")
    parts = {name: _shard(index, name, at) for name in sorted(set(places.values()))}
    for name, part in parts.items():
        listed = {tensor for tensor, place in places.items() if place == name}
        if differing := sorted(listed ^ part.tensors.keys()):
            raise ValueError(
                f"{visible(name)} does not hold what {index} says of it: {visible(differing[0])} "
                f"is only in the {'index' if differing[0] in listed else 'file'}"
            )
    tensors = {tensor: parts[place].tensors[tensor] for tensor, place in places.items()}
    return Weights(
        tensors,
        lambda tensor: parts[places[tensor]].read(tensor),
        into=lambda tensor: parts[places[tensor]].into(tensor),
    )


def _shard(index: Path, name: str, at: Files) -> Weights:
    file = at(name)
    if file is None:
        raise FileNotFoundError(f"{index} names {visible(name)}, which is not there")
    return read_weights(file)
