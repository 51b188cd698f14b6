"""The bench against the functions it is made of, interrupted, shared among processes, and on the
committed leaderboard.
"""

import json
import os
import re
import subprocess
import sys
import warnings
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from weakref import WeakKeyDictionary

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from two_processes import by_two

import clipxai as cx
from clipxai.cli import main
from clipxai.explainers import decomposition, gradient_parts, similarity, surgery
from clipxai.explainers.gradient_parts import Meter
from clipxai.measure import bench as bench_module
from clipxai.measure import leaderboard, report
from clipxai.measure.bench import Bench
from clipxai.measure.data import dataset
from clipxai.measure.emoji_world import PROMPT, localisations
from clipxai.measure.report_figures import strips
from clipxai.measure.run import run
from clipxai.measure.samples import Dataset, Sample
from clipxai.measure.summary import FIRST, summary

COMMITTED = Path(__file__).parents[2] / "benchmarks/leaderboard.md"
METHODS = ("clip", "clip_surgery")


@pytest.fixture
def one_thread():
    """As in every process that torchrun starts: how sums are split over threads can change their
    last digit.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def bench(embedded):
    return Bench(embedded, dataset("emoji-world"), METHODS)


def without_times(results):
    left_out = ("milliseconds", "processes", "threads", "command")
    return {name: value for name, value in results.items() if name not in left_out}


def test_the_same_numbers_as_the_model_card(bench, tmp_path):
    rows = run(bench, tmp_path, limit=10)
    found = summary(bench, rows)["scores"]
    card = localisations(
        bench.model,
        [cx.scenes.sample(seed) for seed in range(10)],
        {name: (name, {}) for name in METHODS},
    )
    for method, at in card.items():
        of = found[method]["localisation"]
        measured = [
            of[name]
            for name in (
                "pairs",
                "mSC",
                "upside down",
                "mIoU at 0.5",
                "mIoU at oracle",
                "oracle threshold",
                "pointing",
            )
        ]
        expected = [
            at.pairs,
            at.msc,
            at.upside_down,
            at.miou_half,
            at.miou_best,
            at.best,
            at.pointing,
        ]
        assert measured == pytest.approx(expected, rel=1e-4) and of[
            "object contrast"
        ] == pytest.approx(at.object_contrast, rel=1e-4)


def test_texts_encoded_once_are_the_texts_of_each_picture(bench):
    scene = cx.scenes.sample(0)
    texts = [PROMPT.format(cx.scenes.noun(name)) for name in scene.objects]
    trace = bench.with_texts(cx.record(bench.model, scene.image, ""), bench.data.read("0").labels)
    assert trace.texts == tuple(texts)
    for method in METHODS:
        expected = cx.explain(cx.record(bench.model, scene.image, texts), method)
        np.testing.assert_allclose(cx.explain(trace, method).scores, expected.scores, atol=1e-5)


def test_measures_of_one_map_stay_light():
    code = (
        "import sys, clipxai.measure as m; print([x for x in ('torchmetrics', 'h5py', "
        "'matplotlib') if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_presence_rows(bench):
    row = bench.measure("1")
    present = [pair[1] for pair in row["scores"]["clip"]["presence"]]
    assert present == [1.0] * len(row["labels"]) + [0.0] * 3
    again = bench.measure("1")
    # absent labels follow from the seed
    assert json.dumps(row["scores"]) == json.dumps(again["scores"])


def test_an_interrupted_run_goes_on(bench, tmp_path, monkeypatch):
    whole = without_times(summary(bench, run(bench, tmp_path / "whole", limit=5)))
    out = tmp_path / "interrupted"
    run(bench, out, limit=2)
    with (out / "rows/0.jsonl").open("ab") as file:
        file.write(b'{"id": "2", "labels": [')  # killed while writing
    measured = []
    monkeypatch.setattr(
        bench, "_read", lambda name: measured.append(name) or Bench._read(bench, name)
    )
    again = without_times(summary(bench, run(bench, out, limit=5)))
    assert measured == ["2", "3", "4"] and again == whole
    assert [
        json.loads(line).get("id") for line in (out / "rows/0.jsonl").read_bytes().splitlines()
    ] == [None, "0", "1", "2", "3", "4"]
    other = Bench(bench.model, bench.data, METHODS, seed=1, batch=2)
    with pytest.raises(ValueError, match="a run with other seed, batch: choose another --out"):
        run(other, out, limit=5)


def test_a_batch_gives_the_numbers_of_one_by_one(bench, tmp_path):
    """Of a method that reads the texts together, one that compares them, and one by gradients."""
    methods = (*METHODS, "decomposition_among_texts", "grad_cam")

    def read(name):
        sample = bench.data.read(name)
        return Sample(sample.image, (), sample.masks[:0]) if name == "3" else sample

    data = replace(bench.data, read=read)
    one = Bench(bench.model, data, methods)
    few = Bench(bench.model, data, methods, batch=3)
    alone, together = (run(of, tmp_path / str(of.batch), limit=5) for of in (one, few))
    assert [row["id"] for row in together] == ["0", "1", "2", "3", "4"]
    assert {tuple(row["milliseconds"]) for row in together if row["labels"]} == {
        ("forward", *methods)
    }
    for row, expected in zip(together, alone):
        assert row["labels"] == expected["labels"] and row.keys() == expected.keys()
        for method in methods if row["labels"] else ():
            of, like = row["scores"][method], expected["scores"][method]
            np.testing.assert_allclose(of["presence"], like["presence"], atol=1e-5)
            np.testing.assert_allclose(of["localisation"], like["localisation"], atol=1)
    passes = []
    counting = bench.model.visual.register_forward_pre_hook(
        lambda tower, given: passes.append(len(given[0]))
    )
    list(few.measure_each("01245"))
    counting.remove()
    assert passes == [3, 2]


def test_pictures_before_one_that_cannot_be_read_are_kept(bench, tmp_path):
    def read(name):
        if name == "2":
            raise OSError("no such picture")
        return bench.data.read(name)

    mine = Bench(bench.model, replace(bench.data, read=read), METHODS, batch=4)
    with pytest.raises(OSError, match="no such picture"):
        run(mine, tmp_path, limit=6)
    lines = (tmp_path / "rows/0.jsonl").read_bytes().splitlines()[1:]
    assert [json.loads(line)["id"] for line in lines] == ["0", "1"]


def test_rows_from_before_there_were_batches_are_of_one_by_one(bench, tmp_path):
    row = run(bench, tmp_path, limit=1)
    file = tmp_path / "rows/0.jsonl"
    said, *lines = file.read_text().splitlines(keepends=True)
    old = json.loads(said)
    del old["batch"]
    file.write_text("".join([json.dumps(old) + "\n", *lines]))
    assert run(bench, tmp_path, limit=1) == row  # times too: it was not measured again
    with pytest.raises(ValueError, match="holds a run with other batch"):
        run(Bench(bench.model, bench.data, METHODS, batch=2), tmp_path, limit=1)
    half = Bench(cx.load(dtype="bfloat16"), bench.data, METHODS)
    with pytest.raises(ValueError, match=r"holds a run with other model \(or --dtype\):"):
        run(half, tmp_path, limit=1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_two_processes_give_the_numbers_of_one(bench, tmp_path, one_thread):
    asked = ["bench", "--methods", ",".join(METHODS), "--limit", "7"]
    done = by_two(lambda: main([*asked, "--out", str(tmp_path / "two")]), tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("clip_surgery ") == 1  # one process speaks for both
    written = json.loads((tmp_path / "two/results.json").read_text())
    shares = [
        len(file.read_bytes().splitlines()) - 1
        for file in sorted((tmp_path / "two/rows").iterdir())
    ]
    assert written["processes"] == 2 and shares == [4, 3]
    alone = json.loads(
        json.dumps(report.strict(summary(bench, run(bench, tmp_path / "one", limit=7))))
    )
    assert without_times(written) == without_times(alone)  # to the last digit


def test_every_metric_and_what_is_written(embedded, tmp_path, capsys):
    metrics = "localisation,presence,inside,faithfulness,randomisation,sensitivity"
    command = [
        "bench",
        "--limit",
        "2",
        "--size",
        "64",
        "--methods",
        "clip_surgery",
        "--metrics",
        metrics,
        "--out",
        str(tmp_path),
    ]
    assert main(command) == 0
    printed = capsys.readouterr().out
    assert "clip_surgery" in printed and "mFSR, vv" in printed and "report.html" in printed
    results = json.loads((tmp_path / "results.json").read_text())
    of = results["scores"]["clip_surgery"]
    assert (
        set(of) == set(metrics.split(",")) - {"inside"}
        and results["seed"] == 0
        and results["model"]["weights sha256"]
    )
    assert (
        0 <= of["randomisation"]["size of the rank correlation with shuffled weights"] <= 1
        and of["sensitivity"]["largest change"] > 0
    )
    assert of["faithfulness"]["insertion, blur"] > of["faithfulness"]["deletion, blur"]
    assert len(results["inside"]["mFSR by layer"]["qk"]) == len(embedded.visual.blocks)
    assert results["inside"]["L1 redundancy"]["present and empty"] > 0
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 2 and page.count("data:image/jpeg") == 4 and "mFSR, vv" in page
    assert "var(--accent)" in page and "currentColor" in page and "#01020" not in page, (
        "drawn in the page's colours, light or dark"
    )
    assert "deletion, mean" in (tmp_path / "leaderboard.md").read_text()


def test_a_report_escapes_what_it_shows_and_fetches_nothing(bench, tmp_path):
    hostile = "<script>x</script> $a_$ & dog"
    scene = cx.scenes.compose("dog", seed=0)
    data = Dataset(
        "mine",
        (hostile, "cat"),
        "a photo of {}",
        ("<b>id</b>",),
        lambda name: Sample(scene.image, (0,), scene.masks),
    )
    mine = Bench(bench.model, data, METHODS)
    rows = run(mine, tmp_path)
    report.write(mine, summary(mine, rows), rows, tmp_path, "clipxai bench '<i>'")
    page = (tmp_path / "report.html").read_text()
    assert (
        "<script" not in page
        and "<b>id" not in page
        and "<i>" not in page
        and "&lt;script&gt;x" in page
    )
    addresses = re.findall(r'(?:src|href)="(?!data:|#)[^"]*|url\((?!#)[^)]*|@import', page)
    assert addresses == [] and "default-src 'none'" in page


def test_a_picture_without_a_listed_class_is_counted_and_left_out(bench, tmp_path):
    def read(name):
        sample = bench.data.read(name)
        return Sample(sample.image, (), sample.masks[:0]) if name == "1" else sample

    mine = Bench(bench.model, replace(bench.data, read=read), METHODS)
    rows = run(mine, tmp_path / "four", limit=4)
    results = summary(mine, rows)
    assert (results["images"], results["images with a label"]) == (4, 3)
    without = summary(mine, [row for row in rows if row["id"] != "1"])
    assert results["scores"] == without["scores"]
    report.write(mine, results, rows, tmp_path, "clipxai bench")
    assert "4 (3 with a label)" in (tmp_path / "report.html").read_text()
    with pytest.raises(ValueError, match="none of these 1 pictures of emoji-world shows a class"):
        summary(mine, [row for row in rows if row["id"] == "1"])


def test_a_class_that_fills_its_pictures_has_no_strip():
    board = leaderboard.Board((), {"clip": [], "gem": []}, None)
    by_class = {"clip": {"dog": {"mSC": float("nan")}}, "gem": {"dog": {"mSC": 12.0}}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert strips(board, by_class).startswith("<svg")


def write_voc(root, scenes):
    """PASCAL VOC's folders with a dog in each picture; `scenes` {id: Scene}."""
    for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name, scene in scenes.items():
        values = np.where(scene.masks[0], 12, 0).astype(np.uint8)
        values[:5] = 255
        Image.fromarray(scene.image).save(root / f"JPEGImages/{name}.jpg", quality=95)
        annotation = Image.fromarray(values, mode="P")
        annotation.putpalette([(37 * n) % 256 for n in range(768)])
        annotation.save(root / f"SegmentationClass/{name}.png")
    (root / "ImageSets/Segmentation/val.txt").write_text("\n".join(scenes) + "\n")
    return root


def dogs(*seeds):
    return {name: cx.scenes.compose("dog", seed=seed) for name, seed in zip("abc", seeds)}


def test_rows_of_another_folder_are_not_taken(embedded, tmp_path, capsys, monkeypatch):
    first, second = write_voc(tmp_path / "first", dogs(3)), write_voc(tmp_path / "second", dogs(4))
    command = [
        "bench",
        "--methods",
        "clip",
        "--metrics",
        "localisation",
        "--out",
        str(tmp_path / "out"),
        "--data",
    ]
    assert main([*command, str(first)]) == 0
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results["data"] == "voc2012" and results["data folder"] == str(first.resolve())
    capsys.readouterr()
    assert main([*command, str(second)]) == 2
    told = capsys.readouterr()
    assert (
        "holds a run with other data folder: choose another --out, or delete that folder"
        in told.err
        and not told.out
    )
    monkeypatch.chdir(tmp_path)
    assert main([*command, "first"]) == 0, "another way to say the same folder"


def test_what_changed_on_disk_is_measured_again(embedded, tmp_path, monkeypatch):
    root, measured = write_voc(tmp_path / "voc", dogs(3, 4, 5)), []
    classes = tmp_path / "mine.txt"
    classes.write_text("12: dog\n3: bird\n")
    monkeypatch.setattr(
        Bench,
        "_read",
        lambda self, name, read=Bench._read: measured.append(name) or read(self, name),
    )

    def again():
        measured.clear()
        rows = run(
            Bench(embedded, dataset(root, classes=classes), ["clip"], ["localisation"]),
            tmp_path / "out",
        )
        return "".join(measured), {row["id"]: row.get("scores") for row in rows}

    assert again()[0] == "abc" and again()[0] == ""
    before = again()[1]
    later = dogs(3, 6, 5)
    write_voc(tmp_path / "later", later)
    # a mended mask
    (tmp_path / "later/SegmentationClass/b.png").replace(root / "SegmentationClass/b.png")
    only_mask, after = again()
    assert (
        only_mask == "b"
        and after["a"] == before["a"]
        and after["b"] != before["b"]
        and again()[0] == ""
    )
    (tmp_path / "later/JPEGImages/c.jpg").replace(root / "JPEGImages/c.jpg")
    assert again()[0] == "c"
    (root / "ImageSets/Segmentation/val.txt").write_text("b\na\n")
    assert again()[0] == "ba", "another place is another half and other absent labels"
    classes.write_text("11: dog\n3: bird\n")  # the same words for a value that is in no mask
    assert again() == ("ba", {"b": None, "a": None})


def test_a_damaged_row_is_named(bench, tmp_path):
    run(bench, tmp_path, limit=2)
    file = tmp_path / "rows/0.jsonl"
    settings, first, second = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(settings + first.replace(b"{", b"", 1) + second)
    with pytest.raises(
        ValueError,
        match=rf"line 2 of {re.escape(str(file))} is damaged .*: delete that line, or the file",
    ):
        run(bench, tmp_path, limit=2)
    file.write_bytes(settings + second)  # as told
    assert [row["id"] for row in run(bench, tmp_path, limit=2)] == ["0", "1"]


@pytest.mark.parametrize("line", ["[]", "null", "5", '"id"', "{}", '{"id": 3}', "[" * 100_000])
def test_a_row_that_says_something_else(bench, tmp_path, line):
    run(bench, tmp_path, limit=1)
    file = tmp_path / "rows/0.jsonl"
    settings, row = file.read_text().splitlines()
    file.write_text(f"{settings}\n{row}\n{line}\n")
    with pytest.raises(ValueError, match=f"line 3 of {re.escape(str(file))} is damaged"):
        run(bench, tmp_path, limit=1)
    if not line.startswith("{"):
        file.write_text(f"{line}\n{row}\n")
        with pytest.raises(ValueError, match=f"line 1 of {re.escape(str(file))} is damaged"):
            run(bench, tmp_path, limit=1)


def test_words_of_others_are_only_words_in_the_leaderboard(bench, tmp_path):
    results = summary(bench, run(bench, tmp_path, limit=1))
    results["model"]["name"] = "<img src=x onerror=alert(1)> [a](http://b)\n# c"
    results["data"] = "<b>*x*"
    results["protocol"]["<i>"] = "| `y` <script>"
    said = leaderboard.markdown(results, "clipxai bench --classes '`` </code><script>`'\n# d")
    assert "<" not in said.replace("`` </code><script>`'", "") and "\n# c" not in said
    title, _, command, *_ = said.splitlines()
    assert title == (
        r"# &lt;img src=x onerror=alert(1)&gt; \[a\](http://b)\\n# c on &lt;b&gt;\*x\*"
    )
    assert command == r"Made by ```clipxai bench --classes '`` </code><script>`'\n# d```"
    assert r"- &lt;i&gt;: \| \`y\` &lt;script&gt;" in said.splitlines()


def test_public_layouts_from_end_to_end(embedded, tmp_path):
    scene = cx.scenes.compose("dog", seed=3)
    voc = write_voc(tmp_path / "VOC2012", {"a": scene})
    mine = Bench(embedded, dataset(voc), ["clip_surgery"])
    row = mine.measure("a")
    assert (
        mine.data.classes[row["labels"][0]] == "dog"
        and row["scores"]["clip_surgery"]["localisation"][0][0] > 20
    )

    with h5py.File(tmp_path / "gtsegs_ijcv.mat", "w") as file:
        image, mask, inner = (
            file.create_dataset(name, (1, 1), dtype=h5py.ref_dtype)
            for name in ("value/img", "value/gt", "#refs#/c")
        )
        image[0, 0] = file.create_dataset("#refs#/i", data=scene.image.transpose(2, 1, 0)).ref
        inner[0, 0] = file.create_dataset("#refs#/m", data=scene.masks[0].T.astype(np.uint8)).ref
        mask[0, 0] = inner.ref
    mine = Bench(embedded, dataset(tmp_path / "gtsegs_ijcv.mat"), ["clip_surgery"])
    mine.__dict__["texts"] = mine.texts[[152, 207, 340]]  # a few of 1,000 classes, to be quick
    scores = summary(mine, [mine.measure("0")])["scores"]["clip_surgery"]
    assert scores["imagenet-segmentation"]["pixel accuracy"] > 60 and set(scores) == {
        "imagenet-segmentation",
        "localisation",
    }
    with pytest.raises(ValueError, match="presence needs to know what is in a picture"):
        Bench(embedded, mine.data, metrics=["presence"])
    squashed, inside = mine.data, ["inside"]
    assert squashed.read("0").masks.shape[1:] != scene.masks.shape[1:]
    found = Bench(embedded, squashed, ["clip"], inside).measure("0")["inside"]
    named = Bench(embedded, dataset(voc), ["clip"], inside).measure("a")["inside"]
    np.testing.assert_allclose(found["attention"], named["attention"], atol=0.03)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--methods", "attention", "--metrics", "words", "--limit", "2"],
        ["--methods", "attention,rollout", "--metrics", "words", "--limit", "2"],
        ["--methods", "clip", "--metrics", "inside", "--data", "one.csv"],
    ],
)
def test_a_report_is_written_where_nothing_can_be_measured(arguments, tmp_path, monkeypatch):
    """Methods that read no text, of which no word is asked; a class that is in every picture."""
    monkeypatch.chdir(tmp_path)
    for n in range(2):
        scene = cx.scenes.compose("cat", seed=n)
        Image.fromarray(scene.image).save(f"{n}.png")
        Image.fromarray(scene.masks[0]).save(f"{n}-mask.png")
    lines = [f"{n}.png,{n}-mask.png,cat" for n in range(2)]
    Path("one.csv").write_text("\n".join(["path,mask,label", *lines]))
    with warnings.catch_warnings(action="error"):
        assert main(["bench", "--out", "out", *arguments]) == 0
    assert {"leaderboard.md", "report.html"} <= {file.name for file in Path("out").iterdir()}


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--methods", "clip_surgry"], "unknown method 'clip_surgry'; nearest: clip_surgery"),
        (["--methods", "clip_surgery_released"], "clip_surgery_released cannot be asked of"),
        (["--metrics", "iou"], "unknown metric 'iou'; choose from localisation, presence"),
        (["--metrics", "imagenet-segmentation"], "is the protocol of that data set alone"),
        (["--data", "/nowhere"], "no such data: /nowhere"),
        (["--limit", "0"], "--limit 0, but at least one picture"),
    ],
)
def test_wrong_input_is_one_line(arguments, message, tmp_path, capsys):
    assert main(["bench", "--out", str(tmp_path / "out"), *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1 and not (tmp_path / "out").exists()


def test_the_committed_leaderboard_can_be_measured_again(embedded, tmp_path):
    """The first scenes of `benchmarks/leaderboard.md`, all its methods, on the weights it names."""
    text = COMMITTED.read_text(encoding="utf-8")
    table = text.split(f"The first {FIRST} images alone")[1]
    committed = {
        row[0].strip("` "): [float(cell) for cell in row[1:]]
        for row in (
            line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")
        )
    }
    again = Bench(embedded, dataset("emoji-world"), list(committed), ["localisation"])
    assert again.settings["model"]["weights sha256"] in text, (
        "the embedded model changed: run the command in leaderboard.md again"
    )
    scores = summary(again, run(again, tmp_path, limit=FIRST))["scores"]
    measured = {
        method: [column.of(scores[method]) for column in leaderboard.REMEASURED]
        for method in committed
    }
    assert {"clip", "clip_surgery"} < set(committed)
    for method in committed:
        # other machines round otherwise
        assert measured[method] == pytest.approx(committed[method], abs=0.3), method


def test_prompts_that_are_too_long_are_cut_if_told(embedded, tmp_path):
    data = replace(dataset("emoji-world"), prompt="a photo of {}" + " and so on" * 40)
    with pytest.raises(ValueError, match="truncate=True"):
        run(Bench(embedded, data, ["clip"], ["presence"]), tmp_path / "whole", limit=1)
    bench = Bench(embedded, data, ["clip"], ["presence"], truncate=True)
    expected = embedded.encode_text(data.prompts, truncate=True)
    torch.testing.assert_close(bench.texts, expected, rtol=0, atol=1e-5)
    rows = run(bench, tmp_path / "cut", limit=1)
    assert "cut where it is too long" in json.dumps(summary(bench, rows))


def test_the_command_cuts_them_too(tmp_path):
    command = ["bench", "--data=emoji-world", "--methods=clip", "--limit=1", f"--out={tmp_path}"]
    assert main([*command, "--truncate"]) == 0
    assert json.loads((tmp_path / "results.json").read_text())["truncate"] is True


def test_the_first_cost_of_a_gradient_is_none_of_measuring_its_memory(bench, monkeypatch):
    """The first picture's is, many times slower, so a batch is asked once before it is timed."""
    within, timed = [], bench_module.stopwatch

    @contextmanager
    def counted(pictures=1):
        within.append(True)
        with timed(pictures) as spent:
            yield spent
        within.pop()

    class Watched(Meter):
        def __enter__(self):
            metered.append(bool(within))
            return super().__enter__()

    metered = []
    monkeypatch.setattr(bench_module, "stopwatch", counted)
    monkeypatch.setattr(gradient_parts, "Meter", Watched)
    monkeypatch.setattr(gradient_parts, "_TAKEN", WeakKeyDictionary())
    [*Bench(bench.model, bench.data, ["grad_cam"], batch=3).measure_each(["0", "1", "2"])]
    assert metered and not any(metered)


def test_methods_that_read_the_same_path_run_it_once(bench, monkeypatch):
    """Of one picture and of a batch; outside a bench, changed weights would be overlooked."""
    ran = []

    def rewritten(trace, change):
        ran.append(change)
        return surgery.rewrite(trace, change)

    monkeypatch.setattr(similarity, "rewrite", rewritten)
    shares = []
    one_by_one = decomposition.Worth.of_heads
    monkeypatch.setattr(
        decomposition.Worth, "of_heads", lambda *told: shares.append(0) or one_by_one(*told)
    )
    alike = ("clip_surgery", "clip_surgery_architecture")
    methods = (*alike, "decomposition", "decomposition_among_texts")
    for batch in (1, 2):
        [*Bench(bench.model, bench.data, methods, batch=batch).measure_each("12")]
        layers = len(bench.model.visual.blocks)
        # what compares texts is asked of each picture by itself
        assert (len(ran), len(shares)) == ((2, 2 * layers) if batch == 1 else (1, 3 * layers))
        ran.clear(), shares.clear()
    trace = cx.record(bench.model, cx.scenes.sample(1).image, "a dog", size=64)
    for method in alike:
        cx.explain(trace, method)
    assert len(ran) == 2
