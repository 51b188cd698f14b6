"""Whole files of every kind that the package reads, small; made once by the libraries that write
them.
"""

import json
import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer

import clipxai as cx
from clipxai.model.files.locating import EMBEDDED
from clipxai.model.picture import FORMATS

SIZE = (24, 32)
TOWER = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2)


def images(folder: Path) -> None:
    """One picture in every format, colours, alpha, palette and grey of 16 bits."""
    folder.mkdir()
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8))
    for kind in FORMATS:
        noise.save(folder / f"colour.{kind.lower()}", kind)
    for mode in ("RGBA", "P", "L", "I;16", "1", "LA"):
        with BytesIO() as buffer:
            noise.convert("L" if mode == "I;16" else mode).convert(mode).save(buffer, "PNG")
            (folder / f"{mode.replace(';', '')}.png").write_bytes(buffer.getvalue())


def checkpoint(folder: Path) -> None:
    """A CLIP with two tiny blocks in Hugging Face's layout, in both weight formats."""
    tokenizer = CLIPTokenizer(
        vocab=str(EMBEDDED / "vocab.json"), merges=str(EMBEDDED / "merges.txt")
    )
    words = len(json.loads((EMBEDDED / "vocab.json").read_text(encoding="utf-8")))
    torch.manual_seed(0)
    config = CLIPConfig(
        projection_dim=8,
        vision_config=dict(image_size=32, patch_size=8, **TOWER),
        text_config=dict(
            vocab_size=words, eos_token_id=words - 1, max_position_embeddings=32, **TOWER
        ),
    )
    model = CLIPModel(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    shutil.copy(EMBEDDED / "preprocessor_config.json", folder)


def explanation(folder: Path) -> None:
    """A saved explanation."""
    folder.mkdir()
    trace = cx.record(cx.load(), np.zeros((*SIZE, 3), np.uint8), ["a dog", "a cat"], size=32)
    cx.explain(trace).to_npz(folder / "e.npz")


def voc(root: Path) -> None:
    """PASCAL VOC with one picture."""
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(noise).save(root / "JPEGImages/2007_000033.jpg")
    labels = np.zeros(SIZE, np.uint8)
    labels[:4], labels[8:, :8] = 1, 15
    indexed = Image.fromarray(labels, mode="P")
    indexed.putpalette([(37 * n) % 256 for n in range(768)])
    indexed.save(root / "SegmentationClass/2007_000033.png")
    (root / "ImageSets/Segmentation/val.txt").write_text("2007_000033\n")


def coco(root: Path) -> None:
    """COCO's things with one picture: a polygon and a crowd."""
    (root / "annotations").mkdir(parents=True)
    (root / "val2017").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(noise).save(root / "val2017/000000000139.jpg")
    thing = dict(iscrowd=0, image_id=139, category_id=18, bbox=[0, 0, 7, 7], area=1, id=1)
    crowd = {"size": list(SIZE), "counts": [100, 50, SIZE[0] * SIZE[1] - 150]}
    told = {
        "images": [
            {"id": 139, "file_name": "000000000139.jpg", "height": SIZE[0], "width": SIZE[1]}
        ],
        "annotations": [
            {**thing, "segmentation": [[0, 0, 7, 0, 7, 7, 0, 7]]},
            {**thing, "id": 2, "iscrowd": 1, "category_id": 1, "segmentation": crowd},
        ],
        "categories": [],
    }
    (root / "annotations/instances_val2017.json").write_text(json.dumps(told))


def record(folder: Path) -> None:
    """A folder of maps as an interrupted run leaves it: images, maps and the record of them."""
    from clipxai.cli import main

    (folder / "in").mkdir(parents=True)
    noise = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    Image.fromarray(noise).save(folder / "in/a.png")
    asked = [str(folder / "in"), "a dog", "--size", "32", "--method", "clip", "--format", "npz"]
    assert main(["explain", *asked, "--out", str(folder / "out")]) == 0


def everything(root: Path) -> None:
    """All of them, each in a folder of its own."""
    root.mkdir(parents=True, exist_ok=True)
    for make in (images, checkpoint, explanation, voc, coco, record):
        make(root / make.__name__)
