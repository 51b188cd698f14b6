"""From folders on disk to a table: a ResNet and a SigLIP with random weights on a miniature PASCAL
VOC.
"""

import json
import math
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import SiglipConfig, SiglipModel

import clipxai as cx
from clipxai.cli import main
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.summary import protocol
from clipxai.model.files.locating import EMBEDDED

METRICS = "localisation,presence,segmentation,given-labels,recognition"
VALUES = {"a": (12, 8), "b": (15,)}  # dog and cat; person


@pytest.fixture(scope="module")
def voc(tmp_path_factory):
    """Two photos that are not square, with void pixels and background."""
    root, rng = tmp_path_factory.mktemp("VOC2012"), np.random.default_rng(0)
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    for name, values in VALUES.items():
        annotation = np.zeros((45, 70), np.uint8)
        for n, value in enumerate(values):
            annotation[5:30, 5 + 30 * n : 30 + 30 * n] = value
        annotation[:3] = 255
        Image.fromarray(rng.integers(0, 256, (45, 70, 3), dtype=np.uint8)).save(
            root / f"JPEGImages/{name}.jpg"
        )
        indexed = Image.fromarray(annotation, mode="P")
        indexed.putpalette([(37 * n) % 256 for n in range(768)])
        indexed.save(root / f"SegmentationClass/{name}.png")
    (root / "ImageSets/Segmentation/val.txt").write_text("\n".join(VALUES) + "\n")
    return root


@pytest.fixture(scope="module", params=["resnet", "siglip"])
def model_folder(request, tmp_path_factory):
    """A model as open_clip (a ResNet) or transformers (a SigLIP) writes it, with a vocabulary."""
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    {"resnet": write_resnet, "siglip": write_siglip}[request.param](folder)
    return folder


def write_resnet(folder):
    stored = np.load("tests/data/resnet_small_weights.npz")
    state = {name: torch.from_numpy(stored[name].copy()) for name in stored}
    vocabulary = len(json.loads((EMBEDDED / "vocab.json").read_text(encoding="utf-8")))
    state["token_embedding.weight"] = torch.randn(vocabulary, 64) * 0.05
    width, E = state["text_projection"].shape
    layers = len(
        {name.split(".")[2] for name in state if name.startswith("transformer.resblocks.")}
    )
    text = {
        "context_length": 77,
        "vocab_size": vocabulary,
        "width": width,
        "heads": width // 64,
        "layers": layers,
    }
    vision = {"image_size": 128, "layers": [1, 1, 1, 1], "width": 8}
    config = {
        "model_cfg": {"embed_dim": E, "quick_gelu": True, "vision_cfg": vision, "text_cfg": text},
        "preprocess_cfg": {},
    }
    save_file(state, folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(str(EMBEDDED / name), folder)


def write_siglip(folder):
    side = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=7, num_attention_heads=2)
    text = dict(**side, vocab_size=40, max_position_embeddings=40, projection_size=32)
    SiglipModel(
        SiglipConfig(text_config=text, vision_config=dict(**side, image_size=32, patch_size=8))
    ).save_pretrained(folder)
    pieces = [
        ("<unk>", 0.0),
        ("</s>", 0.0),
        ("▁", -2.0),
        *((letter, -3.0) for letter in "abcdefghijklmnopqrstuvwxyz."),
    ]
    words = Tokenizer(models.Unigram(pieces, unk_id=0))
    words.normalizer, words.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Metaspace()
    words.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    words.save(str(folder / "tokenizer.json"))
    settings = {"tokenizer_class": "SiglipTokenizer", "eos_token": "</s>", "pad_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def test_every_method_that_the_architecture_has(model_folder, voc, tmp_path, capsys):
    assert (
        main(
            [
                "bench",
                "--data",
                str(voc),
                "--model",
                str(model_folder),
                "--metrics",
                METRICS,
                "--out",
                str(tmp_path),
            ]
        )
        == 0
    )
    results = json.loads((tmp_path / "results.json").read_text())
    model = cx.load(model_folder)
    expected = {
        name for name, row in cx.METHODS.items() if row.needs == "forward" and row.works_on(model)
    }
    assert (
        set(results["scores"])
        == expected | {"(class token)", "(class token, cosine)", "(class token, feature surgery)"}
        and len(expected) > 5
    )
    for method in expected:
        of = results["scores"][method]
        assert (
            of["localisation"]["pairs"] == 3
            and of["segmentation"]["classes"] == of["given-labels"]["classes"] == 3
        )
        assert (
            0 <= of["segmentation"]["mIoU"] <= 100
            and 0 < of["given-labels"]["with background at 0.5"] < 100
        )
        assert len(of["segmentation"]["by threshold"]) == 19 and 0 < of["recognition"]["mAP"] <= 100
    assert (
        tmp_path / "report.html"
    ).stat().st_size > 10_000 and "clip_surgery" in capsys.readouterr().out


def test_what_is_counted_is_what_is_in_the_annotation(model_folder, voc):
    """No map is asked: sizes of classes, of the background, and what is void, from the rows
    themselves.
    """
    bench = Bench(cx.load(model_folder), dataset(voc), ["clip"], ["segmentation", "recognition"])
    row = bench.measure("a")
    rows = {numbers[0]: numbers for numbers in row["scores"]["clip"]["segmentation"]}
    annotation = np.array(Image.open(voc / "SegmentationClass/a.png"))
    for value in VALUES["a"]:
        assert rows[value - 1][1] == (annotation == value).sum()
    assert (
        rows[-1][1] == (annotation == 0).sum() and sum(rows[-1][-20:]) == (annotation != 255).sum()
    )
    scores, there = np.split(np.array(row["scores"]["(class token)"]["recognition"][0]), 2)
    assert [n for n, yes in enumerate(there) if yes] == [7, 11] and len(scores) == 20
    cosines = (
        (cx.record(bench.model, voc / "JPEGImages/a.jpg", "").image_features @ bench.texts.T)[0]
        .detach()
        .numpy()
    )
    if bench.model.sigmoid:  # each text is asked for alone
        np.testing.assert_allclose(scores, cosines, atol=1e-5)
    else:
        powers = np.exp(math.exp(bench.model.logit_scale) * (cosines - cosines.max()))
        np.testing.assert_allclose(scores, powers / powers.sum(), rtol=1e-2)


def test_templates_and_size_are_those_of_recording(model_folder, voc):
    """The paper's prompts and resolution: the same maps as asking for one picture with them."""
    model = cx.load(model_folder)
    side = 2 * model.preprocessor.image_size[0]
    bench = Bench(model, dataset(voc), ["clip_surgery"], templates="surgery", size=side)
    # quick
    bench.__dict__["texts"] = bench.model.encode_text(
        bench.data.classes[11:12], templates=cx.SURGERY_TEMPLATES
    ).expand(20, -1)
    trace = bench.with_texts(bench.record(voc / "JPEGImages/a.jpg"), [11])
    expected = cx.record(
        model, voc / "JPEGImages/a.jpg", "dog", size=side, templates=cx.SURGERY_TEMPLATES
    )
    assert trace.grid == expected.grid and trace.templates == expected.templates
    np.testing.assert_allclose(cx.explain(trace).scores, cx.explain(expected).scores, atol=1e-5)
    assert bench.settings["templates"] == "surgery" and bench.settings["size"] == side
    said = protocol(bench)
    assert (
        said["texts"].startswith("mean of 85 templates (surgery)")
        and said["image"] == f"squashed to {side} x {side} pixels"
    )
    with pytest.raises(
        ValueError, match="unknown templates 'openai'; choose from imagenet, surgery"
    ):
        Bench(model, bench.data, templates="openai")


def test_prompts_that_are_too_long_are_cut_as_record_cuts_them(embedded, voc, tmp_path):
    (tmp_path / "mine.txt").write_text(f"12: {'dog ' * 100}\n8: cat\n")
    data = dataset(voc, None, tmp_path / "mine.txt")
    for templates, texts in ((None, data.prompts), ("surgery", data.classes)):
        bench = Bench(embedded, data, ["clip"], templates=templates, truncate=True)
        told = None if templates is None else cx.SURGERY_TEMPLATES
        expected = cx.record(
            embedded, cx.scenes.sample(0).image, list(texts), templates=told, truncate=True
        )
        torch.testing.assert_close(bench.texts, expected.text_features, rtol=0, atol=1e-5)


def test_a_line_of_a_class_list_makes_the_background_a_class(embedded, voc, tmp_path):
    (tmp_path / "mine.txt").write_text("0: background\n12: dog\n8: cat\n")
    bench = Bench(embedded, dataset(voc, classes=tmp_path / "mine.txt"), ["clip"], ["segmentation"])
    rows = {numbers[0]: numbers for numbers in bench.measure("a")["scores"]["clip"]["segmentation"]}
    annotation = np.array(Image.open(voc / "SegmentationClass/a.png"))
    assert (
        rows[0][1] == (annotation == 0).sum()
        and rows[1][1] == (annotation == 12).sum()
        and rows[-1][1] == 0
    )
