"""What a model is, before it is loaded: no weights are read for it, and what is said is so."""

import pytest
import torch
from test_hub import NAME, server  # noqa: F401  # a hub of this machine's own
from transformers_examples import built

import clipxai as cx
from clipxai.cli import main
from clipxai.explainers.applicable import applicable
from clipxai.model.files import describing, hub
from clipxai.model.files.describing import describe
from clipxai.model.files.families import families
from clipxai.model.towers.resnet import ModifiedResNet
from clipxai.model.towers.text import TextTransformer


@pytest.mark.filterwarnings("ignore:.*left out")
@pytest.mark.parametrize("name", ["CLIPModel", "OwlViTForObjectDetection", "FlavaModel"])
def test_of_a_folder(name, tmp_path, monkeypatch):
    """Nothing is read of the weights; their number is that of the module."""
    module = built(name)
    module.save_pretrained(tmp_path)

    with monkeypatch.context() as patched:
        patched.setattr(torch, "frombuffer", None)  # with which numbers of a file are read
        found = describe(tmp_path)
    inner = getattr(module, "owlvit", module)
    assert found.parameters == sum(t.numel() for t in inner.state_dict().values())
    assert found.needs_library == (name == "FlavaModel")
    if not found.needs_library:
        trace = cx.record(
            cx.load(tmp_path), torch.zeros(1, 3, 32, 32), torch.tensor([[97, 98]]), normalized=True
        )
        kept = [t for b in trace.layers for t in (b.residual, b.q, b.k, b.v, b.attention, b.ffn)]
        assert found.bytes_of_trace == 4 * sum(t.numel() for t in [*kept, trace.stream])


def test_on_the_command_line(tmp_path, capsys):
    module = built("CLIPModel")
    module.save_pretrained(tmp_path)
    assert main(["models", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "transformers' clip, a vision transformer with a class token" in said
    assert "32x32 pixels, 4x4 patches, 2 blocks" in said and "token ids only" in said
    assert "not asked     clip_surgery_released\n" in said
    assert main(["models", str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_of_a_repository_whose_weights_are_not_here(server, monkeypatch):  # noqa: F811
    """Its config alone is fetched."""
    fetched = []
    getter = hub.file_getter

    def watched(name, revision):
        at = getter(name, revision)
        return lambda file: fetched.append(file) or at(file)

    monkeypatch.setattr(describing.hub, "file_getter", watched)
    found = describe(NAME)
    assert found.file is None and fetched == ["config.json"]
    assert found.parameters == sum(p.numel() for p in cx.load(NAME).parameters())
    assert describe(NAME).file is not None


def test_families_name_every_known_model_once():
    listed = [model.id for family in families() for model in family.models]
    assert len(listed) == len(set(listed)) and {m.id for m in hub.KNOWN} <= set(listed)


def test_what_can_be_asked_of_a_resnet():
    """It has no blocks at all, and everything that requires none can be asked."""
    resnet = ModifiedResNet(layers=(1, 1, 1, 1), width=8, heads=4, image_size=(64, 64), joint=16)
    text = TextTransformer(
        vocabulary=99, context=8, width=16, layers=1, heads=2, ffn_width=32, joint=16
    )
    able = {method.name for method in applicable(cx.CLIP(resnet, text))}
    assert {"clip", "clip_surgery", "clip_surgery_released", "grad_cam"} <= able
    assert not able & {"gem", "rollout", "decomposition"}
