"""Every check of the doctor finds the fault that it is there for, and nothing else is off then but
what follows from it.
"""

import json
import shutil
import sys

import pytest
import torch
from test_hub import NAME, server  # noqa: F401  # a hub of this machine's own
from transformers_examples import built

import clipxai as cx
from clipxai.cli import main
from clipxai.measure.published import IMAGENET, SAME, published
from clipxai.model.files import hub
from clipxai.model.files.library import NoLibrary, library_module
from clipxai.model.files.locating import EMBEDDED, locate
from clipxai.model.files.untrusted import OPENAI_SHA256


def off(report):
    return {check.name for check in report.checks if check.state == "off"}


def of(report, name):
    return next(check for check in report.checks if check.name == name)


@pytest.fixture
def copied(tmp_path):
    """The embedded model, in a folder of one's own."""
    shutil.copytree(EMBEDDED, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def few_scenes(monkeypatch):
    """For a model that names them, or nothing, in any number."""
    monkeypatch.setattr(sys.modules[cx.doctor.__module__], "SCENES", 12)


def test_nothing_is_off(capsys):
    assert main(["doctor"]) == 0
    page = capsys.readouterr().out
    assert "nothing is off; 6 checks are good" in page and page.count("\n") == 9
    told = {line.split()[0]: line for line in page.splitlines()[1:-1]}
    assert told["library"].endswith("CLIPModel's")
    assert "94 %" in told["zero-shot"] and "by chance 1 % of 110" in told["zero-shot"]


def test_sizes(copied, capsys):
    config = json.loads((copied / "config.json").read_text())
    config["vision_config"]["hidden_size"] //= 2
    (copied / "config.json").write_text(json.dumps(config))
    assert main(["doctor", str(copied)]) == 1
    assert "sizes      off        tensor" in capsys.readouterr().out


def test_library(copied, few_scenes):
    """Another number of heads has the same tensors; only features tell."""
    model = cx.load(copied)
    for block in model.visual.blocks:
        block.attn.heads //= 2
    assert off(cx.doctor(model)) == {"library"}
    model = cx.load(copied)
    for block in model.text.blocks:
        block.mlp.activation = torch.nn.functional.relu
    found = cx.doctor(model)
    assert "library" in off(found) and "texts differ" in of(found, "library").said


def test_zero_shot(copied, few_scenes):
    """A vocabulary whose pieces have each other's ids: everything runs, and nothing fits."""
    vocabulary = json.loads((copied / "vocab.json").read_text())
    special = ("<|startoftext|>", "<|endoftext|>")
    pieces = [piece for piece in vocabulary if piece not in special]
    numbers = [vocabulary[piece] for piece in pieces]
    vocabulary |= dict(zip(pieces, numbers[137:] + numbers[:137]))
    (copied / "vocab.json").write_text(json.dumps(vocabulary))
    assert off(cx.doctor(copied)) == {"zero-shot"}


def test_methods_and_parts(copied, few_scenes):
    """A block that adds something else to the stream than its attention and its FFN."""
    model = cx.load(copied)
    model.visual.blocks[3].register_forward_hook(lambda block, given, out: 1.5 * out)
    assert off(cx.doctor(model)) == {"library", "parts"}
    model = cx.load(copied)
    model.visual.projection.data.zero_()
    found = cx.doctor(model)
    assert "methods" in off(found) and "clip (says the same)" in of(found, "methods").said


def test_bfloat16(copied, few_scenes):
    """Channels so large, between two blocks, that eight bits hold nothing beside them."""
    model = cx.load(copied)
    model.visual.blocks[0].mlp.down.bias.data[::2] += 3e3
    model.visual.blocks[1].attn.out.bias.data[::2] -= 3e3
    assert "bfloat16" in off(cx.doctor(model))


def test_file(server, few_scenes):  # noqa: F811
    """A byte of the hub's cache that changed after it was downloaded."""
    cx.load(NAME)
    assert of(cx.doctor(NAME), "file").state == "good"
    blob = next(locate(NAME, None)).weights.resolve()
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    blob.write_bytes(data)
    found = of(cx.doctor(NAME), "file")
    assert found.state == "off" and str(blob) in found.said


def test_published_score(server, monkeypatch, tmp_path):  # noqa: F811
    """Of a repository by its name; a folder of that name may hold anything."""
    for check in ("_library", "_zero_shot", "_methods", "_parts", "_half"):  # quick, that is
        monkeypatch.setattr(sys.modules[cx.doctor.__module__], check, lambda *_: ("good", "left"))
    assert "ImageNet " not in repr(cx.doctor(NAME))
    monkeypatch.setitem(IMAGENET, NAME, 12.34)
    report = cx.doctor(NAME)
    assert of(report, "ImageNet").state == "not known" and report.good
    assert of(report, "ImageNet").said.startswith("published: 12.34 % zero-shot on ImageNet")
    monkeypatch.setitem(IMAGENET, "RN50", 12.34)
    shutil.copytree(EMBEDDED, tmp_path / "RN50")
    assert "ImageNet " not in repr(cx.doctor(tmp_path / "RN50"))


def test_openais_scores():
    """Each archive has one, and so have the repositories that hold the same weights."""
    assert {*OPENAI_SHA256.values()} == {*hub.SHORT_NAMES} < {*IMAGENET}
    same = [model.id for model in hub.KNOWN if model.id.startswith("openai/")]
    assert {*same} == {*SAME} and {*SAME.values()} < {*IMAGENET}
    assert published("openai/clip-vit-base-patch16") == published("ViT-B/16")
    assert published("someone/else") is None
    assert "68.34" in published("ViT-B/16") and "75.54" in published("ViT-L/14")


@pytest.mark.parametrize(
    "name", ["CLIPModel", "Owlv2Model", "ChineseCLIPModel", "BlipForImageTextRetrieval"]
)
def test_of_transformers_models(name, tmp_path):
    """In memory and in a folder; without a vocabulary there is no zero-shot."""
    module = built(name)
    module.save_pretrained(tmp_path)
    for source in (module, tmp_path):
        report = cx.doctor(source)
        assert of(report, "library").state == "good", report
        assert of(report, "zero-shot").state == "not known" and report.good


def test_of_an_image_tower_alone(tmp_path):
    import transformers as hf
    from transformers_examples import VISION

    module = hf.Dinov2Model(
        hf.Dinov2Config(**{n: v for n, v in VISION.items() if n != "intermediate_size"})
    ).eval()
    module.save_pretrained(tmp_path)
    for source in (module, tmp_path):
        report = cx.doctor(source)
        assert of(report, "library").state == "good" and report.good, report


def test_weights_in_memory_have_nothing_to_be_compared_with():
    report = cx.doctor(cx.load(built("CLIPModel")))
    assert "pass the module" in of(report, "library").said and report.good


@pytest.mark.parametrize("name", ["transformers", "open_clip"])
def test_a_library_that_is_not_installed_is_named(name, copied, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, f"{name}.model", None)
    monkeypatch.setitem(sys.modules, f"{name}.coca_model", None)
    if name == "open_clip":
        config = {"model_cfg": {"embed_dim": 128}}
        (copied / "config.json").rename(copied / "open_clip_config.json")
        (copied / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(NoLibrary, match=f"to compare with {name}, install it: pip install "):
        library_module(copied)


def test_what_no_library_has_is_not_compared_with_it(few_scenes):
    report = cx.doctor(cx.with_registers(cx.load(), [(0, 116)]))
    said = of(report, "library").said
    assert "has not what was changed after loading: 1 test-time register" in said
    assert of(report, "library").state == "not known"
