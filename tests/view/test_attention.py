"""Does the attention viewer tell the numbers of its maps, within what it states, and in no more
bytes than a notebook bears?
"""

import json
import re
import zlib
from dataclasses import replace

import numpy as np
import pytest
from attention_examples import attention_example
from matplotlib.patches import Circle
from test_figures import assert_tidy, words
from view_examples import HOSTILE, SCENE, damaged

from clipxai.results.findings import AttentionMaps, on_patches
from clipxai.scenes import compose
from clipxai.view import LayerAttentionViewer, save, show
from clipxai.view.html import fragment, page
from clipxai.view.layer_attention.content import telling_layer, telling_query
from clipxai.view.layer_attention.packing import CODINGS, arrays_of, given_up, lift
from clipxai.view.number import tenth
from clipxai.view.payload import pack, unpack

SINKS = (7, 20)
BIG = compose(["owl", "clock"], "forest", seed=3, size=336).image


def restored(viewer: LayerAttentionViewer, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Head means (L, N, N) and class rows (L, H, N) as the browser puts them together."""
    payload = viewer.payload()
    arrays, columns = unpack(payload), payload.header["columns"]
    mean, rows = arrays[f"mean_{kind}"].copy(), arrays[f"class_{kind}"].copy()
    mean[..., columns] = np.swapaxes(arrays[f"columns_{kind}"], 1, 2)
    tokens = np.arange(mean.shape[-1])
    mean[:, tokens, tokens] = arrays[f"own_{kind}"]
    rows[..., columns] = arrays[f"class_columns_{kind}"]
    return mean, rows


@pytest.mark.parametrize("steps", list(CODINGS))
@pytest.mark.parametrize("kind", ["qk", "vv"])
def test_weights_arrive_within_the_stated_error(steps: int, kind: str):
    maps = attention_example(sinks=SINKS)
    mean, rows = restored(LayerAttentionViewer(maps, steps=steps), kind)
    columns = [0, *(1 + s for s in SINKS)]
    rest, _, _ = lift(maps.mean[kind], columns)
    peak = rest.max(-1, keepdims=True)
    error = np.abs(mean - maps.mean[kind])
    assert (error <= peak / steps + 1e-5).all()
    assert (error <= np.sqrt(mean * peak) / steps + peak / (4 * steps**2) + 1e-5).all(), (
        "what a tooltip states"
    )
    tokens = np.arange(mean.shape[-1])
    assert error[..., columns].max() < 1e-5 and error[:, tokens, tokens].max() < 1e-5, (
        "the exact ones"
    )
    heads = maps.class_rows[kind].copy()
    heads[..., columns] = 0
    assert (
        np.abs(rows - maps.class_rows[kind]) <= heads.max(-1, keepdims=True) / steps + 1e-5
    ).all()


@pytest.mark.parametrize("kind", ["qk", "vv"])
def test_single_heads_arrive_within_the_stated_error(kind: str):
    maps = attention_example(sinks=SINKS, headed=(2, 0))
    payload = LayerAttentionViewer(maps).payload()
    arrays, columns = unpack(payload), payload.header["columns"]
    assert payload.header["headed"] == [2, 0]
    true = np.concatenate([maps.heads[2][kind], maps.heads[0][kind]])  # K * H, N, N
    rest, own, lifted = lift(true, columns)
    peak = rest.max(-1, keepdims=True)
    assert (
        np.abs(arrays[f"heads_{kind}"] - rest)
        <= np.sqrt(rest * peak) / 23 + peak / (4 * 23**2) + 1e-5
    ).all()
    np.testing.assert_allclose(arrays[f"heads_own_{kind}"], own, atol=1e-5)
    np.testing.assert_allclose(arrays[f"heads_columns_{kind}"], lifted, atol=1e-5)


def test_single_heads_are_given_up_first_and_layer_by_layer():
    maps = attention_example(9, 4, (8, 8), headed=(8, 3))
    sizes = [
        LayerAttentionViewer(replace(maps, heads={n: maps.heads[n] for n in kept})).payload().size
        for kept in ((8, 3), (8,), ())
    ]
    assert sizes[0] > sizes[1] > sizes[2]
    for budget, kept in ((sizes[0], [8, 3]), (sizes[1] + 200, [8]), (sizes[2] + 400, [])):
        header = LayerAttentionViewer(maps, budget=budget).payload().header
        assert header["headed"] == kept and header["steps"] == 23
        dropped = [
            f"To keep the figure small, layer {n} has single heads for [class] only."
            for n in (3, 8)
            if n not in kept
        ]
        assert header["dropped"] == dropped


def test_single_heads_are_those_of_the_trace(trace):
    import clipxai as cx

    maps = cx.attention_maps(trace).with_heads(trace, [3, -1])
    assert list(maps.heads) == [3, 7]
    np.testing.assert_array_equal(maps.heads[3]["vv"], trace.attention(3, "vv")[0].numpy())
    with pytest.raises(IndexError, match=r"layer 8, but this model has 8 \(0 to 7\)"):
        maps.with_heads(trace, [8])
    with pytest.raises(ValueError, match="image 0 of this trace is not the one that was looked at"):
        attention_example(8).with_heads(trace)
    other = cx.load()
    other.visual.blocks[2].mlp.up.weight.zero_()
    with pytest.raises(ValueError, match="another mean than these maps: it is of another model"):
        maps.with_heads(cx.record(other, trace.images[0], "a cat"))


def test_sinks_do_not_coarsen_the_others():
    maps = attention_example(sinks=SINKS)
    blind = replace(maps, sinks=())
    errors = [
        np.abs(restored(LayerAttentionViewer(m), "qk")[0] - maps.mean["qk"]).mean()
        for m in (maps, blind)
    ]
    assert errors[0] < errors[1] / 2


def test_statistics_and_rollout_arrive_exactly():
    maps = attention_example()
    arrays = unpack(LayerAttentionViewer(maps).payload())
    for name in ("entropy", "distance", "on_class", "rollout"):
        np.testing.assert_array_equal(arrays[name], getattr(maps, name))


@pytest.mark.parametrize(
    ("coding", "steps"), [("sqrt63", 63), ("sqrt31", 31), ("sqrt23", 23), ("sqrt15", 15)]
)
def test_coarse_codings_keep_their_word(coding: str, steps: int):
    rows = np.random.default_rng(0).random((50, 40)).astype(np.float32) ** 5
    decoded = unpack(pack({}, {"x": (rows, coding)}))["x"]
    peak = rows.max(-1, keepdims=True)
    assert (
        np.abs(decoded - rows) <= np.sqrt(rows * peak) / steps + peak / (4 * steps**2) + 1e-6
    ).all()
    assert np.abs(decoded - rows).max() <= peak.max() / steps


@pytest.mark.parametrize("coding", ["u8sqrt", "sqrt23"])
def test_rows_travel_as_differences_and_arrive_as_they_were(coding: str):
    rng = np.random.default_rng(3)
    kinds = rng.random((2, 9, 60)) ** 5
    rows = (
        np.take_along_axis(kinds, rng.integers(0, 9, (2, 300, 1)), 1)
        + 0.02 * rng.random((2, 300, 60))
    ).astype(np.float32)
    rows[0, 7] = 0  # nothing is like a row of zeros
    rows[1, 299] = np.nan
    plain, small = pack({}, {"x": (rows, coding)}), pack({}, {"x": (rows, coding)}, deflate=True)
    np.testing.assert_array_equal(unpack(small)["x"], unpack(plain)["x"])
    entry, blob = small.header["arrays"]["x"], zlib.decompress(small.blob)
    above = np.frombuffer(blob, np.uint8, 600, entry["above"]).reshape(2, 300)
    assert (
        above[0, 0] == above[0, 7] == above[1, 0] == 0
        and (above > 0).mean() > 0.9
        and above.max() < 256
    )
    assert len(small.blob) < 0.85 * len(zlib.compress(plain.blob, 9)), (
        "what else would the differences be for?"
    )


def test_deflated_payload_is_smaller_and_says_so():
    arrays = {"x": (np.arange(4000) % 7 / 7, "f32")}
    plain, small = pack({}, arrays), pack({}, arrays, deflate=True)
    assert small.header["deflated"] is True and "deflated" not in plain.header
    assert small.size < plain.size / 4
    np.testing.assert_array_equal(unpack(small)["x"], unpack(plain)["x"])


def in_notebook(maps: AttentionMaps) -> int:
    return sum(map(len, LayerAttentionViewer(maps)._repr_mimebundle_().values()))


@pytest.mark.parametrize(("seed", "side"), [(159, 112), (8, 112), (102, 112), (102, 800)])
def test_embedded_models_figure_is_small_in_a_notebook(
    request: pytest.FixtureRequest, capsys: pytest.CaptureFixture, seed: int, side: int
):
    """Scenes 159 and 102 make the largest figures of the first 200: on bricks, where every patch
    attends otherwise.
    """
    pytest.importorskip("torch")
    import clipxai as cx

    image = cx.scenes.sample(seed, size=side).image
    maps = cx.attention_maps(cx.record(request.getfixturevalue("embedded"), image, ["a dog"]))
    assert maps.mean["qk"].shape == (8, 197, 197)
    size = in_notebook(maps)
    with capsys.disabled():
        print(
            f"\nembedded model: {size / 1000:.0f} kB in a notebook, payload "
            f"{LayerAttentionViewer(maps).payload().size / 1000:.0f} kB",
            end=" ",
        )
    assert size <= 600_000


def test_a_large_models_figure_is_bearable(capsys: pytest.CaptureFixture):
    maps = attention_example(12, 12, (14, 14), sinks=(5, 100), image=BIG, headed=(11,))
    size, payload = in_notebook(maps), LayerAttentionViewer(maps).payload()
    with capsys.disabled():
        print(
            f"\nViT-B/16, heads of a layer: {size / 1000:.0f} kB in a notebook, payload "
            f"{payload.size / 1000:.0f} kB",
            end=" ",
        )
    assert size <= 1_500_000 and payload.header["dropped"] == []


def test_what_is_given_up_is_said_in_order():
    maps = attention_example(9, 4, (8, 8))
    whole = LayerAttentionViewer(maps).payload()
    coarse = LayerAttentionViewer(maps, budget=whole.size - 1000).payload()
    assert coarse.header["steps"] == 15 and [
        "15 steps" in line for line in coarse.header["dropped"]
    ] == [True]
    few = LayerAttentionViewer(maps, budget=int(whole.size * 0.75), layer=4).payload()
    assert few.header["dropped"][1:] == [
        "To keep the figure small, every second layer is left out; the last one stays."
    ]
    assert few.header["layers"] == [0, 2, 4, 6, 8] and few.header["layer"] == 2
    arrays = unpack(few)
    np.testing.assert_array_equal(arrays["entropy"], maps.entropy[::2])
    assert arrays["mean_qk"].shape == (5, 65, 65) and arrays["viridis"].shape == (256, 3)
    with pytest.raises(ValueError, match="budget is 500"):
        LayerAttentionViewer(maps, budget=500).payload()


def test_first_query_is_what_the_class_token_looks_at_and_no_sink():
    maps = attention_example(sinks=SINKS)
    row = maps.mean["qk"][-1, 0].copy()
    assert row[1:].argmax() in SINKS
    row[[0, *(1 + s for s in SINKS)]] = 0
    assert telling_query(maps) == row.argmax()


def test_with_truth_the_first_query_is_the_middle_of_the_first_thing_and_places_have_names():
    """The owl of a scene of an owl and a clock, in whichever order the scene knows them."""
    maps, names = attention_example(grid=(14, 14)), ("owl", "clock")
    for order in (names, names[::-1]):
        truth = {name: SCENE.mask(name) for name in order}
        viewer = LayerAttentionViewer(maps, truth=truth)
        ys, xs = SCENE.mask(order[0]).nonzero()
        size = np.array(SCENE.image.shape[:2]) / 14
        row, column = divmod(viewer.query - 1, 14)
        assert np.hypot(*(np.array([row, column]) + 0.5 - [ys.mean(), xs.mean()] / size)) < 1.5
        header = viewer.payload().header
        assert header["on"][viewer.query - 1] == order[0], "on the thing, not only beside it"
        at = f"row {row}, column {column} ({order[0]})"
        assert f" {at} looks most" in header["story"]
        assert f"query: {at}" in words(viewer.figure())
        assert f"in the middle of “{order[0]}”" in header["notes"][-1]
    inside = np.array(viewer.on) == "owl"
    assert inside.tolist() == on_patches(SCENE.mask("owl"), maps.picture.grid).tolist()
    nowhere = np.zeros_like(SCENE.mask("owl"))
    alone = LayerAttentionViewer(maps, truth={"mouse": nowhere})
    assert alone.query == LayerAttentionViewer(maps).query and alone.on == [""] * 196
    lesson = LayerAttentionViewer(maps, query=(0, 0), truth=truth)
    assert lesson.query == 1 and "Shown first" not in " ".join(lesson.notes)


def test_what_is_said_of_the_first_patch_of_a_pool_and_of_a_single_patch():
    """A sink may be looked at more than the patch that is shown first, and is left out of it."""
    for sinks, aside in (((7,), ", sinks aside"), ((), "")):
        viewer = LayerAttentionViewer(attention_example(sinks=sinks))
        first = "the patch that [class] looks at most in the last layer"
        assert f"Shown first: {first}{aside}, in the layer" in " ".join(viewer.notes)
    pool = LayerAttentionViewer(attention_example(whole="[pool]")).payload().header["words"]
    assert pool["query_pool"] == ", over the image{nearly}", "which only the browser knows"
    alone = LayerAttentionViewer(attention_example(grid=(1, 1))).payload().header
    assert alone["story"].endswith("row 0, column 0 has no other patch to look at.")


def test_sinks_are_circled_where_they_are_looked_at_so_much():
    """The two routes agree: the mean over the later layers makes a sink, each layer its circle."""
    maps = attention_example(layers=6, grid=(14, 14), sinks=(7, 20))
    maps = damaged(maps)
    maps.mean["qk"][1, :, 8] = 1 / 400  # the first of them is none in layer 1
    viewer = LayerAttentionViewer(maps, layer=1)
    header = viewer.payload().header
    received = maps.mean["qk"].mean(1)[:, [8, 21]] * 197
    assert header["sinks_in"] == [np.array([8, 21])[layer > 5].tolist() for layer in received]
    assert header["sinks_in"][1] == [21] and header["sinks_in"][3] == [8, 21]
    photo = viewer.figure().axes[0]
    assert len([patch for patch in photo.patches if isinstance(patch, Circle)]) == 2, "and its rim"
    assert "Circles: sinks" in " ".join(words(viewer.figure()))
    assert not LayerAttentionViewer(attention_example()).payload().header["sinks_in"][0]
    few = maps.mean["qk"].astype(np.float64)[3:].mean((0, 1)) * 197
    assert sorted((few > 5).nonzero()[0]) == [8, 21]


def test_every_statistic_says_what_it_is_in_words_with_its_unit():
    told = LayerAttentionViewer(attention_example()).payload().header["statistics"]
    assert [one["unit"] for one in told] == ["bits", "patches", "of 1"]
    assert f"{tenth(np.log2(31))} bits: at all alike" in told[0]["meaning"]
    assert "1 patch: beside it" in told[1]["meaning"]
    assert "spends on the class token" in told[2]["meaning"]


def test_first_layer_is_where_the_kinds_differ_most():
    maps = damaged(attention_example(4))
    maps.mean["vv"][:] = maps.mean["qk"]
    maps.mean["vv"][2, 9] = np.roll(maps.mean["qk"][2, 9], 5)
    assert telling_layer(maps, 9) == 2
    assert telling_layer(replace(maps, mean={"qk": maps.mean["qk"]}), 9) == 3


def test_a_tower_whose_pool_reads_the_image_speaks_of_no_class_token():
    """Token 0 looks and is not looked at: an even gaze is one of the patches alone."""
    maps = attention_example(whole="[pool]", headed=(1,), sinks=(7,))
    viewer = LayerAttentionViewer(maps)
    header, arrays = viewer.payload().header, unpack(viewer.payload())
    assert (header["whole"], header["beside"], header["tokens"]) == ("[pool]", "", 30)
    assert [one["name"] for one in header["statistics"]] == ["entropy", "distance"]
    told = json.dumps(header)
    assert "[class]" not in told and "mean of its 2 heads" in told
    read = maps.pool.copy()
    np.testing.assert_allclose(arrays["pool"][:, 1:], [read.mean(0), *read], atol=1e-6)
    assert not arrays["pool"][:, 0].any()
    read[:, 7] = 0
    assert viewer.query == 1 + read.mean(0).argmax(), "what the pool reads most, and no sink"
    gazes = []
    for kind, mean in maps.mean.items():
        weights = mean[viewer.layer, viewer.query].astype(float)
        weights[viewer.query] = 0
        row, column = divmod(int(weights.argmax()) - 1, 6)
        gazes.append(
            f"row {row}, column {column} by {kind[0]}-{kind[1]} ({tenth(30 * weights.max())}×"
        )
    row, column = divmod(viewer.query - 1, 6)
    assert header["story"] == (
        f"In layer {viewer.layer}, row {row}, column {column} looks most, beside itself, at "
        f"{gazes[0]} an even gaze), at {gazes[1]})."
    )
    assert_tidy(viewer.figure())
    said = " ".join(words(viewer.figure()))
    assert "a learned query reads all tokens at the end" in said and "[class]" not in said
    steps, few = given_up(maps, 23), arrays_of(maps, 23)
    for _, lighten in steps:
        header, few = lighten(header, few)
    assert len(header["layers"]) == 1 and few["pool"][0].shape == (3, 31)
    assert steps[0][0].endswith("layer 1 has single heads for [pool] only.")
    mean = LayerAttentionViewer(attention_example(whole="[mean]"))
    assert "pool" not in unpack(mean.payload()) and "what each token receives" in mean.notes[0]
    last = mean.maps.mean["qk"][-1, 1:, 1:].mean(0)
    assert mean.query == 1 + last.argmax()


def test_a_lesson_chooses_its_own_query_and_layer():
    viewer = LayerAttentionViewer(attention_example(), query=(2, 3), layer=-1)
    assert (viewer.query, viewer.layer) == (1 + 2 * 6 + 3, 2)
    assert "query: row 2, column 3" in words(viewer.figure())
    assert not any("Shown first" in note for note in viewer.notes)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": 1, "kinds": ("qk",)},
        {"layers": 12, "heads": 3},
        {"layers": 24, "kinds": ("qk", "vv", "kk")},
        {"grid": (3, 9)},
        {"sinks": SINKS},
    ],
)
def test_figure_is_tidy(options: dict):
    maps = attention_example(**options)
    drawn = LayerAttentionViewer(maps).figure()
    assert_tidy(drawn)
    K, L = len(maps.mean), len(maps.entropy)
    # image; maps and bars; strips
    assert len([area for area in drawn.axes if area.images]) == 1 + 2 * K + (K + 1) * L


def test_figure_says_what_colour_means():
    maps = attention_example(sinks=SINKS)
    viewer = LayerAttentionViewer(maps)
    hidden = [0, viewer.query, *(1 + s for s in SINKS)]
    top = max(
        np.delete(mean[:, viewer.query], hidden, axis=-1).max() for mean in maps.mean.values()
    )
    said = " ".join(words(viewer.figure()))
    assert f"One scale for all layers and kinds, from 0 to {tenth(31 * top)} times an even" in said
    assert (
        "Drawn, but left out when the scale was set: the query itself, [class], the sinks" in said
    )
    assert "v-v: values with values" in said and "Rollout:" in said


def test_a_strip_shows_the_tables_colour_of_the_strongest_patch():
    maps = attention_example()
    viewer = LayerAttentionViewer(maps)
    row = maps.mean["vv"][:, viewer.query].copy()
    row[:, [0, viewer.query]] = 0
    others = maps.mean["qk"][:, viewer.query].copy()
    others[:, [0, viewer.query]] = 0
    kind, best = ("vv", row) if row.max() > others.max() else ("qk", others)
    layer, token = np.unravel_index(best.argmax(), best.shape)
    strips = [area.images[0].get_array() for area in viewer.figure().axes if area.images][5:]
    strip = strips[list(maps.mean).index(kind) * 3 + layer]
    np.testing.assert_array_equal(strip[divmod(token - 1, 6)], [253, 231, 37])  # viridis' last


def test_show_and_save_wrap_attention_maps(tmp_path):
    maps = attention_example()
    assert isinstance(show(maps), LayerAttentionViewer)
    for suffix, begins in (
        (".html", b"<!doctype html>"),
        (".png", b"\x89PNG"),
        (".svg", b"<?xml"),
        (".pdf", b"%PDF"),
    ):
        assert save(maps, tmp_path / f"maps{suffix}").read_bytes().startswith(begins)


def test_models_name_never_becomes_markup():
    viewer = LayerAttentionViewer(attention_example(model=HOSTILE))
    text = page(viewer)
    assert "<img src=x" not in text and text.count("</script>") == 2
    assert HOSTILE in viewer.summary and fragment(viewer).isascii()
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', text, re.DOTALL)
    assert HOSTILE in json.loads(data)["payload"]["header"]["summary"]


def test_weights_that_are_no_numbers_are_shown_as_such():
    maps = damaged(attention_example())
    maps.mean["qk"][1] = np.nan
    viewer = LayerAttentionViewer(maps)
    assert_tidy(viewer.figure())
    assert np.isnan(unpack(viewer.payload())["mean_qk"][1, 4, 2:4]).all()


def test_wrong_input_is_explained():
    maps = attention_example()
    with pytest.raises(TypeError, match="expected AttentionMaps .* got str"):
        LayerAttentionViewer("photo.jpg")
    with pytest.raises(ValueError, match="kinds is empty"):
        LayerAttentionViewer(replace(maps, mean={}))
    with pytest.raises(
        ValueError, match=r"attention 'qk' has shape \(3, 31, 31\), but 3 layers and 6 patches"
    ):
        LayerAttentionViewer(
            replace(maps, picture=replace(maps.picture, grid=replace(maps.picture.grid, height=1)))
        )
    with pytest.raises(
        IndexError, match="no patch in row 5, column 0: the grid has 5 rows and 6 columns"
    ):
        LayerAttentionViewer(maps, query=(5, 0))
    with pytest.raises(IndexError, match="layer 3, but this model has 3"):
        LayerAttentionViewer(maps, layer=3)
    with pytest.raises(ValueError, match="unknown steps 7; choose one of 255, 63, 31, 23, 15"):
        LayerAttentionViewer(maps, steps=7)
