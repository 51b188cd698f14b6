"""What would the cosine be without the cat, and did the maps promise that? The scene is drawn again
without each of its things, which is the truth; a map promises that the thing matters most on which
it is brightest.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..results.explanation import Explanation
from ..scenes import Scene
from ..trace.trace import Trace
from ..view.number import signed
from .silence import cosines_of


def pictured(trace: Trace, image: object) -> Trace:
    """The pass of another image, to the last bit as `record` gives it; no text is read again."""
    return trace.with_images(trace.model.preprocessor(image))


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What each thing of a scene brings.

    Attributes
    ----------
    things : class names, N of them
    brings : (T, N) cosine with each text, minus that without each thing
    """

    things: tuple[str, ...]
    brings: np.ndarray

    @classmethod
    def of(cls, trace: Trace, scene: Scene) -> "LeftOut":
        """Measure it: beside the scene's own pass, one without each thing; the texts are read."""
        without = [pictured(trace, scene.without(name).image) for name in scene.objects]
        brings = [cosines_of(trace) - cosines_of(one) for one in without]
        return cls(scene.objects, np.stack(brings, 1))

    def most(self, text: int) -> str | None:
        """The thing without which the cosine loses most; None if it loses nothing without any."""
        brought = self.brings[text]
        return self.things[int(brought.argmax())] if brought.max() > 0 else None


def brightest(explanation: Explanation, text: int, scene: Scene) -> str:
    """The thing on which a map is brightest in the mean; "background" if that is brighter still."""
    heat = explanation.heatmap(text)
    places = dict(zip(scene.objects, scene.masks)) | {"background": ~scene.masks.any(0)}
    means = {name: heat[mask].mean() for name, mask in places.items() if mask.any()}
    return max(means, key=means.get)


def table(left: LeftOut, maps: Sequence[Explanation], scene: Scene) -> str:
    """The truth of every text beside where each map is brightest, as HTML."""
    brightest_of = [f"brightest by {html.escape(e.method)}" for e in maps]
    head = ["the cosine changes without", *map(html.escape, left.things), *brightest_of]
    rows = [head]
    for n, text in enumerate(maps[0].texts):
        most = left.most(n)
        promised = [brightest(e, n, scene) for e in maps]
        marks = [f"{'✓' if one == most else '✗'} {html.escape(one)}" for one in promised]
        changes = [signed(-float(brought)) for brought in left.brings[n]]
        rows.append([html.escape(text), *changes, *marks])
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
