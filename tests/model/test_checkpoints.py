"""Every tensor in its place, or an error that names it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import clipxai as cx
from clipxai.model.files.locating import EMBEDDED
from clipxai.model.files.saving import save_folder


@pytest.fixture
def folder(tmp_path):
    copy = tmp_path / "checkpoint"
    shutil.copytree(str(EMBEDDED), copy)
    return copy


def change(folder, edit):
    state = load_file(folder / "model.safetensors")
    edit(state)
    save_file(state, folder / "model.safetensors")


def test_a_folder_written_is_the_folder_read(embedded, tmp_path):
    save_folder(embedded, tmp_path / "copy", torch.float32)
    again = cx.load(tmp_path / "copy")
    for (name, a), (_, b) in zip(embedded.state_dict().items(), again.state_dict().items()):
        assert torch.equal(a, b), name
    assert again.tokenizer.encode("a dog") == embedded.tokenizer.encode("a dog")
    assert [folder.name for folder in tmp_path.iterdir()] == ["copy"]
    with pytest.raises(FileExistsError, match="exists already"):
        save_folder(embedded, tmp_path / "copy")


def test_a_folder_half_written_is_removed(embedded, tmp_path, monkeypatch):
    (tmp_path / "copy.unfinished").mkdir()  # somebody else's, whatever it is called
    monkeypatch.setattr(Path, "write_bytes", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save_folder(embedded, tmp_path / "copy")
    assert [folder.name for folder in tmp_path.iterdir()] == ["copy.unfinished"]


def test_what_huggingface_has_no_words_for_is_not_written(golden_resnet, golden_vit, tmp_path):
    for model in (golden_resnet[0], golden_vit[0]):
        with pytest.raises(ValueError, match="only a vision transformer with its vocabulary"):
            save_folder(model, tmp_path / "copy")
    oblong = cx.load()
    oblong.visual.image_size = (128, 64)
    with pytest.raises(
        ValueError,
        match=(
            "reads images of 128x64 pixels, but Hugging Face's layout has one size for both sides"
        ),
    ):
        save_folder(oblong, tmp_path / "copy")
    assert not any(tmp_path.iterdir())


def test_missing_unknown_and_misshapen_tensors_are_named(folder):
    change(folder, lambda state: state.pop("vision_model.encoder.layers.3.mlp.fc2.bias"))
    with pytest.raises(
        ValueError,
        match=r"'vision_model.encoder.layers.3.mlp.fc2.bias' is missing in .*model.safetensors",
    ):
        cx.load(folder)
    change(
        folder,
        lambda state: state.update({"vision_model.encoder.layers.3.mlp.fc2.bias": torch.zeros(7)}),
    )
    with pytest.raises(
        ValueError,
        match=r"'vision_model.encoder.layers.3.mlp.fc2.bias' of .* has shape \(7,\).*\(128,\)",
    ):
        cx.load(folder)
    change(
        folder,
        lambda state: state.update(
            {
                "vision_model.encoder.layers.3.mlp.fc2.bias": torch.zeros(128),
                "adapter": torch.ones(1),
            }
        ),
    )
    with pytest.raises(ValueError, match=r"1 tensor\(s\) .* such as 'adapter'"):
        cx.load(folder)


def test_position_ids_are_no_weights(folder):
    change(
        folder, lambda state: state.update({"text_model.embeddings.position_ids": torch.arange(32)})
    )
    cx.load(folder)


def test_what_is_no_checkpoint(tmp_path, folder):
    with pytest.raises(
        FileNotFoundError, match="no checkpoint at .*nowhere.*nothing for the embedded model"
    ):
        cx.load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        FileNotFoundError,
        match="no weights in .*: looked for model.safetensors with config.json, .*found: nothing",
    ):
        cx.load(tmp_path / "empty")
    save_file({"conv.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(
        ValueError,
        match="is not a CLIP checkpoint in a known layout; its tensors are named conv.weight",
    ):
        cx.load(tmp_path / "other.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ValueError, match="describes a 'bert' model"):
        cx.load(folder)
    (folder / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match="config.json must lie beside it"):
        cx.load(folder)


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_damaged_files(tmp_path, suffix):
    file = tmp_path / f"bad{suffix}"
    file.write_bytes(b"\x80\x02not weights at all")
    with pytest.raises(ValueError, match=f"cannot read .*bad{suffix} as plain weights"):
        cx.load(file)


def test_a_pickle_that_would_run_code_does_not(tmp_path):
    class Payload:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"visual.conv1.weight": Payload()}, tmp_path / "evil.pt")
    with pytest.raises(ValueError, match="cannot read .*evil.pt as plain weights"):
        cx.load(tmp_path / "evil.pt")
    assert not (tmp_path / "ran").exists()


def test_a_lone_file_takes_ids_and_says_what_strings_need(golden):
    model, arrays, _ = golden
    assert model.tokenizer is None
    assert cx.record(model, arrays["image"], arrays["tokens"], normalized=True).texts[0] == "text 0"
    with pytest.raises(ValueError, match="takes token ids only: put vocab.json and merges.txt"):
        cx.record(model, arrays["image"], "a dog", normalized=True)


def test_state_dicts_saved_by_torch_load_too(golden_vit, tmp_path):
    model, arrays, _ = golden_vit
    weights = {
        name: torch.from_numpy(a.copy())
        for name, a in np.load("tests/data/vit_small_weights.npz").items()
    }
    torch.save(weights, tmp_path / "ViT-small.pt")
    assert torch.equal(
        cx.load(tmp_path / "ViT-small.pt", heads=(2, 1), activation="quick_gelu").encode_image(
            arrays["image"]
        ),
        model.encode_image(arrays["image"]),
    )


def test_activation_can_be_told(golden_vit, tmp_path):
    model, arrays, _ = golden_vit
    weights = {
        name: torch.from_numpy(a.copy())
        for name, a in np.load("tests/data/vit_small_weights.npz").items()
    }
    save_file(weights, tmp_path / "laion.safetensors")
    other = cx.load(tmp_path / "laion.safetensors", heads=(2, 1), activation="gelu")
    other = other.encode_image(arrays["image"])
    assert 1e-5 < (other - model.encode_image(arrays["image"])).abs().max() < 0.2
    with pytest.raises(ValueError, match="unknown activation 'relu'; known: quick_gelu, gelu"):
        cx.load(tmp_path / "laion.safetensors", activation="relu")


def test_loaded_models_are_frozen_and_where_asked(embedded):
    assert not embedded.training and not any(p.requires_grad for p in embedded.parameters())
    assert cx.load(dtype=torch.bfloat16).dtype == torch.bfloat16
    assert embedded.provenance["source"] == "embedded"


@pytest.mark.parametrize(
    ("told", "message"),
    [
        ({"dtype": torch.int8}, "dtype=torch.int8, but weights are floats"),
        ({"dtype": "half"}, "dtype='half', but weights are floats: float32, float16"),
        ({"device": "gpu"}, "device='gpu', but auto, cpu, cuda, cuda:1, mps or another"),
        ({"device": None}, "device=None, but auto, cpu"),
    ],
)
def test_where_and_how_weights_are_kept(told, message):
    with pytest.raises((TypeError, ValueError), match=message):
        cx.load(**told)


def test_a_model_without_numbers_is_not_recorded(scene):
    model = cx.load(device="meta")
    for verb in (cx.record, cx.explain_windows, lambda *given: next(cx.explain_each(*given))):
        with pytest.raises(ValueError, match="lies on the meta device, which has shapes and no"):
            verb(model, scene.image, ["a dog"])


def test_the_embedded_model_is_small():
    assert sum(file.stat().st_size for file in EMBEDDED.iterdir()) < 8e6
