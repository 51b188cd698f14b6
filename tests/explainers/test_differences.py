"""A word's map is what leaving it out takes away; a contrast is one map minus another."""

import numpy as np
import pytest
import torch

import clipxai as cx
from clipxai.explainers.leaving_out import kept
from clipxai.results.findings import LEFT_OUT

CAPTION = "A photo of a dog, a bicycle."
FORWARD = [n for n, row in cx.METHODS.items() if row.needs == "forward" and row.reads_texts]


@pytest.fixture(scope="module")
def said(trace):
    return trace.with_texts(["a pizza", CAPTION])


@pytest.mark.parametrize("method", [*FORWARD, "grad_eclip"])
def test_word_maps_are_maps_with_and_without(said, method):
    if not cx.METHODS[method].works_on(said.model):
        pytest.skip("not on this tower")
    found = cx.word_maps(said, method, text=1)
    assert found.texts == (
        "a (1)", "photo", "of", "a (4)", "dog", ",", "a (7)", "bicycle", ".",
    )  # fmt: skip
    by_hand = {4: "A photo of a bicycle.", 7: "A photo of a dog.", 1: "of a dog, a bicycle."}
    for word, shorter in by_hand.items():
        both = cx.explain(said.with_texts([CAPTION, shorter]), method)
        np.testing.assert_allclose(
            found.scores[word], both.scores[0] - both.scores[1], rtol=0, atol=2e-6
        )
        drop = both.presence[0] - both.presence[1]
        np.testing.assert_allclose(found.presence[word], drop, atol=1e-6)
    assert found.difference and found.unit.endswith("minus the same without the word")


def test_phrases_go_together(said):
    named, placed = (
        cx.word_maps(said, text=1, words=words)
        for words in (["A Dog", "bicycle"], [(11, 16), (20, 27)])
    )
    assert named.texts == placed.texts == ("a dog", "bicycle")
    np.testing.assert_array_equal(named.scores, placed.scores)
    both = cx.explain(said.with_texts([CAPTION, "a photo of a bicycle."]), "decomposition").scores
    np.testing.assert_allclose(named.scores[0], both[0] - both[1], atol=2e-6)


def test_the_caption_s_words_point_at_their_own_thing(said, scene):
    """Whatever came before: each noun at its own object, which its token does not."""
    found = cx.word_maps(said, text=1, words=["dog", "bicycle"])
    for word, other in (("dog", "bicycle"), ("bicycle", "dog")):
        heat = found.heatmap(word, normalize="none")
        assert heat[scene.mask(word)].mean() > heat[scene.mask(other)].mean() + 1e-3


def test_words_in_pieces_are_left_out_whole(trace):
    found = cx.word_maps(trace.with_texts("an ambulance"))
    assert found.texts == ("an", "ambulance")
    both = cx.explain(trace.with_texts(["an ambulance", ""]), "decomposition").scores
    np.testing.assert_allclose(found.scores[1], both[0] - both[1], atol=2e-6)


def test_templates_are_split_at_blanks(trace):
    templates = ["a photo of {}."]
    found = cx.word_maps(trace.with_texts("a dog", templates))
    both = cx.explain(trace.with_texts(["a dog", "a"], templates), "decomposition").scores
    assert found.texts == ("a", "dog")
    alone = cx.explain(trace.with_texts(["a dog", ""], templates), "decomposition").scores
    np.testing.assert_allclose(found.scores[1], alone[0] - alone[1], atol=2e-6)
    assert abs(both - alone).max() > 1e-4, "the article goes along"


@pytest.mark.parametrize(
    ("text", "taken", "left"),
    [
        ("a photo of a cat and a guitar", 4, "a photo of and a guitar"),
        ("a photo of a cat and a guitar", 7, "a photo of a cat and"),
        ("a red car", 1, "a car"),
        ("a red car", 2, "a red"),
        ("a cat , a dog .", 1, "a dog ."),
        ("a cat , a dog .", 4, "a cat ."),
        ("see a cat , a dog , a bee", 5, "see a cat , a bee"),
        ("a photo of a cat , a dog", 4, "a photo of a dog"),
        ("the dog", 0, "dog"),
        ("dog", 0, ""),
    ],
)
def test_what_goes_along(text, taken, left):
    words = text.split()
    assert " ".join(words[n] for n in kept(words, range(taken, taken + 1))) == left


def test_contrast_closes_to_the_difference_of_the_cosines(trace):
    """By another route: shares of every head, layer and token, added up outside the patches."""
    found = cx.contrast(trace, "a dog", "a bicycle")
    parts = cx.head_contributions(trace)
    outside = (
        parts.heads[..., 0].sum((0, 1))
        + parts.attention_bias.sum(0)
        + parts.ffn.sum(0)
        + parts.embedding
        + parts.norm_bias
    )
    features = trace.model.encode_image(trace.pixels)[0]
    cosine = (trace.model.encode_text(["a dog", "a bicycle"]) @ features).numpy()
    expected = cosine[0] - cosine[1]
    np.testing.assert_allclose(found.scores.sum() + outside[0] - outside[1], expected, atol=2e-5)
    np.testing.assert_allclose(found.presence, [expected], atol=1e-6)


def test_contrast_of_texts_that_were_not_recorded(trace, embedded, scene):
    """As if they had been; in the trace's templates; a number still names a recorded text."""
    recorded = cx.contrast(cx.record(embedded, scene.image, ["a dog", "a cow"]), 0, 1)
    found = cx.contrast(trace, "a dog", "a cow")
    assert found.sides == ("a dog", "a cow")
    np.testing.assert_allclose(found.scores, recorded.scores, atol=1e-6)
    np.testing.assert_allclose(cx.contrast(trace, 0, "a cow").scores, recorded.scores, atol=1e-6)
    both = ["a photo of {}", "there is {}"]
    templated = cx.record(embedded, scene.image, "a bus", templates=both)
    expected = cx.record(embedded, scene.image, ["a dog", "a cow"], templates=both)
    np.testing.assert_allclose(
        cx.contrast(templated, "a dog", "a cow").presence,
        cx.contrast(expected, 0, 1).presence,
        atol=1e-6,
    )
    with pytest.raises(IndexError, match="text number 9"):
        cx.contrast(trace, 9, "a cow")


def test_start_and_end_of_a_text_are_those_of_its_tokens(trace):
    text = "a dog and an ambulance"
    said = trace.with_texts(text)
    plain, found = cx.word_maps(said), cx.word_maps(said, ends=True)
    assert found.texts == ("[start]", *plain.texts, "[end]")
    np.testing.assert_array_equal(found.scores[1:-1], plain.scores)
    tokens = cx.token_scores(said)
    for place in (0, -1):
        path = tokens.scores[LEFT_OUT][place]
        np.testing.assert_allclose(found.scores[place].ravel(), path, atol=1e-6)
        np.testing.assert_allclose(found.presence[place], tokens.whole[LEFT_OUT][place], atol=1e-6)
    whole = cx.explain(said, "decomposition")
    np.testing.assert_allclose(found.scores[-1], whole.scores[0], atol=1e-6)
    assert not found.scores[0].any() and "[end] is the whole text" in found.notes[0]


def test_words_in_templates_are_refused_with_the_way_out(trace):
    """`word_maps` is that way: its presence is what the cosine loses, by encoding what is left."""
    said = cx.record(trace.model, trace.images[0], "a dog", templates=["a photo of {}", "{}"])
    for asked in (
        cx.token_scores,
        cx.word_relevance,
        lambda trace: cx.word_relevance(trace, "bimodal"),
    ):
        with pytest.raises(ValueError, match="clipxai.word_maps leaves words out of such texts"):
            asked(said)
    features = trace.model.encode_text(["a dog", ""], templates=["a photo of {}", "{}"])
    cosines = (features @ said.image_features[0]).numpy()
    found = cx.word_maps(said, words=["a dog"])
    np.testing.assert_allclose(found.presence, cosines[:1] - cosines[1:], atol=1e-5)


@pytest.mark.parametrize(
    "asked",
    [dict(method="clip_surgery", redundant="labels"), dict(method="decomposition_among_texts")],
)
def test_labels_stay_labels_beside_a_text_that_was_not_recorded(trace, asked):
    known = trace.with_texts(["a dog", "a cat", "a tree"])
    expected = cx.contrast(known, "a dog", "a cat", **asked)
    found = cx.contrast(trace.with_texts(["a dog", "a tree"]), "a dog", "a cat", **asked)
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-6)


def test_contrast_is_two_sided(trace, scene, tmp_path):
    found = cx.contrast(trace, "a dog", 1)
    turned = cx.contrast(trace, 1, 0)
    np.testing.assert_array_equal(found.scores, -turned.scores)
    heat = found.heatmap(normalize="none")
    assert heat[scene.mask("dog")].mean() > 0 > heat[scene.mask("bicycle")].mean()
    assert found.texts == ("a dog rather than a bicycle",)
    assert "red, speaks for 'a dog'; below zero, blue, for 'a bicycle'" in found.notes[0]
    viewer = cx.view.MethodComparison(found)
    scalings = viewer.payload().header["scalings"]
    assert scalings[0]["label"] == "own scale, zero in the middle" and len(scalings) == 3
    assert [*viewer.payload().header["panels"][0]["merits"]] == ["difference"]
    cx.save(found, tmp_path / "c.npz")
    assert cx.Explanation.from_npz(tmp_path / "c.npz").difference


def test_wrong_questions(said, trace):
    for asked, message in (
        (["cat"], "'cat' does not stand in 'A photo of a dog, a bicycle.'"),
        (["a"], "'a' stands 3 times in"),
        ([(12, 15)], "characters 12 to 15 of .* are ' do', no whole words"),
        ([(900, 910)], "characters 900 to 910 are not all in 'A"),
        ([(-7, 18)], "characters -7 to 18 are not all in 'A"),
        ([], "leaves nothing out"),
        ([""], "'' does not stand"),
        (["dog", "dog"], "'dog' is named twice"),
    ):
        with pytest.raises(ValueError, match=message):
            cx.word_maps(said, text=1, words=asked)
    with pytest.raises(ValueError, match="'' has no words"):
        cx.word_maps(trace.with_texts(""))
    with pytest.raises(ValueError, match="rollout says the same for every text"):
        cx.word_maps(said, "rollout")
    with pytest.raises(ValueError, match="'a dog' is compared with itself"):
        cx.contrast(trace, "a dog", 0)
    with pytest.raises(ValueError, match="attention says the same for every text"):
        cx.contrast(trace, 0, 1, "attention")


def test_relevance_is_what_the_cosine_loses(trace):
    """Whole words, by encoding what is left; the pieces of a word share its drop."""
    found = cx.word_relevance(trace.with_texts("a dog and an ambulance"))
    assert found.method == "leave_out"
    model, image = trace.model, trace.image_features[0]
    texts = ["a dog and an ambulance", "and an ambulance", "a dog and", "a dog an ambulance"]
    whole, no_dog, no_ambulance, no_and = (model.encode_text(texts) @ image).tolist()
    drops = {"dog": whole - no_dog, "ambulance": whole - no_ambulance, "and": whole - no_and}
    for word, drop in drops.items():
        assert found.by_word[word] == pytest.approx(drop, abs=1e-5)
    _, start, stop = found.words[-1]
    assert stop - start > 1, "a word of several pieces"
    assert np.ptp(found.scores[start:stop]) == 0 == found.scores[0] == found.scores[-1]
    maps = cx.word_maps(trace.with_texts("a dog and an ambulance"))
    np.testing.assert_allclose(list(found.by_word.values()), maps.presence, atol=1e-6)
    assert cx.word_relevance(trace.with_texts("")).words == ()
    with pytest.raises(ValueError, match="leave_out has no option 'blocks'; its options: none"):
        cx.word_relevance(trace, blocks=1)


def test_no_image_runs_and_what_shorter_texts_begin_with_is_read_once(trace, monkeypatch):
    told, read = trace.with_texts("a dog and a bicycle"), []
    monkeypatch.setattr(told.model.visual, "forward", None)
    block = told.model.text.blocks[0]
    forward = block.forward
    monkeypatch.setattr(
        block, "forward", lambda x, **told: read.append(x.shape[:2]) or forward(x, **told)
    )
    words = len(told.words(0))
    cx.word_maps(told)
    ((rows, tokens),) = read  # all in one pass
    length = told.token_ids.shape[1]  # of the only text
    assert rows == 1 and length < tokens < 3 / 4 * (length + words * (length - 1)), (tokens, length)


def test_a_contrast_s_parts_close_to_the_difference_of_the_cosines(trace):
    """Patches by `contrast`, all else by `head_contributions`."""
    e, heads = cx.contrast(trace, 0, 1), cx.head_contributions(trace)
    elsewhere = (
        heads.heads[..., 0].sum((0, 1))
        + heads.attention_bias.sum(0)
        + heads.ffn.sum(0)
        + heads.embedding
        + heads.norm_bias
    )
    difference = (trace.image_features @ (trace.text_features[0] - trace.text_features[1])).item()
    assert abs(difference) > 0.01 and e.sides == trace.texts[:2]
    assert e.scores.sum() + elsewhere[0] - elsewhere[1] == pytest.approx(difference, abs=1e-5)


def test_a_contrast_s_sides_are_kept_in_a_file(trace, tmp_path):
    e = cx.contrast(trace, 0, 1)
    again = cx.Explanation.from_npz(cx.save(e, tmp_path / "e.npz"))
    assert again.sides == e.sides and (again.scores == e.scores).all()
    with pytest.raises(ValueError, match="one map of two sides, but here are 1 maps of 1"):
        cx.Explanation(**{**vars(e), "sides": ("a dog",)})


def test_ids_in_a_spelling_of_their_own(trace):
    """Every word by the rows of ids without it, taken out by hand; "cat" is three letters here."""
    model, n = trace.model, trace.model.tokenizer.vocabulary
    start, end = model.tokenizer.start, model.tokenizer.end
    cat, rest = [n["c"], n["a"], n["t</w>"]], [n["and</w>"], n["a</w>"], n["guitar</w>"]]
    told = trace.with_texts(torch.tensor([[start, n["a</w>"], *cat, *rest, end]]))
    assert told.texts == ("a cat and a guitar",)
    assert len(model.tokenizer.encode(told.texts[0])) < 9, "the vocabulary spells it in fewer"
    shorter = {"cat": [start, *rest, end], "guitar": [start, n["a</w>"], *cat, rest[0], end]}
    found, relevance = cx.word_maps(told), cx.word_relevance(told)
    for word, row in shorter.items():
        one, other = told.with_texts(torch.tensor([row])), found.index(word)
        by_hand = cx.explain(told, "decomposition").scores - cx.explain(one, "decomposition").scores
        np.testing.assert_allclose(found.scores[other], by_hand[0], atol=2e-6)
        drop = (trace.image_features @ (told.text_features - one.text_features)[0]).item()
        assert relevance.by_word[word] == pytest.approx(drop, abs=1e-5)
    entering = cx.ablate(told, words="guitar").text_layers[0].residual[0]
    assert (entering == 0).all(-1).nonzero().tolist() == [[7]]


def test_characters_are_those_of_the_text_as_written(trace):
    """The small letter of İ is two, that of ẞ folds to two: found where the word stands by name."""
    for text in ("İİİ cat dog", "ẞ ΑΣ cat dog", "a  cat,\tdog"):
        at, told = text.index("cat"), trace.with_texts(text)
        placed, named = (cx.word_maps(told, words=[word]) for word in ((at, at + 3), "cat"))
        assert placed.texts == ("cat",)
        np.testing.assert_array_equal(placed.scores, named.scores)
    with pytest.raises(ValueError, match="'amp' is not written like that|'cat' is not written"):
        cx.word_maps(trace.with_texts("&amp; amp cat"), words=[(1, 4)])


def test_texts_that_are_one_to_the_model(trace):
    told = trace.with_texts(["cat", "CAT ", "a dog", "cat <|endoftext|> and dog"])
    for one, other in ((0, 1), (1, 3)):
        torch.testing.assert_close(told.text_features[one], told.text_features[other])
        with pytest.raises(ValueError, match="are the same text to this model"):
            cx.contrast(told, one, other)
    assert cx.contrast(told, 0, 2).presence[0] != 0
    templated = trace.with_texts(["cat", "Cat"], ["a photo of a {}."])
    with pytest.raises(ValueError, match="'cat' and 'Cat' are the same text to this model"):
        cx.contrast(templated, 0, 1)


def test_what_was_not_read_is_said(trace):
    """A note on everything asked of it, with the words before the cut, counted by hand."""
    long = "dog " * 29 + "a red car and a cat"
    read = "dog " * 29 + "a"  # 30 words of one token each beside [start] and [end]
    told = trace.with_texts([long, "a cat", long + " behind"], truncate=True)
    assert told.cut == {long: read, long + " behind": read}
    torch.testing.assert_close(told.text_features[0], trace.with_texts(read).text_features[0])
    for e in (cx.explain(told), cx.word_maps(told, text=0, words=[(116, 117)])):
        assert any(
            "nothing behind '…" in note and "dog dog a' was read" in note for note in e.notes
        )
    assert not cx.explain(told.with_texts("a cat")).notes
    with pytest.raises(ValueError, match="which reads both as 'dog dog"):
        cx.contrast(told, 0, 2)
    ended = trace.with_texts("a cat <|endoftext|> and a dog")
    assert ended.cut == {ended.texts[0]: "a cat"} and cx.word_maps(ended).texts == ("a", "cat")
    assert "nothing behind 'a cat' was read" in " ".join(cx.explain(ended).notes)
    templated = trace.with_texts(["a cat", "dog " * 27], ["{}", "a photo of {}"], truncate=True)
    assert not templated.cut
    templated = trace.with_texts(["a cat", "dog " * 30], ["{}", "a photo of {}"], truncate=True)
    assert templated.cut == {"dog " * 30: "a photo of" + " dog" * 27}


def test_labels_of_word_maps_are_refused(said):
    for labels in ("labels", ["a cat", "sky"]):
        with pytest.raises(ValueError, match="would take the shortened texts for labels"):
            cx.word_maps(said, "clip_surgery", text=1, redundant=labels)
    one, every = (
        cx.word_maps(said, "clip_surgery", text=1, words=words, redundant="empty")
        for words in (["dog"], None)
    )
    np.testing.assert_allclose(one.scores[0], every.scores[4], atol=2e-6)


def test_a_contrast_needs_no_recorded_texts(embedded, scene, trace):
    """Of an image that was recorded alone it is that of the two texts."""
    alone = cx.record(embedded, scene.image)
    right = cx.contrast(trace, "a dog", "a bicycle").scores
    np.testing.assert_allclose(cx.contrast(alone, "a dog", "a bicycle").scores, right, atol=1e-6)
