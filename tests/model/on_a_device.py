"""Placement, on a device that is not there: who computes where, and what travels."""

from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest
import torch
from pretended_device import DEVICE, move, watched

import clipxai as cx
from clipxai.cli import main
from clipxai.explainers.table import METHODS
from clipxai.model import placing

TEXTS = ["a dog", "a cat"]
FEW = {
    "rise": {"masks": 4},
    "integrated_gradients": {"steps": 2},
    "m2ib": {"steps": 1, "samples": 2},
    "gscorecam": {"channels": 4},
}
CARD, OTHER, MPS = torch.device("cuda", 0), torch.device("cuda", 1), torch.device("mps")


@pytest.fixture(scope="module")
def there():
    """The embedded model on the pretended device."""
    model = cx.load()
    move(model)
    return model


@pytest.fixture(scope="module")
def pair(there, embedded, scene):
    """The same pass here and there."""
    with watched():
        moved = cx.record(there, scene.image, TEXTS, size=56)
        moved.empty_features  # noqa: B018  # read once, and kept
    return cx.record(embedded, scene.image, TEXTS, size=56), moved


def test_recording_moves_pixels_and_ids_only(there, scene):
    with watched() as watch:
        trace = cx.record(there, scene.image, TEXTS)
    assert watch.up == [(1, 3, 112, 112), (2, 4)] and not watch.down
    assert trace.stream.device == trace.text_features.device == DEVICE


@pytest.mark.parametrize("name", [name for name in METHODS if name != "clip_surgery_released"])
def test_methods_compute_where_the_model_is(pair, name):
    """Numbers as on the CPU; only maps and the scores of the whole image come back."""
    here, there = pair
    with watched() as watch:
        e = cx.explain(there, name, **FEW.get(name, {}))
    assert e.provenance["device"] == str(DEVICE)
    halves = [(1, 2, 2, 49)] if name == "rise" else []  # of the masks, compared for a note
    assert watch.down == [*halves, (1, 2, 7, 7), (1, 2)]
    assert len(watch.up) <= (4 if name == "m2ib" else 1)  # noise does not depend on the device
    right = cx.explain(here, name, **FEW.get(name, {}))
    assert "device" not in right.provenance
    np.testing.assert_allclose(e.scores, right.scores, atol=2e-5 * np.abs(right.scores).max())


@pytest.mark.parametrize(
    "verb",
    [
        cx.word_maps,
        cx.word_relevance,
        cx.token_scores,
        cx.attention_maps,
        cx.contributions,
        cx.head_contributions,
        lambda trace: cx.contrast(trace, 0, 1),
    ],
)
def test_verbs_return_numpy(pair, verb):
    here, there = pair
    with watched():
        found = verb(there)
    _expect_alike(found, verb(here))


def _expect_alike(found, right):
    assert not isinstance(found, torch.Tensor)
    if isinstance(right, np.ndarray):
        np.testing.assert_allclose(found, right, atol=1e-5)
    elif is_dataclass(right):
        for field in fields(right):
            if field.name != "provenance":
                _expect_alike(getattr(found, field.name), getattr(right, field.name))
    elif isinstance(right, dict):
        for name in right:
            _expect_alike(found[name], right[name])


def test_a_trace_moves_without_its_model(pair):
    """And is asked where its model is."""
    here, there = pair
    cx.explain(there)  # which reads the empty text, and the trace keeps it
    with watched() as watch:
        back = there.to("cpu")
        assert back.layers[0].q.device == back.text_features.device == torch.device("cpu")
        assert len(watch.down) > 20 and not watch.up
        with pytest.raises(ValueError, match=r"lies on cpu and its model on pretended:0"):
            cx.explain(back)
    np.testing.assert_allclose(back.stream, here.stream, atol=1e-5)
    for method in ("clip", "clip_surgery"):
        e = cx.explain(replace(back, model=here.model), method)
        np.testing.assert_allclose(e.scores, cx.explain(here, method).scores, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_out_of_memory_is_one_line(embedded, scene, monkeypatch, capsys, batch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.\nmore lines")

    trace = cx.record(embedded, [scene.image] * batch, TEXTS)
    monkeypatch.setattr(type(embedded.visual.blocks[0]), "merge", full)
    fewer = "a batch of 1" if batch == 3 else "dtype='bfloat16'"
    for ask in (
        lambda: cx.explain_all(trace),
        lambda: cx.record(embedded, [scene.image] * batch, TEXTS),
    ):
        with pytest.raises(MemoryError, match=f"batch of {batch} in float32: try {fewer}") as told:
            ask()
        assert "dtype='bfloat16'" in str(told.value) and "\n" not in str(told.value)
    monkeypatch.setattr(cx.CLIP, "to", full)
    assert main(["bench", "--out", "unused", "--limit", "1"]) != 0
    told = "clipxai: cpu ran out of memory in float32: try dtype='bfloat16', fewer texts or"
    assert capsys.readouterr().err.startswith(told)


def test_auto_takes_what_holds_the_model(monkeypatch):
    def accelerators(free):
        monkeypatch.setattr(placing, "_accelerators", lambda: list(free))
        monkeypatch.setattr(placing, "_room", free.get)

    def best(dtype=torch.float32):
        return placing.best_place(1000, dtype)

    assert best() == torch.device("cpu")
    accelerators({CARD: 3000, OTHER: 4000})
    assert best() == OTHER
    for rank, card in enumerate((CARD, OTHER)):  # one each, though the other has more room
        with monkeypatch.context() as torchrun:
            torchrun.setenv("LOCAL_WORLD_SIZE", "2")
            torchrun.setenv("LOCAL_RANK", str(rank))
            assert best() == card
            # four that share two
            torchrun.setenv("LOCAL_WORLD_SIZE", "4")
            assert best() == torch.device("cpu")
    accelerators({CARD: 1500})
    assert best() == torch.device("cpu")
    accelerators({MPS: 10**9})
    assert best() == MPS and best(torch.float64) == torch.device("cpu")
    accelerators({CARD: 3000})
    assert placing.device_of("cuda") == torch.device("cuda") and placing.device_of(CARD) == CARD
    for absent in ("cuda:1", "mps"):
        with pytest.raises(ValueError, match=r"has accelerators: cuda:0\. Pass device='cpu'"):
            cx.load(device=absent)
    for never in ("xpu", "hpu", "vulkan"):  # which torch knows by name
        with pytest.raises(ValueError, match=rf"{never}.*\. Pass device='cpu'"):
            cx.load(device=never)
    accelerators({MPS: 10**9})
    with pytest.raises(ValueError, match="has no float64"):
        cx.load(device="mps", dtype="float64")
    accelerators({})
    assert cx.load(device="auto").device == torch.device("cpu")


def test_precisions_have_names():
    assert cx.load(dtype="bfloat16").dtype is torch.bfloat16
    for odd in ("float8", torch.float8_e4m3fn, torch.int8, None, 16):
        with pytest.raises(TypeError, match="weights are floats: float32, float16"):
            cx.load(dtype=odd)
    with pytest.raises(ValueError, match="auto, cpu, cuda"):
        cx.load(device="gpu")


def test_command_line_and_explorer(scene, tmp_path, capsys, monkeypatch, there):
    """Where it runs is said, if that is not the processor."""
    from PIL import Image

    from clipxai.cli import asking

    Image.fromarray(scene.image).save(tmp_path / "photo.png")
    told = ["explain", str(tmp_path / "photo.png"), "a dog", "--out", str(tmp_path / "e.npz")]
    assert main([*told, "--device", "cuda:7"]) == 2
    assert "device='cuda:7'" in capsys.readouterr().err
    assert main([*told, "--dtype", "bfloat16"]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(asking, "load", lambda *_, **__: there)
    with watched():
        assert main(told) == 0
    assert capsys.readouterr().err == "clipxai: runs on pretended:0\n"
    with watched():
        explorer = cx.Explorer(there, image=scene.image)
        assert " ms on pretended:0, " in explorer.controls.message.value
        with pytest.raises(ValueError, match="lies somewhere already"):
            cx.Explorer(there, device="cpu")
    explorer.close()
