"""Where the files of a tokenizer lie beside an open_clip model, strings become the ids that
open_clip's own class makes of them.
"""

import json
import random
import shutil

import pytest
import transformers as hf
from open_clip.tokenizer import HFTokenizer
from test_open_clip import built, small, written

import clipxai as cx
from clipxai.model.files.locating import EMBEDDED
from clipxai.model.words.library_tokenizer import LibraryTokenizer
from clipxai.model.words.open_clip_tokenizer import FilledTokenizer

LETTERS = "abcdefghij KLMNOP.,;!?-_'’ éüñßœﬁ 猫狗 Привет 0123 \t\n&<>#@"
PIECES = sorted({*LETTERS.lower(), *LETTERS, *"klmnopqrstuvwxyz"} - {*" \t\n"})
chance = random.Random(1)
TEXTS = ["", "A dog_house, &amp;amp; a CAT!", "schÃ¶n", "a </s> b [SEP] c <eos> d", "b, " * 40]
TEXTS += ["".join(chance.choices(LETTERS, k=chance.randint(1, 30))) for _ in range(200)]


def unigrams(*special):
    pieces = [*special, "▁", "▁a", "▁ca", *PIECES]
    return [(piece, -0.1 * n) for n, piece in enumerate(pieces)]


def gemma():
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *PIECES, "▁a", "ca"]
    vocabulary = {piece: n for n, piece in enumerate(pieces)}
    merges = [("▁", "a"), ("c", "a")]
    made = hf.GemmaTokenizer(vocab=vocabulary, merges=merges, padding_side="right")
    made.add_bos_token, made.add_eos_token = False, True
    return made


def bert():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES, *("##" + p for p in PIECES)]
    return hf.BertTokenizer(vocab={piece: n for n, piece in enumerate(pieces)})


KINDS = {
    "ViT-B-16-SigLIP": lambda: hf.T5Tokenizer(
        vocab=unigrams("<pad>", "</s>", "<unk>"), extra_ids=0, pad_token="</s>"
    ),
    "ViT-B-16-SigLIP2": gemma,
    "ViT-L-14-CLIPA": bert,
    "ViT-H-14-worldwide": lambda: hf.XLMRobertaTokenizer(
        vocab=unigrams("<s>", "<pad>", "</s>", "<unk>")
    ),
    "ViT-L-14-worldwide": lambda: hf.T5Tokenizer(
        vocab=unigrams("<pad>", "</s>", "<unk>"), extra_ids=0
    ),
}


def opened_config(name):
    """Small, and with another image tower than timm's."""
    config = small(name)
    for key in ("timm_model_name", "timm_pool", "timm_proj"):
        config["vision_cfg"].pop(key, None)
    return config


@pytest.fixture(params=KINDS)
def opened(request, tmp_path):
    """A config, and the folder of such a model with its tokenizer."""
    config, tokenizer = opened_config(request.param), KINDS[request.param]()
    config["text_cfg"]["vocab_size"] = len(tokenizer)
    written(built(config), config, tmp_path)
    tokenizer.save_pretrained(tmp_path)
    return config, tmp_path


def test_ids_are_those_of_open_clip(opened):
    config, folder = opened
    ours, text = cx.load(folder), config["text_cfg"]
    told = text.get("tokenizer_kwargs", {})
    theirs = HFTokenizer(str(folder), text["context_length"], **told)
    assert ours.text.full == isinstance(ours.tokenizer, FilledTokenizer)
    assert ours.text.full != isinstance(ours.tokenizer, LibraryTokenizer)
    cut = 0
    for written_text, expected in zip(TEXTS, theirs(TEXTS).tolist()):
        found = ours.tokenizer.encode(written_text, truncate=True)
        assert found == expected[: len(found)], written_text
        assert len(found) == 12 or (not ours.text.full and found[-1] == ours.tokenizer.end)
        assert set(expected[len(found) :]) <= {theirs.tokenizer.pad_token_id}
        cut += ours.tokenizer.part_read(written_text) is not None
    assert 0 < cut < len(TEXTS)
    with pytest.raises(ValueError, match="reads at most 12"):
        ours.tokenize("b, " * 40)
    assert ours.tokenizer.decode(ours.tokenize("a cab")[0].tolist()) == "a cab"


def test_words_left_out_are_texts_written_without_them(opened):
    """Filled up by the tokenizer's own token, which need not be the one of the config."""
    ours = cx.load(opened[1])
    trace = cx.record(ours, cx.scenes.sample(0).image, ["fig cab", "a"])
    by_hand = cx.explain(trace.with_texts(["fig cab", "cab", "fig"]), "clip").scores
    found = cx.word_maps(trace, "clip", text=0)
    assert found.texts == ("fig", "cab")
    alone = trace.with_texts(["fig"])
    nothing = cx.explain(trace.with_texts(["fig", ""]), "clip").scores
    whole = cx.word_maps(alone, "clip").scores
    assert abs(whole - (nothing[:1] - nothing[1:])).max() < 1e-5
    assert abs(found.scores - (by_hand[:1] - by_hand[1:])).max() < 1e-5
    assert abs(found.scores).max() > 1e-5


def test_files_elsewhere_are_read_as_the_models_config_says(opened, tmp_path):
    """CLIPA's config names BERT's repository, where no config of open_clip's lies."""
    config, folder = opened
    whole, elsewhere = cx.load(folder), tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.move(folder / name, elsewhere / name)
    with pytest.raises(ValueError, match="pass the ids that the model's own tokenizer gives"):
        cx.load(folder).tokenize("a cab")
    (elsewhere / "config.json").write_text('{"model_type": "bert"}')
    again = cx.load(folder, tokenizer=elsewhere)
    for text in TEXTS:
        expected = whole.tokenizer.encode(text, truncate=True)
        assert again.tokenizer.encode(text, truncate=True) == expected


def test_older_files(tmp_path):
    """vocab.txt alone, of which transformers makes the rest."""
    config = small("ViT-L-14-CLIPA")
    written(built(config), config, tmp_path)
    pieces = sorted(bert().vocab.items(), key=lambda item: item[1])
    (tmp_path / "vocab.txt").write_text("\n".join(piece for piece, _ in pieces), encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    ours = cx.load(tmp_path)
    theirs = HFTokenizer(str(tmp_path), 12, strip_sep_token=True)
    for text, expected in zip(TEXTS, theirs(TEXTS).tolist()):
        assert ours.tokenizer.encode(text, truncate=True) == expected


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"tokenizer_mode": "clips"}, "tokenizer_mode='clips'"),
        ({"tokenizer_kwargs": {"clean": "shout"}}, "clean='shout'"),
        ({"tokenizer_kwargs": {"language": "deu_Latn"}}, "language='deu_Latn'"),
    ],
)
def test_what_is_not_read_is_said(tmp_path, told, said):
    config = small("ViT-L-14-CLIPA")
    config["text_cfg"] |= told
    module = built({**config, "text_cfg": {**config["text_cfg"], "tokenizer_mode": None}})
    written(module, config, tmp_path)
    bert().save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match=f"token ids only: .* asks for {said}"):
        ours = cx.load(tmp_path)
    assert ours.tokenizer is None


def test_clips_own_pieces_are_not_cleaned_in_another_way(tmp_path):
    config = small("ViT-B-32")
    config["text_cfg"]["vocab_size"] = len(json.loads((EMBEDDED / "vocab.json").read_text()))
    module = built(config)
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(EMBEDDED / name, tmp_path / name)
    for told, read in (({"clean": "lower"}, True), ({"clean": "canonicalize"}, False)):
        config["text_cfg"]["tokenizer_kwargs"] = told
        written(module, config, tmp_path)
        if read:
            assert cx.load(tmp_path).tokenizer is not None
        else:
            with pytest.warns(UserWarning, match="clean='canonicalize'"):
                assert cx.load(tmp_path).tokenizer is None
