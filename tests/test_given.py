"""Does every verb say in one line what it was given instead of what it reads?"""

import numpy as np
import pytest

import clipxai as cx
from clipxai import view
from clipxai.given import number_of

FROM_TRACE = (cx.explain, cx.rewrite, cx.attention_maps, cx.contributions, cx.head_contributions, cx.token_scores, cx.word_relevance)
VIEWERS = (view.LayerAttentionViewer, view.ModuleComparison, view.HeadGrid, view.TokenMap, view.WordRanking)


@pytest.mark.parametrize("verb", FROM_TRACE, ids=lambda verb: verb.__name__)
@pytest.mark.parametrize("given", ["photo.jpg", np.zeros((4, 4, 3), np.uint8), None], ids=lambda given: type(given).__name__)
def test_verbs_that_read_a_trace(verb, given):
    with pytest.raises(TypeError, match=rf"expected Trace \(from clipxai.record\), got {type(given).__name__}"):
        verb(given)


@pytest.mark.parametrize("verb", [cx.segment, cx.recognise], ids=lambda verb: verb.__name__)
def test_verbs_that_read_an_explanation(verb, trace):
    with pytest.raises(TypeError, match=r"expected Explanation \(from clipxai.explain\), got Trace"):
        verb(trace)


@pytest.mark.parametrize("verb", [cx.record, cx.explain_windows, lambda *given: next(cx.explain_each(*given))])
def test_verbs_that_run_a_model(verb):
    with pytest.raises(TypeError, match=r"expected CLIP \(from clipxai.load\), got str"):
        verb("ViT-B/16", "photo.jpg", ["a dog"])


@pytest.mark.parametrize("viewer", VIEWERS, ids=lambda viewer: viewer.__name__)
def test_viewers(viewer, trace):
    with pytest.raises(TypeError, match=r"expected \w+ \(from clipxai\.\w+\), got Trace"):
        viewer(trace)


def test_numbers_of_things_in_a_list():
    assert [number_of(("a", "b"), asked, "text", "this figure") for asked in ("b", 0, -1)] == [1, 0, 1]
    with pytest.raises(ValueError, match="no text 'c' in this figure; it has: 'a', 'b'"):
        number_of(("a", "b"), "c", "text", "this figure")
    with pytest.raises(IndexError, match=r"text number 2, but this figure has 2 \(0 to 1\)"):
        number_of(("a", "b"), 2, "text", "this figure")
