"""Which map would you believe? Maps without names to rank by eye, then the truth."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...results.explanation import Explanation
from ...results.owned import owned
from ..given import Truth, gather, outlines
from ..payload import BUDGET, Arrays, Header, Payload, pack
from ..pictures import picture_header, smaller_photo
from ..scales import SEQUENTIAL, colour_table, finite, scales_of
from ..sentences import page_words
from ..viewer import Viewer
from .content import Ballot
from .sentences import (
    WORDS,
    known,
    not_in_verdicts,
    notes,
    notes_of_methods,
    ranks,
    story,
    summary,
    verdicts,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class BlindRanking(Viewer):
    """Maps of one picture and text without names, for somebody, or a class, to rank by eye.

    Revealing names the methods beside their contrast with the truth, and gives a short code. The
    codes of a class, pasted as `votes`, show how it ranked.

    Parameters
    ----------
    explanations : 2 to 12 of the same image, a map each
    truth : true mask (H, W) bool, or a table text -> mask
    text : whose maps, by number in the first explanation or as written
    seed : draws the order in which maps are dealt; who shares it (and the maps) shares codes
    votes : codes, one after the other in one text or in a list
    budget : most bytes the interactive figure's data may take

    Raises
    ------
    TypeError, ValueError : no explanations, images that differ, an unknown text, no truth of it,
        a map without variation, a code of another figure

    Examples
    --------
    >>> scene = scenes.compose(["cat", "guitar"])
    >>> trace = record(model, scene.image, "a cat")  # doctest: +SKIP
    >>> maps = [explain(trace, name) for name in ("clip", "clip_surgery")]  # doctest: +SKIP
    >>> BlindRanking(maps, scene.truth(["a cat"])).save("ranking.html")  # doctest: +SKIP
    """

    module = "blind_ranking"
    # smaller than of others: a lesson has it twice

    def __init__(
        self,
        explanations: Sequence[Explanation],
        truth: Truth,
        *,
        text: int | str = 0,
        seed: int = 0,
        votes: str | Sequence[str] = (),
        budget: int = BUDGET,
    ) -> None:
        maps, known_truth = gather(explanations), owned(truth)
        self.ballot, self.budget = Ballot.of(maps, text, known_truth, int(seed), votes), budget

    @property
    def summary(self) -> str:
        """What the figure shows, in one line; it names no method."""
        return summary(self.ballot)

    def figure(self) -> "Figure":
        """All maps under their names, with the truth."""
        from .drawing import draw  # loads matplotlib

        return draw(self.ballot, revealed=True)

    def first_state(self) -> "Figure":
        """The maps as they are dealt; with the votes of a class, as it ranked them."""
        from .drawing import draw  # loads matplotlib

        return draw(self.ballot, revealed=len(self.ballot.votes) > 0)

    def payload(self) -> Payload:
        """Exact scores `map0` … (P,) as dealt, colour table, photo, words and who is who."""
        ballot, image = self.ballot, self.ballot.dealt[0].image
        maps = [finite(ballot.scores(n)) for n in range(len(ballot.dealt))]
        scales = scales_of(maps, [""] * len(maps), "minmax")
        counts = ballot.counts().tolist() if len(ballot.votes) else None
        told = zip(
            ballot.letters,
            ballot.names,
            verdicts(ballot),
            not_in_verdicts(ballot),
            ranks(ballot),
            ballot.contrasts.tolist(),
            ballot.by_contrast().tolist(),
            map(vars, scales),
        )
        names = ("letter", "name", "verdict", "told", "rank", "contrast", "place", "scale")
        header: Header = {
            **picture_header(image, *(e.grid for e in ballot.dealt)),
            "summary": self.summary,
            "story": story(ballot),
            "maps": [dict(zip(names, one)) for one in told],
            "order": ballot.order(),
            "columns": ballot.columns,
            "counts": counts,
            "known": known(ballot),
            "pairs": ballot.pairs(),
            "outlines": outlines(ballot.truth),
            "stamp": ballot.stamp,
            "notes": notes(ballot),
            "named_notes": notes_of_methods(ballot),
            "words": page_words(image.shape, WORDS),
        }
        arrays: Arrays = {
            **{f"map{n}": (scores.ravel(), "f32") for n, scores in enumerate(maps)},
            SEQUENTIAL: (colour_table(SEQUENTIAL), "u8"),
        }
        return pack(header, arrays, self.budget, [smaller_photo(image)])
