"""The hub as a server on this machine: what is fetched, what is resumed, what is refused, and what
each failure says.
"""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save as serialize
from test_formats import open_clip_config, weights
from true_sizes import empty

import clipxai as cx
from clipxai.cli import main
from clipxai.model.files import hub
from clipxai.model.files.locating import EMBEDDED

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "someone/small-clip"


class Hub(BaseHTTPRequestHandler):
    """HEAD and GET of …/resolve/<revision>/<file>, as huggingface_hub asks; what goes wrong is set
    on the server.
    """

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        server = self.server
        if "/resolve/" not in self.path:
            return self.refuse(404, {})
        repository, _, place = self.path.strip("/").partition("/resolve/")
        revision, _, name = place.partition("/")
        server.asked.append(
            (
                self.command,
                revision,
                name,
                self.headers.get("Authorization"),
                self.headers.get("Range"),
            )
        )
        if server.status != 200:
            return self.refuse(
                server.status, {"X-Error-Code": server.error_code} if server.error_code else {}
            )
        if repository != NAME:
            return self.refuse(404, {"X-Error-Code": "RepoNotFound"})
        if revision not in ("main", "v1", COMMIT):
            return self.refuse(404, {"X-Error-Code": "RevisionNotFound"})
        if name not in server.files:
            return self.refuse(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        data = server.files[name]
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        etag = server.announced.get(name, hashlib.sha256(data).hexdigest())
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Linked-Etag", f'"{etag}"')
        self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", str(len(data) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if body:
            if name in server.cut:
                server.cut.discard(name)
                self.wfile.write(data[start : start + len(data) // 2])
                self.close_connection = True
                return None
            self.wfile.write(data[start:])
        return None

    def refuse(self, status, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.files = {file.name: file.read_bytes() for file in EMBEDDED.iterdir()}
    server.asked, server.announced, server.cut, server.status, server.error_code = (
        [],
        {},
        set(),
        200,
        None,
    )
    threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    ).start()
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}"
    )
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    yield server
    server.shutdown()
    server.server_close()


def fetched(server):
    return sorted({name for command, _, name, *_ in server.asked if command == "GET"})


def test_a_model_from_the_hub_is_the_model(server, embedded, scene):
    server.files |= {
        "README.md": b"x",
        "pytorch_model.bin": b"never",
        "tf_model.h5": b"never",
        "flax_model.msgpack": b"never",
    }
    model = cx.load(NAME)
    pixels = embedded.preprocess(scene.image)
    assert torch.equal(model.encode_image(pixels), embedded.encode_image(pixels))
    assert model.tokenizer.encode("an owl") == embedded.tokenizer.encode("an owl")
    assert fetched(server) == [
        "config.json",
        "merges.txt",
        "model.safetensors",
        "preprocessor_config.json",
        "vocab.json",
    ], "and nothing else"


def test_the_commit_is_remembered_and_pinned(server, scene):
    model = cx.load(NAME, revision="v1")
    assert {revision for _, revision, *_ in server.asked} == {"v1"}
    e = cx.explain(cx.record(model, scene.image, "a dog"), "clip")
    assert (
        e.provenance["revision"] == COMMIT
        and e.provenance["source"] == NAME
        and e.provenance["model"] == "small-clip"
    )
    asked = len(server.asked)
    assert cx.load(NAME, revision=COMMIT).provenance["revision"] == COMMIT
    assert not [call for call in server.asked[asked:] if call[0] == "GET"], (
        "what is on disk is not fetched again"
    )


def test_open_clip_layout_from_the_hub(server, golden_vit):
    del server.files["config.json"], server.files["model.safetensors"]
    server.files["config.json"] = b'{"architecture": "vit_base_patch16_clip_224"}'
    server.files["open_clip_config.json"] = json.dumps(open_clip_config("vit")).encode()
    server.files["open_clip_model.safetensors"] = serialize(weights("vit"))
    model = cx.load(NAME)
    image = golden_vit[1]["image"]
    torch.testing.assert_close(model.encode_image(image), golden_vit[0].encode_image(image))


def test_short_names(server, monkeypatch):
    monkeypatch.setitem(hub.SHORT_NAMES, "ViT-B/16", NAME)
    assert cx.load("ViT-B/16").provenance["source"] == NAME


def test_a_cut_connection_is_resumed(server, monkeypatch):
    # what is kept of a cut download is whole chunks
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)
    server.cut = {"model.safetensors"}
    cx.load(NAME)
    gets = [
        byte_range
        for command, _, name, _, byte_range in server.asked
        if command == "GET" and name == "model.safetensors"
    ]
    half = len(server.files["model.safetensors"]) // 2
    assert (
        gets[0] is None
        and gets[1].startswith("bytes=")
        and 0 < int(gets[1][6:].split("-")[0]) <= half
    ), "the rest, not all again"


def test_what_was_not_announced_is_removed(server, tmp_path):
    server.announced["model.safetensors"] = "f" * 64
    with pytest.raises(
        OSError, match="model.safetensors is not what the hub announced .* was removed: try again"
    ):
        cx.load(NAME)
    assert not list((tmp_path / "cache").rglob("model.safetensors")) and not list(
        (tmp_path / "cache").rglob("f" * 64)
    )
    del server.announced["model.safetensors"]
    cx.load(NAME)


def test_tokens_are_sent(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    cx.load(NAME)
    assert {token for *_, token, _ in server.asked} == {"Bearer hf_secret"}


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (
            401,
            None,
            r"no such model on http://127.0.0.1:\d+ that you may read: check the name, or log in",
        ),
        (
            401,
            "GatedRepo",
            r"someone/small-clip is gated: accept its terms on http://127.0.0.1:\d+/"
            r"someone/small-clip and log in",
        ),
        (403, "GatedRepo", "someone/small-clip is gated"),
        (404, "RepoNotFound", "no folder 'someone/small-clip' here, and no such model on"),
        (
            503,
            None,
            r"config.json of someone/small-clip is not in the cache \(.*cache\), and .* cannot be "
            r"reached \(it answered 503\)",
        ),
        (
            500,
            None,
            r"cannot be reached \(it answered 500\): copy the model's folder from a machine that "
            r"has it .* or use the embedded model",
        ),
    ],
)
def test_refusals(server, status, code, message):
    server.status, server.error_code = status, code
    with pytest.raises((ValueError, OSError), match=message) as caught:
        cx.load(NAME)
    assert "\n" not in str(caught.value)


def test_a_revision_that_is_not_there(server):
    with pytest.raises(
        ValueError,
        match="someone/small-clip has no revision 'v9'; its branches and commits stand on",
    ):
        cx.load(NAME, revision="v9")


def test_a_name_the_hub_cannot_have(server):
    with pytest.raises(
        ValueError, match="'someone/small--clip' is not the name of a model on the hub: "
    ):
        cx.load("someone/small--clip")
    assert not server.asked


def test_a_repository_without_a_model(server):
    server.files = {"README.md": b"data"}
    with pytest.raises(
        FileNotFoundError,
        match="no weights in someone/small-clip: looked for model.safetensors with config.json",
    ):
        cx.load(NAME)
    server.files = {"config.json": b'{"model_type": "bert"}', "model.safetensors": b""}
    with pytest.raises(ValueError, match="someone/small-clip describes a 'bert' model"):
        cx.load(NAME, revision="v1")
    assert "model.safetensors" not in fetched(server), "what cannot be read is not downloaded"


def test_offline(server, monkeypatch, tmp_path):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(
        OSError,
        match=r"config.json of someone/small-clip is not in the cache \(.*cache\), "
        r".*HF_HUB_OFFLINE is set\): copy",
    ) as caught:
        cx.load(NAME)
    assert "use the embedded model, load()" in str(caught.value) and not server.asked
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    cx.load(NAME)
    asked = len(server.asked)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert cx.load(NAME).provenance["revision"] == COMMIT
    assert len(server.asked) == asked, "offline is offline"


def test_unreachable_but_cached(server, monkeypatch):
    cx.load(NAME)
    server.status = 503
    assert cx.load(NAME).provenance["revision"] == COMMIT


def test_nobody_answers(server, monkeypatch):
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}",
    )
    with pytest.raises(OSError, match="cannot be reached .* copy the model's folder"):
        cx.load(NAME)


def test_names_that_are_none(server):
    for name in ("a/b/c", "--x/y", "some one/model", "../../no/such", "model"):
        with pytest.raises(FileNotFoundError, match="no checkpoint at"):
            cx.load(name)
    assert not server.asked


def test_a_commit_that_would_climb_out_of_the_cache(server, monkeypatch, tmp_path):
    monkeypatch.setattr("test_hub.COMMIT", "../../../../climbed")
    with pytest.raises((ValueError, OSError)):
        cx.load(NAME)
    assert not [path for path in tmp_path.rglob("climbed*")] and not [
        path for path in tmp_path.parent.glob("climbed*")
    ]


def test_the_table_of_models_knows_what_is_on_disk(server, capsys, monkeypatch):
    assert main(["models"]) == 0
    table = capsys.readouterr().out
    assert (
        "ViT-L/14@336px" in table
        and "Apache-2.0" in table
        and "605 MB" in table
        and "on this disk" not in table
    )
    monkeypatch.setattr(hub, "KNOWN", (hub.Known(NAME, "MIT", 1_000_000),))
    cx.load(NAME)
    assert main(["models"]) == 0
    assert "on this disk" in capsys.readouterr().out


@pytest.mark.parametrize("known", hub.KNOWN, ids=lambda known: known.id)
def test_sizes_in_the_table_are_those_of_the_models(known):
    """Parameters counted on models without memory, of the sizes OpenAI and Google published."""
    assert sum(p.numel() for p in empty(known.id).parameters()) == known.parameters


def test_the_command_line_says_it_in_one_line(server, capsys, tmp_path):
    sample = next(EMBEDDED.parent.joinpath("samples").glob("*.png"))
    server.status, server.error_code = 404, "RepoNotFound"
    assert (
        main(["explain", str(sample), "a dog", "--model", NAME, "--out", str(tmp_path / "e.npz")])
        == 2
    )
    assert capsys.readouterr().err.count("\n") == 1
    server.status = 200
    assert (
        main(
            [
                "explain",
                str(sample),
                "a dog",
                "--model",
                NAME,
                "--revision",
                "v1",
                "--out",
                str(tmp_path / "e.npz"),
            ]
        )
        == 0
    )
    assert cx.Explanation.from_npz(tmp_path / "e.npz").provenance["revision"] == COMMIT
