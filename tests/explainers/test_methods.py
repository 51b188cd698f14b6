"""Every method of the table, by being in the table."""

import copy
import importlib
import inspect
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch
from method_examples import QUICK, SMALL, second_route

import clipxai as cx
from clipxai.explainers.method import ADVICE, SCORE, WHERE
from clipxai.explainers.presets import PRESETS, SWITCHES
from clipxai.model.towers.resnet import ModifiedResNet
from clipxai.model.towers.vit import VisionTransformer
from clipxai.trace.readout import head_vectors

VIT = [
    name for name, method in cx.METHODS.items() if VisionTransformer.has.issuperset(method.requires)
]
RESNET = [
    name for name, method in cx.METHODS.items() if ModifiedResNet.has.issuperset(method.requires)
]
WORDS = [name for name, method in cx.METHODS.items() if method.words]
TEXTS = ["a dog", "a bicycle", "a pizza"]
PLACES = {
    "naclip": "favours near patches",
    "resclip": "favours near patches",
    "gscorecam": "its masks are smooth over the picture",
    "rise": "its masks are smooth over the picture",
    "m2ib": "its noise is drawn place by place",
}  # methods that look at places by themselves
LAST_BLOCK_ALONE = ("naclip", "clearclip", "resclip")  # no residual stream, no FFN, other attention


def record(model, image, name, texts=TEXTS):
    return cx.record(model, image, texts, size=SMALL.get(name))


def explain(trace, name):
    return cx.explain(trace, name, **QUICK.get(name, {}))


def explain_all(trace, name):
    return cx.explain_all(trace, name, **QUICK.get(name, {}))


def assert_same(a, b, tolerance=1e-3):
    """Equal up to a thousandth of the map's largest value: float32 through many layers."""
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * abs(b).max())


@pytest.fixture(scope="module")
def images():
    return [cx.scenes.sample(seed).image for seed in (3, 4)]


@pytest.mark.parametrize("name", VIT)
def test_shape_sign_and_meaning(embedded, scene, name):
    e, side = explain(record(embedded, scene.image, name), name), SMALL.get(name, 112) // 8
    assert e.scores.shape == (3, side, side) and e.scores.dtype == np.float32
    assert np.isfinite(e.scores).all() and e.varies(0)
    assert e.texts == tuple(TEXTS) and e.method == name and e.unit and e.presence.shape == (3,)
    assert e.provenance["source"] == "embedded"


@pytest.mark.parametrize("name", RESNET)
def test_on_a_resnet(golden_resnet, name):
    model, arrays, _ = golden_resnet
    explained = explain_all(
        cx.record(model, arrays["image"], arrays["tokens"], normalized=True), name
    )
    assert [e.scores.shape for e in explained] == [(12, 4, 4)] * 2
    assert all(np.isfinite(e.scores).all() and e.varies() for e in explained)


@pytest.mark.parametrize("name", VIT)
def test_batch_equals_one_by_one(embedded, images, name):
    trace = record(embedded, images, name)
    for n, (image, e) in enumerate(zip(images, explain_all(trace, name), strict=True)):
        alone = explain(record(embedded, image, name), name)
        assert_same(alone.scores, e.scores)
        of_batch = cx.explain(trace, name, image=n, **QUICK.get(name, {}))
        assert_same(alone.scores, of_batch.scores)
        assert of_batch.presence.shape == alone.presence.shape == (len(trace.texts),)
    with pytest.raises(ValueError, match=r"\d images were recorded: say which with image=0 to"):
        cx.explain(trace, name)
    with pytest.raises(IndexError, match="image number 9"):
        cx.explain(trace, name, image=9)


@pytest.mark.parametrize("name", VIT)
def test_order_of_texts_does_not_matter(embedded, scene, name):
    e = explain(record(embedded, scene.image, name), name)
    turned = explain(record(embedded, scene.image, name, TEXTS[::-1]), name)
    assert_same(e.scores[::-1], turned.scores)


@pytest.mark.parametrize("name", VIT)
def test_permuting_patches_permutes_the_map(embedded, name):
    """Without positions a transformer does not know where a patch is; few methods look at places by
    themselves.
    """
    # in float32, slopes by pixel cancel to noise
    model, n = copy.deepcopy(embedded).double(), SMALL.get(name, 112) // 8
    model.visual.positions.table[1:] = 0
    image = torch.randn(1, 3, 8 * n, 8 * n, generator=torch.Generator().manual_seed(1))
    order = torch.randperm(n * n, generator=torch.Generator().manual_seed(2))
    patches = image.unfold(2, 8, 8).unfold(3, 8, 8).reshape(1, 3, n * n, 8, 8)
    shuffled = (
        patches[:, :, order]
        .reshape(1, 3, n, n, 8, 8)
        .permute(0, 1, 2, 4, 3, 5)
        .reshape(1, 3, 8 * n, 8 * n)
    )
    plain, moved = (
        explain(cx.record(model, x.double(), TEXTS, normalized=True), name).scores.reshape(3, n * n)
        for x in (image, shuffled)
    )
    same = np.allclose(plain[:, order], moved, rtol=0, atol=1e-5 * abs(plain).max())
    assert same == (name not in PLACES)


@pytest.mark.parametrize("name", VIT)
def test_a_random_model_gives_another_map(embedded, scene, name):
    """Model-randomisation sanity check (Adebayo et al. 2018): a map that ignores the weights
    explains nothing, nor does one whose sign alone they decide.

    Smooth maps of two unrelated models agree by chance (|r| of 0.1 to 0.4, whichever sign). What
    the last block alone gives of the embedded model is nearly flat, and what little there is of a
    pattern is the picture's: |r| of 0.6.
    """

    def maps():
        return explain(record(embedded, scene.image, name), name).scores.reshape(3, -1)

    trained, agreement = maps(), []
    state = {key: tensor.clone() for key, tensor in embedded.state_dict().items()}
    try:
        for seed in range(6):
            noise = torch.Generator().manual_seed(seed)
            for tensor in (tensor for tensor in embedded.state_dict().values() if tensor.ndim >= 2):
                tensor.copy_(torch.randn(tensor.shape, generator=noise) * tensor.std())
            agreement += [abs(np.corrcoef(a, b)[0, 1]) for a, b in zip(trained, maps())]
    finally:
        embedded.load_state_dict(state)
    assert np.mean(agreement) < (0.7 if name in LAST_BLOCK_ALONE else 0.5)


def test_reversed_is_minus_raw(trace):
    np.testing.assert_array_equal(
        cx.explain(trace, "reversed_clip").scores, -cx.explain(trace, "clip").scores
    )


def test_a_single_text_uses_the_empty_one_and_says_so(trace):
    one = trace.with_texts("a dog")
    e = cx.explain(one, "clip_surgery", redundant="labels")
    assert e.varies() and "the empty text was subtracted" in e.notes[0] and "empty text" in e.unit
    np.testing.assert_array_equal(e.scores, cx.explain(one, "clip_surgery").scores)


@pytest.mark.parametrize(
    ("method", "options", "texts"),
    [
        ("clip_surgery", {}, [""]),
        ("clip_surgery", {"redundant": "labels"}, ["a dog", "A dog", "a  dog"]),
        ("decomposition_among_texts", {}, ["a dog", "A dog", "a  dog"]),
    ],
)
def test_what_is_all_subtracted_leaves_no_map_of_rounding(trace, method, options, texts):
    found = cx.explain(trace.with_texts(texts), method, **options)
    assert not found.scores.any() and not found.varies(0)
    other = cx.explain(trace.with_texts([*texts, "a bicycle"]), method, **options)
    assert other.scores.reshape(len(texts) + 1, -1).any(1)[-1]


def test_switches(trace):
    assert not np.allclose(cx.explain(trace, blocks=3).scores, cx.explain(trace).scores, atol=1e-3)
    assert cx.explain(trace, "clip_surgery", ffn=True).provenance["options"] == "ffn=True"
    with pytest.raises(
        ValueError,
        match=(
            "clip_surgery has no option 'depth'; its options: redundant, temperature, attention, "
            "blocks"
        ),
    ):
        cx.explain(trace, depth=3)
    with pytest.raises(ValueError, match="reversed_clip has no option 'blocks'; its options: none"):
        cx.explain(trace, "reversed_clip", blocks=3)
    with pytest.raises(
        ValueError,
        match="redundant='all', but 'empty' or 'labels' or a list, each a text or None is needed",
    ):
        cx.explain(trace, redundant="all")
    with pytest.raises(
        ValueError, match="redundant=None subtracts nothing: ask for clip_surgery_architecture"
    ):
        cx.explain(trace, redundant=None)


def test_unknown_methods_and_architectures(trace, golden_resnet):
    with pytest.raises(ValueError, match="unknown method 'clip_sugery'; nearest: clip_surgery"):
        cx.explain(trace, "clip_sugery")
    with pytest.raises(
        ValueError,
        match="clip_surgery_released cannot be asked of Emoji .* class token: .* attention pool",
    ):
        cx.explain(trace, "clip_surgery_released")
    model, arrays, _ = golden_resnet
    with pytest.raises(
        ValueError,
        match="gem cannot be asked of .*, a ResNet with .*: that requires transformer blocks",
    ):
        cx.explain(cx.record(model, arrays["image"], arrays["tokens"], normalized=True), "gem")


@pytest.mark.parametrize(
    ("method", "options", "message"),
    [
        ("m2ib", {"steps": 0}, "steps=0, but a whole number from 1 to 10,000 is needed"),
        ("integrated_gradients", {"steps": 0}, "steps=0"),
        ("gscorecam", {"channels": -1}, "channels=-1"),
        ("rise", {"masks": 0}, "masks=0"),
        (
            "naclip",
            {"neighbourhood": 0},
            "neighbourhood=0, but a finite number from 0.001 to 1,000,000 or None is needed",
        ),
        (
            "clip_surgery",
            {"temperature": 5.0},
            "temperature=5.0 changes nothing where the empty text is subtracted",
        ),
        (
            "clip_surgery",
            {"class_token": "new"},
            "unknown class_token 'new'; choose one of original, rewritten",
        ),
    ],
)
def test_switches_that_leave_nothing_to_compute(trace, method, options, message):
    with pytest.raises(ValueError, match=message):
        cx.explain(trace, method, **options)


def test_the_table_prints():
    table = cx.methods()
    assert [line.split()[0] for line in repr(table).splitlines() if line[0] != " "] == list(
        cx.METHODS
    )
    assert "arXiv 2304.05653" in repr(table) and "<td" in table._repr_html_()
    # each says which question it answers, and the table which to take for it
    for method in table:
        assert ADVICE in table._repr_html_() and method.answers in (WHERE, SCORE)
    assert "what made the score: drop of the score when covered" in repr(table)
    best = {WHERE: "clip_surgery", SCORE: "decomposition"}
    assert all(cx.METHODS[name].answers == question for question, name in best.items())
    assert all(f"{name} for" in ADVICE for name in best.values())


def test_every_paper_of_the_table_has_an_entry():
    table = cx.methods()
    entries = re.split(r"\n(?=@)", table.bibtex())
    assert len({entry.split(",")[0] for entry in entries}) == len(entries) == 22
    for method in table:
        if "unverified" in method.reference:
            with pytest.raises(ValueError, match="no paper is known"):
                table.bibtex(method.name)
            continue
        entry = table.bibtex(method.name)
        assert entry.count("@") == 1 and entry.count("{") == entry.count("}")
        [first] = re.findall(r"author = \{([\w-]+),", entry)
        [year] = re.findall(r"year = \{(\d{4})\}", entry)
        number = re.search(r"arXiv ([\d.]+)$|ACCV (\d+)$", method.reference)
        assert method.reference.startswith(first), "the table names the first author"
        if number[1]:  # a paper appears after its preprint
            assert f"eprint = {{{number[1]}}}" in entry and int(year) >= 2000 + int(number[1][:2])
        else:
            assert year == number[2]
    assert table.bibtex("gem", "clip_surgery").count("@") == 2
    with pytest.raises(ValueError, match="unknown method 'nothing'"):
        table.bibtex("nothing")


def test_the_page_of_methods_says_what_is_true():
    """A section for each, under the question that it answers, with the defaults it has."""
    page = (Path(__file__).parents[2] / "docs/methods.md").read_text(encoding="utf-8")
    where, score = page.split("## What made the score")
    for name, method in cx.METHODS.items():
        part = where if method.answers == WHERE else score
        assert part.count(f"### `{name}`\n") == 1, name
        section = part.split(f"### `{name}`\n")[1].split("\n#")[0]
        told = dict(
            re.findall(r"`(\w+)=([^`]+)`", section.split("Defaults:")[1].split("Released")[0])
        )
        own = inspect.signature(method.function).parameters
        expected = {option: repr(own[option].default) for option in method.options if option in own}
        if method.preset is not None:
            preset = PRESETS[method.preset]
            switches = {
                option: repr(getattr(preset, option)) for option in told if option in SWITCHES
            }
            changed = {f.name for f in fields(preset) if getattr(preset, f.name) != f.default}
            if "blocks" in method.options and preset.blocks:
                assert changed <= set(told), name
            expected |= switches
        assert told == expected, name


def test_every_method_has_a_second_route():
    """A method is proved by a test that says so (`@second_route`); a row of the table without one
    fails here.
    """
    modules = [
        importlib.import_module(path.stem) for path in Path(__file__).parent.glob("test_*.py")
    ]
    tests = [
        value
        for module in modules
        for name, value in vars(module).items()
        if name.startswith("test_")
    ]
    proved = {method for test in tests for method in getattr(test, "proves", ())}
    assert proved == {*cx.METHODS, *(f"words of {name}" for name in WORDS)}


def test_a_second_route_that_calls_what_it_proves_is_none(trace):
    """Whatever it calls: the tokens behind the method, another method, or its gradients."""

    @second_route("gem")
    def honest(trace):
        assert cx.explain(trace, "gem").varies() and trace.attention(7).sum() > 0

    honest(trace=trace)
    for asked in (
        lambda trace: cx.rewrite(trace, "gem"),
        lambda trace: cx.explain(trace, "clip"),
        lambda trace: cx.METHODS["clip"].function(trace),
        lambda trace: list(cx.explain_each(trace.model, trace.images, ["a dog"])),
        lambda trace: head_vectors(trace, 7),
    ):
        with pytest.raises(AssertionError, match="a second route may not call what it proves: "):
            second_route("gem")(asked)(trace=trace)
    with pytest.raises(AssertionError, match="e is an answer, made before"):
        second_route("gem")(lambda e: None)(e=cx.explain(trace, "gem"))


@pytest.mark.parametrize("name", VIT)
def test_leaves_no_gradient_behind(embedded, scene, name):
    """With a model in training, under no_grad or inference_mode: the flags stay, nothing is
    accumulated, nothing hangs on the result.
    """
    model = copy.deepcopy(embedded).requires_grad_(True)
    state = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    expected = explain(record(embedded, scene.image, name), name).scores
    trace = record(model, scene.image, name)
    with torch.no_grad():
        scores = [cx.METHODS[name].function(trace, **QUICK.get(name, {})).values]
        assert not torch.is_grad_enabled()
    with torch.inference_mode():
        e = explain(record(model, scene.image, name), name)
    assert_same(e.scores, expected)
    assert torch.is_grad_enabled() and not any(values.requires_grad for values in scores)
    assert all(
        parameter.requires_grad and parameter.grad is None for parameter in model.parameters()
    )
    assert all(torch.equal(state[key], tensor) for key, tensor in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


@pytest.mark.parametrize("name", WORDS)
def test_words(trace, name):
    two = trace.with_texts(["a dog and a bicycle", "an ambulance"])
    first, second = (cx.word_relevance(two, name, text) for text in range(2))
    assert first.tokens == (
        "[start]",
        "a",
        "dog",
        "and",
        "a",
        "bicycle",
        "[end]",
    ) and first.scores.shape == (7,)
    assert list(first.by_word) == [
        "a (1)",
        "dog",
        "and",
        "a (4)",
        "bicycle",
    ] and f"by {name} (" in repr(first)
    if name == "occlusion":  # the only one that the model itself answers
        assert max(first.by_word, key=first.by_word.get) in ("dog", "bicycle"), (
            "not the word that names a thing"
        )
    alone = cx.word_relevance(trace.with_texts(["an ambulance"]), name)
    assert (
        second.tokens[0] == "[start]"
        and "".join(second.tokens[slice(*second.words[1][1:])]) == "ambulance"
    )
    np.testing.assert_allclose(
        second.scores,
        alone.scores,
        rtol=0,
        atol=1e-6 * abs(alone.scores).max(),
        err_msg="another text matters",
    )


def test_wrong_questions_about_words(trace):
    with pytest.raises(
        ValueError,
        match="legrad says nothing about words; choose one of leave_out, bimodal, grad_eclip",
    ):
        cx.word_relevance(trace, "legrad")
    with pytest.raises(ValueError, match="texts recorded as they are"):
        cx.word_relevance(trace.with_texts(["dog"], templates=["a photo of a {}"]))
    with pytest.raises(
        ValueError, match="the words of bimodal has no option 'relu'; its options: blocks"
    ):
        cx.word_relevance(trace, "bimodal", relu=True)
    with pytest.raises(
        ValueError, match="blocks=9, but this tower has 3: pass 1 to 3, or None for all"
    ):
        cx.word_relevance(trace, "bimodal", blocks=9)
    with pytest.raises(ValueError, match="blocks=0, but this tower has 8"):
        cx.explain(trace, "legrad", blocks=0)
    with pytest.raises(ValueError, match="window=2, but a square around a patch is an odd number"):
        cx.explain(trace, "occlusion", window=2)


def test_many_texts_are_taken_in_turns(embedded, scene):
    texts = [
        f"a {name}"
        for name in (
            "dog",
            "bicycle",
            "pizza",
            "cat",
            "car",
            "tree",
            "book",
            "bus",
            "apple",
            "horse",
        )
    ]
    many = cx.explain(cx.record(embedded, scene.image, texts), "bimodal").scores
    for n in (0, 9):
        assert_same(
            cx.explain(cx.record(embedded, scene.image, texts[n]), "bimodal").scores[0], many[n]
        )


@pytest.mark.parametrize("name", [name for name, row in cx.METHODS.items() if row.words])
def test_words_of_the_last_image_counted_from_the_end(embedded, images, name):
    """A negative number, once sliced as it came, asked about no image at all: silent zeros."""
    trace = cx.record(embedded, images, ["a dog on grass"])
    last = len(trace.images) - 1
    found, expected = (cx.word_relevance(trace, name, image=n) for n in (-1, last))
    np.testing.assert_array_equal(found.scores, expected.scores)
    assert np.abs(found.scores).max() > 0 and found.picture.number == last
