"""Checkpoints made to harm: each is refused with one line, runs nothing, and allocates nothing it
only claims to hold.
"""

import gc
import gzip
import io
import json
import os
import pickle
import re
import shutil
import struct
import sys
import threading
import zipfile
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from safetensors.torch import load_file, save_file

import clipxai as cx
from clipxai.model.files import safe_tensors
from clipxai.model.files.locating import EMBEDDED
from clipxai.model.files.pickled import expect_safe_torch
from clipxai.model.files.untrusted import read_weights

if os.name == "posix":
    import resource

KINDS = {}


def hostile(match, name=None, posix=False):
    """Register a function (folder, ran) that spoils a copy of the embedded model's folder, and what
    loading it must say.
    """

    def register(spoil):
        kind = name or spoil.__name__
        KINDS[kind] = pytest.param(spoil, match, id=kind, marks=posix_only if posix else ())
        return spoil

    return register


posix_only = pytest.mark.skipif(
    os.name != "posix", reason="links and pipes as Linux and macOS have them"
)


class Payload:
    """Whoever unpickles this runs `call(*arguments)`."""

    def __init__(self, call, *arguments):
        self.call, self.arguments = call, arguments

    def __reduce__(self):
        return self.call, self.arguments


def only(folder, name):
    """The folder without its weights, and the path of a file to be written in their place."""
    (folder / "model.safetensors").unlink()
    return folder / name


def header(folder, edit=None, raw=None, length=None, data=b"\0" * 8):
    """A safetensors file with a header of our own making."""
    text = raw if raw is not None else json.dumps(edit).encode()
    (folder / "model.safetensors").write_bytes(
        struct.pack("<Q", len(text) if length is None else length) + text + data
    )


def edited(folder, change):
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")


def config(folder, part=None, **values):
    described = json.loads((folder / "config.json").read_text())
    (described[part] if part else described).update(values)
    (folder / "config.json").write_text(json.dumps(described))


# --- pickles
#
# ----------------------------------------------------------------------

PLAIN = "cannot read .* as plain weights"
for title, payload in {
    "pickle that opens a file": lambda ran: Payload(open, str(ran), "w"),
    "pickle that calls the shell": lambda ran: Payload(os.system, f"touch {ran}"),
    "pickle that evaluates": lambda ran: Payload(eval, f"open({str(ran)!r}, 'w')"),
    "pickle that executes": lambda ran: Payload(exec, f"open({str(ran)!r}, 'w')"),
    "pickle that imports": lambda ran: Payload(__import__, "antigravity"),
    "pickle that unpickles": lambda ran: Payload(
        pickle.loads, pickle.dumps(Payload(os.system, f"touch {ran}"))
    ),
    "pickle that reads our attributes": lambda ran: Payload(getattr, "", "__class__"),
    "pickle that loads with torch": lambda ran: Payload(torch.load, str(ran)),
}.items():

    @hostile(PLAIN, title)
    def in_zip(folder, ran, payload=payload):
        torch.save({"visual.conv1.weight": payload(ran)}, only(folder, "pytorch_model.bin"))

    @hostile(PLAIN, title + ", old format")
    def in_old_format(folder, ran, payload=payload):
        torch.save(
            {"visual.conv1.weight": payload(ran)},
            only(folder, "pytorch_model.bin"),
            _use_new_zipfile_serialization=False,
        )


@hostile(PLAIN)
def a_bare_pickle(folder, ran):
    only(folder, "pytorch_model.bin").write_bytes(pickle.dumps(Payload(os.system, f"touch {ran}")))


@hostile(PLAIN)
def a_pickle_called_safetensors(folder, ran):
    torch.save({"x": Payload(os.system, f"touch {ran}")}, folder / "model.safetensors")


@hostile("it holds no plain state dict")
def a_pickle_of_something_else(folder, ran):
    torch.save([1, 2, 3], only(folder, "pytorch_model.bin"))


@hostile("it holds no plain state dict")
def a_state_dict_of_texts(folder, ran):
    torch.save({"vision_model.x": "tensor"}, only(folder, "pytorch_model.bin"))


@hostile(PLAIN)
def half_a_torch_file(folder, ran):
    file = only(folder, "pytorch_model.bin")
    torch.save({"a": torch.zeros(1000)}, file)
    file.write_bytes(file.read_bytes()[:2000])


@hostile("it is compressed")
def a_zip_bomb(folder, ran):
    with zipfile.ZipFile(only(folder, "pytorch_model.bin"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}))
        archive.writestr("archive/data/0", b"\0" * (1 << 24))


def archive(folder, pickled, **records):
    """What looks like one of OpenAI's TorchScript archives."""
    file = folder / "ViT-B-16.pt"
    with zipfile.ZipFile(file, "w") as zipped:
        for name, data in {
            "constants.pkl": b"\x80\x02).",
            "data.pkl": pickled,
            "code/__torch__.py": b"import os",
            **records,
        }.items():
            zipped.writestr("ViT-B-16/" + name, data)
    for name in ("model.safetensors", "config.json"):
        (folder / name).unlink()


for title, pickled, match in (
    (
        "archive that calls the shell",
        lambda ran: pickle.dumps(Payload(os.system, f"touch {ran}"), 2),
        "which no weights need",
    ),
    (
        "archive that names a builtin",
        lambda ran: b"\x80\x02cbuiltins\neval\nX\x01\x00\x00\x001\x85R.",
        "which no weights need",
    ),
    (
        "archive that names torch.load",
        lambda ran: b"\x80\x02ctorch\nload\nX\x01\x00\x00\x001\x85R.",
        "which no weights need",
    ),
    (
        "archive with a huge table",
        lambda ran: b"\x80\x02]r\xff\xff\xff\x7f.",
        "a table larger than itself",
    ),
    ("archive cut short", lambda ran: b"\x80\x02]q\x00(", PLAIN),
    (
        "archive without tensors",
        lambda ran: b"\x80\x02].",
        "is not a CLIP checkpoint in a known layout",
    ),
    (
        "archive with a lie about its length",
        lambda ran: b"\x80\x02\x8e" + struct.pack("<Q", 1 << 60) + b"xx.",
        PLAIN,
    ),
):

    @hostile(match, title)
    def in_archive(folder, ran, pickled=pickled):
        archive(folder, pickled(ran))


@hostile("it is compressed")
def an_archive_that_swells_where_its_program_should_be(folder, ran):
    file = only(folder, "pytorch_model.bin")
    (folder / "config.json").unlink()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("x/code/constants.pkl", b"\x80\x02).")
        zipped.writestr("x/code/data.pkl", b"\x80\x02]." + b"\0" * (1 << 28))


STORAGE = object()


def tensor_pickle(elements=4, offset=0, size=(2, 2), stride=(2, 1), key="0"):
    """The pickle of a box with one tensor, as TorchScript writes it."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return (
                ("storage", torch.FloatStorage, key, "cpu", elements) if value is STORAGE else None
            )

    tensor = Payload(torch._utils._rebuild_tensor_v2, STORAGE, offset, size, stride, False, None)
    buffer = io.BytesIO()
    Pickler(buffer, 2).dump({"weight": tensor})
    return buffer.getvalue()


for title, wrong, match in (
    (
        "archive whose tensor is larger than its bytes",
        dict(size=(1 << 20, 1 << 20), stride=(1 << 20, 1)),
        "reaches beyond its 4 numbers",
    ),
    (
        "archive whose tensor starts behind its bytes",
        dict(offset=4),
        "reaches beyond its 4 numbers",
    ),
    (
        "archive whose tensor repeats its bytes",
        dict(size=(1 << 30,), stride=(0,)),
        "a tensor of 1,073,741,824 numbers is to be made of 4",
    ),
    ("archive whose tensor goes backwards", dict(stride=(-1, 1)), "reaches beyond its 4 numbers"),
    (
        "archive whose storage is larger than its file",
        dict(elements=1 << 40),
        "does not hold the 1099511627776 numbers",
    ),
    (
        "archive whose tensor is nowhere",
        dict(key="../../../etc/passwd"),
        "There is no item named 'ViT-B-16/data/../../../etc/passwd'",
    ),
    # the other five fail as they should
    ("archive whose tensor is in order", {}, "is not a CLIP checkpoint in a known layout"),
):

    @hostile(match, title)
    def in_tensor(folder, ran, wrong=wrong):
        archive(folder, tensor_pickle(**wrong), **{"data/0": b"\0" * 16})


# --- tensors larger than the file they come from
#
# ----------------------------------------------------------------------


def openai_names(**changed):
    """A state dict with OpenAI's names, 34 KB of it."""
    state = {
        "visual.conv1.weight": torch.zeros(64, 3, 8, 8),
        "visual.positional_embedding": torch.zeros(5, 64),
        "visual.transformer.resblocks.0.mlp.c_fc.weight": torch.zeros(8, 64),
        "transformer.resblocks.0.mlp.c_fc.weight": torch.zeros(8, 64),
        "ln_final.weight": torch.zeros(64),
        "text_projection": torch.zeros(64, 8),
        "token_embedding.weight": torch.zeros(300, 64),
        "positional_embedding": torch.zeros(7, 64),
        # as in the archives of OpenAI's code, so heads and activation need not be asked for
        **{n: torch.tensor(7) for n in ("input_resolution", "context_length", "vocab_size")},
    }
    return {**state, **changed}


def pickled(folder, state, **options):
    torch.save(state, only(folder, "pytorch_model.bin"), **options)
    (folder / "config.json").unlink()


for title, options in (("", {}), (", old format", {"_use_new_zipfile_serialization": False})):

    @hostile(
        "its tensors are said to hold 2,000,.* bytes, but the file has", "a stride of 0" + title
    )
    def repeated(folder, ran, options=options):
        one = torch.ones(1).expand(500_000_000)
        pickled(folder, openai_names(**{"token_embedding.weight": one}), **options)

    @hostile(r"its pickle names (builtins|__builtin__).bytearray", "a bytearray" + title)
    def swelling(folder, ran, options=options):
        pickled(folder, openai_names(x=Payload(bytearray, 3 << 30)), **options)

    @hostile(r"its pickle names torch\._utils\._rebuild_meta_tensor", "no storage" + title)
    def without_storage(folder, ran, options=options):
        pickled(folder, openai_names(x=torch.empty(1 << 40, device="meta")), **options)


@pytest.mark.filterwarnings("ignore:Sparse invariant checks")
@hostile("its pickle names torch._utils._rebuild_sparse_tensor")
def sparse_tensors(folder, ran):
    pickled(folder, openai_names(x=torch.eye(2).to_sparse()))


@hostile("its pickle uses STACK_GLOBAL, which torch never does")
def a_newer_pickle(folder, ran):
    file = only(folder, "pytorch_model.bin")
    file.write_bytes(pickle.dumps(Payload(bytearray, 3 << 30), 4))


for title, tensor, shape, limit in (
    ("a vocabulary", "token_embedding.weight", ((1 << 21) + 1, 1), 1 << 21),
    ("a context", "positional_embedding", ((1 << 14) + 1, 1), 1 << 14),
    ("a text tower", "ln_final.weight", ((1 << 14) + 1,), 1 << 14),
    ("a joint space", "text_projection", (1, (1 << 14) + 1), 1 << 14),
    ("a patch", "visual.conv1.weight", (1, 1, 513, 513), 512),
    ("a grid", "visual.positional_embedding", ((1 << 16) + 2, 1), 1 << 16),
    (
        "an FFN",
        "visual.transformer.resblocks.0.mlp.c_fc.weight",
        ((1 << 17) + 1, 1),
        1 << 17,
    ),
):

    @hostile(f"but a whole number from 1 to {limit} is expected", title + " too large for a name")
    def in_shapes(folder, ran, tensor=tensor, shape=shape):
        (folder / "config.json").unlink()
        save_file(openai_names(**{tensor: torch.zeros(shape)}), folder / "model.safetensors")


@hostile("but a whole number from 1 to 256 is expected")
def blocks_without_end(folder, ran):
    (folder / "config.json").unlink()
    many = {f"transformer.resblocks.{n}.x": torch.zeros(1) for n in range(257)}
    save_file(openai_names(**many), folder / "model.safetensors")


# --- files of another kind
#
# ----------------------------------------------------------------------

ONNX = bytes([0x08, 0x08, 0x12, 0x07]) + b"pytorch" + b"\x1a\x05" + b"2.6.0" + b":\x00"
for title, name, begin, match in (
    ("ONNX by its content", "model.bin", ONNX, "is an ONNX file"),
    ("GGUF", "model.bin", b"GGUF\x03\x00\x00\x00" + bytes(40), "is a GGUF file"),
    ("HDF5", "model.bin", b"\x89HDF\r\n\x1a\n" + bytes(40), "is an HDF5 file"),
    (
        "a pointer of git-lfs",
        "model.safetensors",
        b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
        "is a git-lfs pointer: .* never downloaded",
    ),
    ("a page", "model.safetensors", b"<!DOCTYPE html><html>", "is a web page"),
):

    @hostile(match, title)
    def of_another_kind(folder, ran, name=name, begin=begin):
        (folder / "model.safetensors").unlink()
        (folder / name).write_bytes(begin)


# --- safetensors
#
# ----------------------------------------------------------------------

F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
HEADERS = {
    "header longer than the file": dict(edit={"a": F32}, length=1 << 40),
    "header length that overflows": dict(edit={"a": F32}, length=(1 << 64) - 1),
    "header length of zero": dict(edit={"a": F32}, length=0),
    "header shorter than its JSON": dict(edit={"a": F32}, length=10),
    "header that is no JSON": dict(raw=b"\x00\xff not json"),
    "header nested without end": dict(raw=b"[" * 100_000),
    "header that is a list": dict(raw=b"[]"),
    "no bytes behind the header": dict(edit={"a": F32}, data=b""),
    "bytes nobody asked for": dict(edit={"a": F32}, data=b"\0" * 100),
    "offsets beyond the file": dict(edit={"a": {**F32, "data_offsets": [0, 1 << 50]}}),
    "offsets the wrong way round": dict(edit={"a": {**F32, "data_offsets": [8, 0]}}),
    "tensors that overlap": dict(
        edit={"a": F32, "b": {**F32, "shape": [1], "data_offsets": [4, 8]}}
    ),
    "shape that overflows": dict(edit={"a": {**F32, "shape": [1 << 32, 1 << 32, 4]}}),
    "shape below zero": dict(edit={"a": {**F32, "shape": [-2]}}),
    "shape of text": dict(edit={"a": {**F32, "shape": ["two"]}}),
    "shape that is not its bytes": dict(edit={"a": {**F32, "shape": [3]}}),
    "a kind of number nobody knows": dict(edit={"a": {**F32, "dtype": "Q9"}}),
    "a name twice": dict(raw=b'{"a": %s, "a": %s}' % ((json.dumps(F32).encode(),) * 2)),
    "a field twice": dict(
        raw=b'{"a": {"dtype": "F32", "dtype": "F16", "shape": [2], "data_offsets": [0, 8]}}'
    ),
}
for title, wrong in HEADERS.items():

    @hostile(PLAIN, title)
    def in_header(folder, ran, wrong=wrong):
        header(folder, **wrong)


@hostile("cannot read")
def an_empty_file(folder, ran):
    (folder / "model.safetensors").write_bytes(b"")


@hostile("cannot read")
def a_truncated_file(folder, ran):
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[:-100])


@hostile("'visual_projection.weight' of .* holds NaN, or numbers that are not finite")
def nan_weights(folder, ran):
    edited(
        folder, lambda state: state["visual_projection.weight"].__setitem__((3, 3), float("nan"))
    )


@hostile("'logit_scale' of .* holds NaN, or numbers that are not finite")
def infinite_weights(folder, ran):
    edited(folder, lambda state: state.update(logit_scale=torch.tensor(float("inf"))))


@hostile("'logit_scale' of .* holds numbers from 1e\\+03 to 1e\\+03, but .* lie in -20…20")
def a_scale_that_overflows(folder, ran):
    edited(folder, lambda state: state.update(logit_scale=torch.tensor(1000.0)))


@hostile("'visual_projection.weight' of .* holds numbers from .* to 1e\\+30, but weights")
def weights_that_are_finite_but_huge(folder, ran):
    huge = torch.full((128, 128), 1e30)  # float32, which holds it
    edited(folder, lambda state: state.update({"visual_projection.weight": huge}))


@hostile(r"holds torch.int8 \(quantised\?\), but weights are floating-point numbers")
def whole_numbers_for_weights(folder, ran):
    edited(
        folder,
        lambda state: state.update(
            {"visual_projection.weight": torch.zeros(128, 128, dtype=torch.int8)}
        ),
    )


@hostile(r"has shape \(128, 0\)")
def an_empty_tensor(folder, ran):
    edited(folder, lambda state: state.update({"visual_projection.weight": torch.zeros(128, 0)}))


@hostile(r"has shape \(1, 128, 128\)")
def a_tensor_with_one_dimension_more(folder, ran):
    edited(
        folder, lambda state: state.update({"visual_projection.weight": torch.zeros(1, 128, 128)})
    )


@hostile("have no place in this model, such as")
def ten_thousand_tensors_more(folder, ran):
    edited(
        folder, lambda state: state.update({f"extra.{n}": torch.zeros(1) for n in range(10_000)})
    )


# --- configs
#
# ----------------------------------------------------------------------

for title, part, values in (
    ("a width beyond belief", "vision_config", {"hidden_size": 10**9}),
    ("layers without end", "vision_config", {"num_hidden_layers": 10**9}),
    ("a vocabulary without end", "text_config", {"vocab_size": 10**12}),
    ("a context without end", "text_config", {"max_position_embeddings": 10**12}),
    ("an image without end", "vision_config", {"image_size": 10**9}),
    ("an FFN without end", "text_config", {"intermediate_size": 10**15}),
    ("a size that overflows", "vision_config", {"hidden_size": 10**400}),
    ("a size below zero", "vision_config", {"hidden_size": -768}),
    ("a size of zero", "vision_config", {"num_attention_heads": 0}),
    ("a size with a fraction", "vision_config", {"patch_size": 7.5}),
    ("a size in words", "vision_config", {"hidden_size": "large"}),
    ("a size that is true", "vision_config", {"num_hidden_layers": True}),
    ("a size that is a list", None, {"projection_dim": [1, 2]}),
):

    @hostile(r"gives .* but a whole number from 1 to \d+ is expected", title)
    def in_config(folder, ran, part=part, values=values):
        config(folder, part, **values)


for title, match, text in (
    ("a config that is no JSON", "is not readable JSON", "{"),
    ("a config nested without end", "is not readable JSON", '{"a":' * 100_000),
    ("a config that is a list", "must hold a JSON object, but holds a list", "[1]"),
    (
        "a config with a name twice",
        "the name 'model_type' stands twice",
        '{"model_type": "clip", "model_type": "siglip"}',
    ),
    ("a config of another model", "describes a 'bert' model", '{"model_type": "bert"}'),
    (
        "a config whose parts are words",
        "text_config of .* must be an object",
        '{"model_type": "clip", "text_config": "large"}',
    ),
    ("a config whose model is a list", r"describes a \['clip'\] model", '{"model_type": ["clip"]}'),
):

    @hostile(match, title)
    def as_config(folder, ran, text=text):
        (folder / "config.json").write_text(text)


@hostile("unknown activation {'run': 'this'}")
def an_activation_that_is_an_object(folder, ran):
    config(folder, "vision_config", hidden_act={"run": "this"})


@hostile("layer_norm_eps=nan")
def an_epsilon_that_is_nan(folder, ran):
    config(folder, "vision_config", layer_norm_eps=float("nan"))


@hostile("128 is not divisible by 3 heads")
def heads_that_do_not_divide(folder, ran):
    config(folder, "vision_config", num_attention_heads=3)


@hostile("is not UTF-8 text")
def a_config_of_noise(folder, ran):
    (folder / "config.json").write_bytes(bytes(range(128, 256)))


@hostile("image_std=")
def a_deviation_of_zero(folder, ran):
    (folder / "preprocessor_config.json").write_text(
        '{"image_mean": [0.5, 0.5, 0.5], "image_std": [0, 1, 1]}'
    )


@hostile("image_std=.* at least 0.001")
def a_deviation_that_divides_to_infinity(folder, ran):
    (folder / "preprocessor_config.json").write_text(
        '{"image_mean": [0.5, 0.5, 0.5], "image_std": [1e-320, 1, 1]}'
    )


@hostile("gives image_mean=0.5, but three numbers, one for each colour, are expected")
def a_mean_of_one_number(folder, ran):
    (folder / "preprocessor_config.json").write_text('{"image_mean": 0.5}')


@hostile("three numbers, one for each colour, are expected")
def a_mean_of_words(folder, ran):
    (folder / "preprocessor_config.json").write_text('{"image_mean": ["a", "b", "c"]}')


# --- vocabularies
#
# ----------------------------------------------------------------------


def sparse(file, size):
    """A file of that many bytes that takes no room."""
    with file.open("wb") as opened:
        opened.truncate(size)


@hostile("merges.txt has 200,000,000 bytes; .* it is not read")
def two_hundred_megabytes_in_one_line(folder, ran):
    sparse(folder / "merges.txt", 200_000_000)


@hostile("vocab.json has 200,000,000 bytes; .* it is not read")
def two_hundred_megabytes_of_vocabulary(folder, ran):
    sparse(folder / "vocab.json", 200_000_000)


@hostile("config.json has 2,000,000,000 bytes; .* it is not read")
def two_gigabytes_of_config(folder, ran):
    sparse(folder / "config.json", 2_000_000_000)


@hostile("holds more than 67,108,864 bytes")
def a_packed_vocabulary_that_swells(folder, ran):
    for name in ("vocab.json", "merges.txt"):
        (folder / name).unlink()
    with gzip.open(folder / "bpe_simple_vocab_16e6.txt.gz", "wb") as file:
        for _ in range(70):
            file.write(b"\0" * (1 << 20))


@hostile("a vocabulary maps every piece to a whole number")
def ids_that_are_words(folder, ran):
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    (folder / "vocab.json").write_text(
        json.dumps({piece: str(n) for piece, n in vocabulary.items()})
    )


@hostile("vocabulary and merges do not belong together")
def merges_of_another_vocabulary(folder, ran):
    with (folder / "merges.txt").open("a", encoding="utf-8") as file:
        file.write("qq zz\n")


@hostile("nothing at the end of a text|describes no byte-pair encoding")
def a_tokenizer_of_another_kind(folder, ran):
    for name in ("vocab.json", "merges.txt"):
        (folder / name).unlink()
    (folder / "tokenizer.json").write_text('{"model": {"type": "Unigram", "vocab": []}}')


def peak():
    """Megabytes this process has ever taken; Windows does not say."""
    if os.name != "posix":
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1 << 10 if sys.platform == "linux" else 1 << 20
    )


# --- folders
#
# ----------------------------------------------------------------------


@hostile("no weights in", posix=True)
def a_pipe_for_weights(folder, ran):
    os.mkfifo(only(folder, "model.safetensors"))


@hostile("no weights in", posix=True)
def a_device_for_weights(folder, ran):
    only(folder, "model.safetensors").symlink_to("/dev/zero")


@posix_only
def test_what_is_neither_file_nor_folder(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in ("/dev/zero", tmp_path / "pipe"):
        with pytest.raises(ValueError, match=f"{place} is neither a file nor a folder"):
            cx.load(place)


@hostile("no weights in", posix=True)
def a_link_to_itself(folder, ran):
    only(folder, "model.safetensors").symlink_to("model.safetensors")


@hostile("no weights in")
def a_folder_for_weights(folder, ran):
    only(folder, "model.safetensors").mkdir()


@hostile("merges.txt|vocabulary|every line of a merges file", posix=True)
def a_link_to_somebody_elses_file(folder, ran):
    (folder / "merges.txt").unlink()
    (folder / "merges.txt").symlink_to("../../../../../../../../../../etc/passwd")


@hostile("names '../../secret.safetensors', but a file beside it is expected")
def an_index_that_points_outside(folder, ran):
    """Weights in several files lie in one folder, wherever an index points."""
    only(folder, "model.safetensors.index.json").write_text(
        '{"weight_map": {"logit_scale": "../../secret.safetensors"}}'
    )
    save_file({"logit_scale": torch.ones(())}, folder.parent / "secret.safetensors")


#
#
# ----------------------------------------------------------------------


@pytest.mark.parametrize(("spoil", "match"), KINDS.values())
def test_refused_in_one_line(spoil, match, tmp_path):
    folder, ran = tmp_path / "checkpoint", tmp_path / "ran"
    shutil.copytree(str(EMBEDDED), folder)
    spoil(folder, ran)
    before = peak()
    with pytest.raises((ValueError, FileNotFoundError), match=match) as caught:
        cx.load(folder, trust=True)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600
    assert not ran.exists(), "the checkpoint ran something"
    grown = peak() - before
    assert grown < 200, f"{grown:.0f} MB were taken for a file that holds nothing of the kind"


def test_there_are_many():
    assert len(KINDS) >= 60


@pytest.mark.parametrize("version", ["2.4.0", "2.5.1+cu124", "2.9.1", "1.13.1"])
def test_an_older_torch_is_not_asked_to_read_a_pickle(version, tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(1)}, tmp_path / "weights.pt")
    monkeypatch.setattr(torch, "__version__", version)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(
        ValueError, match=rf"torch {re.escape(version)} can be made to run .* 2\.10"
    ):
        cx.load(tmp_path / "weights.pt")


@pytest.mark.parametrize("version", ["2.10.0", "2.13.0+cpu", "3.0.0", "2.11.0a0+git12"])
def test_a_safe_torch_is_asked(version, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "__version__", version)
    expect_safe_torch()


def test_a_program_of_onnx_is_known_by_its_name_too(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"\0" * 40)
    with pytest.raises(ValueError, match="is an ONNX file, a program of its own; weights are read"):
        cx.load(tmp_path / "model.onnx")


def test_no_error_advises_to_read_a_pickle_unsafely(tmp_path):
    """Torch's own advice, for a file that it does not know, is to turn its protection off."""
    for name, content in {
        "a.pt": b"\x00\x01\x02",
        "b.pt": b"x" * 99,
        "c.bin": b"",
        "d.pt": ONNX,
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError) as caught:
            cx.load(tmp_path / name)
        assert "weights_only" not in str(caught.value) and str(caught.value).isprintable()


def test_what_training_keeps_beside_the_weights_is_read_past(embedded, tmp_path):
    """Optimizers, numbers, names and half precision are no harm; tied weights are two names."""
    layer = torch.nn.Linear(3, 3)
    optimizer = torch.optim.AdamW(layer.parameters())
    layer(torch.ones(3)).sum().backward()
    optimizer.step()
    tied = torch.nn.Parameter(torch.ones(50_000).half())
    saved = {
        "epoch": 3,
        "name": "é",
        "optimizer": optimizer.state_dict(),
        "state_dict": OrderedDict({"module.a": tied, "module.b": tied, **layer.state_dict()}),
        "shape": torch.Size([3]),
        "kind": torch.float16,
        "where": torch.device("cpu"),
    }
    for new in (True, False):
        torch.save(saved, tmp_path / "a.pt", _use_new_zipfile_serialization=new)
        found = read_weights(tmp_path / "a.pt")
        assert sorted(found.tensors) == ["bias", "module.a", "module.b", "weight"]
        assert torch.equal(found.read("weight"), layer.weight)


def test_a_file_cut_short_while_it_is_read(tmp_path):
    """Mapped into memory, what lies behind its end would end the process with SIGBUS."""
    save_file({"a": torch.arange(3.0), "b": torch.arange(100_000.0)}, tmp_path / "x.safetensors")
    found = read_weights(tmp_path / "x.safetensors")
    assert torch.equal(found.read("a"), torch.arange(3.0))
    os.truncate(tmp_path / "x.safetensors", 100_000)
    for read in (found.read, lambda name: found.into(name)(torch.empty(100_000), 0)):
        with pytest.raises(
            ValueError, match="x.safetensors was cut short while it was read, in tensor 'b'"
        ):
            read("b")


@posix_only
def test_a_file_that_is_replaced_while_it_is_read(tmp_path):
    """Its header is that of the old one: so must its numbers be."""
    save_file({"a": torch.arange(3.0)}, tmp_path / "x.safetensors")
    found = read_weights(tmp_path / "x.safetensors")
    save_file({"a": torch.zeros(3)}, tmp_path / "y.safetensors")
    os.replace(tmp_path / "y.safetensors", tmp_path / "x.safetensors")
    assert torch.equal(found.read("a"), torch.arange(3.0))


@posix_only
def test_a_file_cut_short_by_loading_is_closed_and_no_thread_is_left(tmp_path, monkeypatch):
    """Without the collector of circles, which would close it some time."""
    shutil.copytree(str(EMBEDDED), tmp_path, dirs_exist_ok=True)
    file = tmp_path / "model.safetensors"
    read = safe_tensors.Stored.read_into

    def cut(self, *given):
        os.truncate(file, 50_000)
        read(self, *given)

    monkeypatch.setattr(safe_tensors.Stored, "read_into", cut)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    gc.disable()
    try:
        with pytest.raises(ValueError, match="was cut short while it was read, in tensor"):
            cx.load(tmp_path)
        found = [os.path.realpath(f"/proc/self/fd/{n}") for n in os.listdir("/proc/self/fd")]
    finally:
        gc.enable()
    assert str(file) not in found
    assert not [t for t in threading.enumerate() if "ThreadPool" in t.name]


def test_weights_are_read_where_no_thread_can_be_started(monkeypatch):
    def refuse(self):
        raise RuntimeError("can't start new thread")

    expected = cx.load().state_dict()
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    found = cx.load().state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_what_a_caller_made_torchs_default_changes_no_model():
    expected = cx.load().state_dict()
    with torch.device("meta"):
        found = cx.load().state_dict()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("preadv", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_threads_read_what_the_library_reads(tmp_path, monkeypatch, dtype, preadv):
    """In pieces, as large tensors are; where a system has no reading from a place, as well."""
    if not preadv:
        monkeypatch.delattr(os, "preadv", raising=False)
    state = {"a": torch.randn(700, 50), "b": torch.tensor(2.5), "c": torch.randn(0, 3)}
    state = {name: tensor.to(dtype) for name, tensor in state.items()}
    save_file(state, tmp_path / "x.safetensors")
    found = read_weights(tmp_path / "x.safetensors").behind("")
    assert all(torch.equal(found.read(name), state[name]) for name in state)
    place = torch.empty(35_000, dtype=dtype)
    with ThreadPoolExecutor(4) as pool:
        into, firsts = found.into("a"), range(0, 35_000, 1_000)
        list(pool.map(lambda first: into(place[first : first + 1_000], first), firsts))
    assert torch.equal(place.view(700, 50), state["a"])


def test_what_a_file_says_reaches_no_terminal(tmp_path):
    folder = tmp_path / "checkpoint"
    shutil.copytree(str(EMBEDDED), folder)
    spell = "\x1b]0;pwned\x07"
    kept = (folder / "config.json").read_text()
    for part, values in (
        ("vision_config", {"hidden_size": spell}),
        ("vision_config", {"layer_norm_eps": spell}),
        ("vision_config", {"hidden_act": spell}),
        (None, {"model_type": spell}),
        (None, {"text_config": spell}),
    ):
        config(folder, part, **values)
        with pytest.raises(ValueError) as caught:
            cx.load(folder)
        assert str(caught.value).isprintable(), values
        (folder / "config.json").write_text(kept)
    save_file({spell: torch.ones(1)}, folder / "model.safetensors")
    with pytest.raises(ValueError, match="not a CLIP checkpoint") as caught:
        cx.load(folder)
    assert str(caught.value).isprintable()


@posix_only
def test_text_of_an_error_does_not_quote_the_file(tmp_path):
    """A link to a private file must not have its contents printed in an error."""
    folder = tmp_path / "checkpoint"
    shutil.copytree(str(EMBEDDED), folder)
    secret = tmp_path / "secret"
    secret.write_text("password hunter2\n")
    for name in ("config.json", "vocab.json", "preprocessor_config.json"):
        kept = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / name).symlink_to(secret)
        with pytest.raises(ValueError) as caught:
            cx.load(folder)
        assert "hunter2" not in str(caught.value)
        (folder / name).unlink()
        (folder / name).write_bytes(kept)
