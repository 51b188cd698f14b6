"""What does a map become while CLIP Surgery is put together, part by part?"""

from dataclasses import dataclass
from typing import Literal, get_args

from ..explanation import Explanation
from .picture import Picture

Part = Literal["raw", "path", "attention", "ffn", "empty"]
PARTS: tuple[Part, ...] = get_args(Part)


@dataclass(frozen=True, eq=False)
class SurgerySteps:
    """The maps on the way from raw CLIP to CLIP Surgery; each has one part more than the last.

    Attributes
    ----------
    picture : the image
    texts : T strings
    parts : what each step adds, in this order: "raw" (nothing yet), "path" (a second path, which
        still does what the model does), "attention" (v-v in place of q-k), "ffn" (none on that
        path), "empty" (what the empty text lights up is subtracted). A model without blocks has no
        "path" and no "ffn", one without a vocabulary no "empty"
    maps : an explanation (T texts) of every step
    layers : L attentions of the image tower (a ResNet has one, at its end)
    blocks : how many of the last ones have a second path
    has_stream : whether layers add to a stream, one after the other, attention and FFN
    """

    picture: Picture
    texts: tuple[str, ...]
    parts: tuple[Part, ...]
    maps: tuple[Explanation, ...]
    layers: int
    blocks: int
    has_stream: bool

    def __repr__(self) -> str:
        texts = ", ".join(map(repr, self.texts))
        return f"<SurgerySteps: {', '.join(self.parts)}; of {texts}>"
