"""What was found inside the model? Numbers for the viewers that look at layers, modules and words.

In: whose numbers they are (`picture`), who looked where (`attention`) and which tokens everybody
looks at (`sinks`), what every module or head added to the score (`contributions`), what the score
would be without it (`effects`), what each head is for (`head_names`), which word goes with which
patch, and which mattered (`words`), the whole way from image to text (`overview`), and the way from
raw CLIP to CLIP Surgery (`surgery_steps`). Only numpy, as in all of `results`; their arrays are
their own and read-only.
Not in: how they are found, which stands in `clipxai.explainers`.

Axes: L layers, H heads, N = 1 + P tokens (the whole image first; registers are counted with it), P
patches, T texts, S text tokens.
"""

from .attention import AttentionMaps, Selection, selection_ratio, weights_of
from .contributions import Contributions, HeadContributions
from .effects import Effects, rank_correlation
from .head_names import HeadNames
from .overview import Overview, Reading, Rows, SecondRail, Shares
from .picture import Picture, Recorded, on_patches
from .sinks import Sinks
from .surgery_steps import SurgerySteps
from .words import LEFT_OUT, TokenScores, WordRelevance

__all__ = [
    "LEFT_OUT",
    "AttentionMaps",
    "Contributions",
    "Effects",
    "HeadContributions",
    "HeadNames",
    "Overview",
    "Picture",
    "Reading",
    "Recorded",
    "Rows",
    "SecondRail",
    "Selection",
    "Shares",
    "Sinks",
    "SurgerySteps",
    "TokenScores",
    "WordRelevance",
    "on_patches",
    "rank_correlation",
    "selection_ratio",
    "weights_of",
]
