"""Which models open, and how far are their features from the library's? All of open_clip's configs,
transformers' models for images and texts, and tokenizers.

    python benchmarks/models.py                     # writes models.md beside it
    python benchmarks/models.py --only ViT-B-16     # configs whose name holds that, to the terminal

Every model is built by its own library with random weights and compared in memory and from a
folder. Widths are the true ones, depth is two blocks (one a stage), vocabularies of open_clip are
3,000 pieces, and transformers' text encoders inside of open_clip are small: a block says the same
wherever it stands. Bar: 1e-4 of features of unit length.
"""

import argparse
import copy
import gc
import json
import logging
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "model"))

import transformers as hf
import transformers_examples as examples
from libraries import open_clip, timm
from safetensors.torch import save_file

import clipxai as cx
from clipxai.model.files import timm_siglip

BAR = 1e-4
VOCABULARY = 3000
STRINGS = 2000
WORDS = (
    "a the dog cats running red bicycle's rain, in-front of über naïve 猫 狗 北京 x2 3.14 !".split()
)


class Row(NamedTuple):
    """One model: largest differences of its features, or why it does not open."""

    name: str
    live: str
    folder: str
    inside: str


def measured(
    name: str, module: nn.Module, folder: Path | None, compare: Callable, inside: str = ""
) -> Row:
    """Both ways in; `compare(ours)` gives the differences of images and of texts."""
    found = []
    for source in (module, folder):
        if source is None:
            found.append("not made here")
            continue
        try:
            ours = cx.load(source)
            image, text = compare(ours)
            mark = "" if max(image, text) < BAR else " **off**"
            found.append(f"{image:.0e} / {text:.0e}{mark}")
            inside = (
                "blocks"
                if "blocks" in ours.visual.has
                else ", ".join(sorted(ours.visual.has)) or "features only"
            )
        except (ValueError, ImportError, OSError) as error:
            said = str(error).splitlines()[0].replace(str(folder), "…")
            found.append(f"refused: {said[:110]}")
    return Row(name, *found, inside)


def differences(theirs: tuple, ours: tuple) -> tuple[float, float]:
    """Largest of each pair of tensors."""
    image, text = ((a - b).abs().max().item() for a, b in zip(theirs, ours, strict=True))
    return image, text


def randomised(module: nn.Module) -> nn.Module:
    """No weight of it is what it began as."""
    with torch.no_grad():
        for weight in module.parameters():
            if weight.ndim:
                weight.add_(torch.randn_like(weight) * 0.02)
    return module.eval()


def shallow(config: dict) -> dict:
    """One of open_clip's configs with few blocks and a small vocabulary."""
    config = copy.deepcopy(config)
    vision, text = config["vision_cfg"], config["text_cfg"]
    if isinstance(vision.get("layers"), list):
        vision["layers"] = [1, 1, 1, 1]
    elif "timm_model_name" not in vision:
        vision["layers"] = 2
    if text.get("hf_model_name"):
        text["hf_model_pretrained"] = False
    else:
        text["layers"], text["vocab_size"] = 2, min(text.get("vocab_size", 49408), VOCABULARY)
    if "multimodal_cfg" in config:
        config["multimodal_cfg"] |= {"layers": 1, "vocab_size": 100}
    return config


def few_blocks(name: str, **options: object) -> nn.Module:
    """timm's models of few blocks; those of the largest convolutional nets are narrow, too."""
    if name.startswith("convnext"):
        options |= {"depths": (1, 1, 1, 1), "dims": (16, 32, 64, 128)}
    elif name.startswith("swin"):
        options |= {"depths": (1, 1, 1, 1)}
    elif name.startswith("vit_relpos"):
        options |= {"depth": 1}
    elif name.startswith(("eva", "vit_")):
        options |= {"depth": 2}
    return CREATE(name, **options)


CREATE = timm.create_model
FETCH = vars(hf.AutoConfig)["from_pretrained"]


def small_config(name: str, *_: object, **__: object) -> hf.PretrainedConfig:
    """In place of a config of the hub, which open_clip would fetch."""
    small = dict(vocab_size=VOCABULARY)
    encoder = dict(
        num_hidden_layers=2, hidden_size=64, num_attention_heads=4, intermediate_size=128
    )
    if "xlm-rob" in name:
        return hf.XLMRobertaConfig(**encoder, **small)
    if "roberta" in name:
        return hf.RobertaConfig(**encoder, **small)
    if "mt5" in name:
        return hf.MT5Config(num_layers=2, d_model=64, d_kv=16, num_heads=4, d_ff=128, **small)
    sides = {f"{side}_{key}": number for side in ("encoder", "decoder") for key, number in
             (("layers", 2), ("attention_heads", 4), ("ffn_dim", 128))}  # fmt: skip
    return hf.M2M100Config(d_model=64, **sides, **small)


def of_open_clip(only: str, known: dict[str, Row]) -> Iterator[Row]:
    """Every config that open_clip has."""
    from open_clip import hf_model
    from open_clip.coca_model import CoCa
    from open_clip.model import CLIP, CustomTextCLIP

    timm.create_model = few_blocks
    hf.AutoConfig.from_pretrained = hf_model.AutoConfig.from_pretrained = small_config
    for name, (width, _, *others) in timm_siglip.WIDTHS.items():
        timm_siglip.WIDTHS[name] = (width, 2, *others)  # a folder names its tower, as timm does
    listed = Path(open_clip.__file__).parent / "model_configs"
    for file in sorted(listed.glob("*.json")):
        if only not in file.stem:
            continue
        if file.stem in known:
            yield known[file.stem]
            continue
        config = shallow(json.loads(file.read_text()))
        described = copy.deepcopy(config)
        custom = described.pop("custom_text", False) or "hf_model_name" in config["text_cfg"]
        kind = CoCa if "multimodal_cfg" in config else CustomTextCLIP if custom else CLIP
        torch.manual_seed(0)
        module = randomised(kind(**described))
        with tempfile.TemporaryDirectory() as folder:
            state = {name: weight.contiguous() for name, weight in module.state_dict().items()}
            save_file(state, Path(folder) / "open_clip_model.safetensors")
            (Path(folder) / "open_clip_config.json").write_text(json.dumps({"model_cfg": config}))
            yield measured(file.stem, module, Path(folder), against_open_clip(module, config))
        del module
        gc.collect()


def against_open_clip(module: nn.Module, config: dict) -> Callable:
    """A function that compares a model of ours with open_clip's."""
    text = config["text_cfg"]
    context = 77 if text.get("hf_model_name") else getattr(module, "text", module).context_length
    ids = torch.full((2, context), text.get("pad_id", 1 if text.get("hf_model_name") else 0))
    end = text.get("eos_id", 2) if text.get("pool_type") == "eos" else VOCABULARY - 1
    ids[0, :5] = torch.tensor([VOCABULARY - 2, 5, 6, 7, end])
    ids[1, :3] = torch.tensor([VOCABULARY - 2, 9, end])

    def compare(ours: cx.CLIP) -> tuple[float, float]:
        size = module.visual.image_size
        whole = size if isinstance(size, (tuple, list)) else (size, size)
        seen = ours.visual.image_size
        pixels = torch.zeros(2, 3, *whole)
        pixels[..., : seen[0], : seen[1]] = torch.randn(2, 3, *seen)
        cut = pixels[..., : seen[0], : seen[1]]
        with torch.no_grad():
            theirs = module.encode_image(pixels, normalize=True), module.encode_text(ids, True)
            return differences(theirs, (ours.encode_image(cut), ours.encode_text(ids)))

    return compare


def of_transformers(only: str, known: dict[str, Row]) -> Iterator[Row]:
    """Every class of the tests' examples, and those that are refused."""
    for name in examples.ALL:
        if name in known:
            yield known[name]
        elif only in name:
            module = examples.built(name)
            ids = examples.ids_of(module)

            def compare(
                ours: cx.CLIP, module: nn.Module = module, ids: torch.Tensor = ids
            ) -> tuple:
                pixels = torch.randn(2, 3, *ours.visual.image_size)
                theirs = examples.features(module, pixels, ids)
                return differences(theirs, (ours.encode_image(pixels), ours.encode_text(ids)))

            with tempfile.TemporaryDirectory() as folder:
                module.save_pretrained(folder)
                yield measured(name, module, Path(folder), compare)
    for name, build in examples.REFUSED.items():
        if name in known:
            yield known[name]
        elif only in name:
            module = build()
            with tempfile.TemporaryDirectory() as folder:
                module.save_pretrained(folder)
                yield measured(name, module, Path(folder), lambda ours: (0.0, 0.0), "–")


def strings() -> list[str]:
    """Texts of all kinds, the same every time."""
    chance = random.Random(0)
    letters = "abcdefghij KLMNOP.,;!?-'’ éüñßœ 猫狗北京 Привет مرحبا 0123 \t<>&#@"
    listed = [" ".join(chance.choices(WORDS, k=chance.randint(0, 9))) for _ in range(STRINGS // 2)]
    odd = ["".join(chance.choices(letters, k=chance.randint(1, 30))) for _ in range(STRINGS // 2)]
    return listed + odd


def of_tokenizers() -> Iterator[tuple[str, int]]:
    """How many of the strings have the library's ids."""
    from open_clip.tokenizer import SimpleTokenizer
    from tokenizers import (
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
        trainers,
    )

    from clipxai.model.words.library_tokenizer import LibraryTokenizer
    from clipxai.model.words.tokenizer import Tokenizer as Pairs

    texts = strings()

    def count(ours: Callable, theirs: Callable) -> int:
        return sum(ours(text) == list(theirs(text)) for text in texts)

    with tempfile.TemporaryDirectory() as folder:
        simple = SimpleTokenizer()  # with OpenAI's vocabulary
        marks = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
        vocabulary = {marks.get(name, name): number for name, number in simple.encoder.items()}
        ranked = sorted(simple.bpe_ranks, key=simple.bpe_ranks.get)
        pairs_file, ids_file = Path(folder) / "merges.txt", Path(folder) / "vocab.json"
        lines = "\n".join(["#version: 0.2", *map(" ".join, ranked)]) + "\n"
        pairs_file.write_text(lines, encoding="utf-8")
        ids_file.write_text(json.dumps(vocabulary), encoding="utf-8")
        ours = Pairs.from_files(ids_file, pairs_file, 10**4).encode
        start, end = simple.sot_token_id, simple.eot_token_id
        as_theirs = count(ours, lambda text: [start, *simple.encode(text), end])
        yield "OpenAI's byte pairs, open_clip's SimpleTokenizer", as_theirs
        theirs = hf.CLIPTokenizer.from_pretrained(folder)
        straight = [text.replace("’", "'") for text in texts]  # OpenAI's cleaning does, theirs not
        same = sum(ours(text) == theirs(text)["input_ids"] for text in straight)
        yield "OpenAI's byte pairs, CLIPTokenizer, of texts with straight quotes", same

    with tempfile.TemporaryDirectory() as folder:
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
        pieces = Tokenizer(models.WordPiece(unk_token="[UNK]"))
        pieces.normalizer = normalizers.BertNormalizer()
        pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        pieces.train_from_iterator(
            texts, trainers.WordPieceTrainer(vocab_size=600, special_tokens=special)
        )
        vocabulary = sorted(pieces.get_vocab().items(), key=lambda item: item[1])
        (Path(folder) / "vocab.txt").write_text(
            "\n".join(piece for piece, _ in vocabulary) + "\n", encoding="utf-8"
        )
        bert = hf.BertTokenizer.from_pretrained(folder)
        (Path(folder) / "config.json").write_text('{"model_type": "bert"}')
        made = LibraryTokenizer.from_folder(Path(folder), 10**4)
        yield (
            "BERT's pieces, vocab.txt, BertTokenizer",
            count(made.encode, lambda text: bert(text)["input_ids"]),
        )
        bert.save_pretrained(folder)
        made = LibraryTokenizer.from_file(Path(folder) / "tokenizer.json", 10**4)
        yield (
            "BERT's pieces, tokenizer.json",
            count(made.encode, lambda text: bert(text)["input_ids"]),
        )

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    pieces = Tokenizer(models.Unigram())
    pieces.normalizer = normalizers.NFKC()
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    pieces.decoder = decoders.Metaspace()
    pieces.train_from_iterator(
        texts, trainers.UnigramTrainer(vocab_size=500, special_tokens=special, unk_token="<unk>")
    )
    around = [(token, pieces.token_to_id(token)) for token in ("<s>", "</s>")]
    pieces.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=around
    )
    with tempfile.TemporaryDirectory() as folder:
        fast = hf.PreTrainedTokenizerFast(tokenizer_object=pieces, pad_token="<pad>")
        fast.save_pretrained(folder)
        made = LibraryTokenizer.from_file(Path(folder) / "tokenizer.json", 10**4)
        yield (
            "XLM-R's kind of pieces (unigrams), tokenizer.json",
            count(made.encode, lambda text: fast(text)["input_ids"]),
        )


def of_open_clips_tokenizers(texts: list[str]) -> Iterator[tuple[str, int]]:
    """The same for those that open_clip takes from transformers: folders as its repositories are,
    against its `HFTokenizer`, cut at 12 tokens and filled up.
    """
    import test_open_clip_tokenizers as kinds
    from open_clip.tokenizer import HFTokenizer
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    def trained(special: list[str]) -> list[tuple[str, float]]:
        pieces = Tokenizer(models.Unigram())
        pieces.normalizer = normalizers.NFKC()
        pieces.pre_tokenizer = pre_tokenizers.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=280, special_tokens=special, unk_token="<unk>")
        pieces.train_from_iterator(texts, trainer)
        return list(map(tuple, json.loads(pieces.to_str())["model"]["vocab"]))

    kinds.unigrams = lambda *special: trained(list(special))
    for name, make in kinds.KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            config = kinds.opened_config(name)
            kinds.written(kinds.built(config), config, Path(folder))
            made = make()
            made.save_pretrained(folder)
            ours, text = cx.load(folder), config["text_cfg"]
            theirs = HFTokenizer(folder, 12, **text.get("tokenizer_kwargs", {}))
            found = [ours.tokenizer.encode(one, truncate=True) for one in texts]
            same = (a == b[: len(a)] for a, b in zip(found, theirs(texts).tolist()))
            yield f"{name} of open_clip, {type(made).__name__}", sum(same)


def table(rows: list[Row]) -> list[str]:
    """Markdown."""
    head = ["| model | in memory: images / texts | from a folder | inside |", "|---|---|---|---|"]
    return head + [f"| {' | '.join(row)} |" for row in rows]


def opened(rows: list[Row]) -> str:
    """How many open, and how many of them are off."""
    live = [row for row in rows if "refused" not in row.live and "off" not in row.live]
    made = [row for row in rows if row.folder != "not made here"]
    kept = [row for row in made if "refused" not in row.folder and "off" not in row.folder]
    off = sum("off" in row.live or "off" in row.folder for row in rows)
    return (
        f"{len(live)} of {len(rows)} open in memory within {BAR:.0e}, {len(kept)} of {len(made)} "
        f"from a folder; different without a word: {off}."
    )


def main() -> None:
    """Print as it goes; without --only write the table."""
    words = argparse.ArgumentParser()
    words.add_argument("--only", default="", help="names that hold this; nothing is written")
    words.add_argument("--journal", help="file of rows; the same command continues there")
    told = words.parse_args()
    only, journal = told.only, Path(told.journal) if told.journal else None
    known = {}
    if journal and journal.is_file():
        rows = map(json.loads, journal.read_text(encoding="utf-8").splitlines())
        known = {row[0]: Row(*row) for row in rows}
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    hf.utils.logging.set_verbosity_error()
    hf.utils.logging.disable_progress_bar()
    found: dict[str, list[Row]] = {}
    for name, rows in (
        ("transformers", of_transformers(only, known)),
        ("open_clip", of_open_clip(only, known)),
    ):
        found[name] = []
        for row in rows:
            print(*row, sep=" | ", flush=True)
            found[name].append(row)
            if journal and row.name not in known:
                with journal.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
    if only:
        return
    hf.AutoConfig.from_pretrained = FETCH  # of_open_clip put its own in its place
    counts = [*of_tokenizers(), *of_open_clips_tokenizers(strings())]
    lines = [
        "# Which models open, and how far their features are from the library's",
        "",
        *__doc__.strip().splitlines()[6:],
        "",
        f"Made by `python benchmarks/models.py`: clipxai {cx.__version__}, torch "
        f"{torch.__version__}, transformers {hf.__version__}, open_clip {open_clip.__version__}, "
        f"timm {timm.__version__}.",
    ]
    for name, rows in found.items():
        lines += ["", f"## {name}", "", opened(rows), "", *table(rows)]
    lines += [
        "",
        "## Tokenizers",
        "",
        "| vocabulary | strings with the library's ids |",
        "|---|---|",
    ]
    lines += [f"| {name} | {count:,} of {STRINGS:,} |" for name, count in counts]
    Path(__file__).with_name("models.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
