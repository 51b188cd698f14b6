"""The trainer on a tiny run: it learns, stops, goes on exactly where it stopped, and writes what
`load` reads.
"""

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

import clipxai as cx
from clipxai.model.towers.text import TextTransformer
from clipxai.model.towers.vit import VisionTransformer
from clipxai.results.writing import alone
from clipxai.scenes import learning, train
from clipxai.scenes.small_world import SmallWorld
from clipxai.scenes.vocabulary import learn_merges

TINY = (
    learning.Phase(32, 1.0, 24, 24 * 6, (1e-3, 5e-4)),
    learning.Phase(48, 0.5, 16, 16 * 3, (5e-4, 1e-5)),
)


@pytest.fixture(autouse=True)
def small_model(monkeypatch):
    def make_model(tokenizer):
        size = dict(width=32, heads=2, ffn_width=64, joint=32, activation="gelu")
        visual = VisionTransformer(image_size=(48, 48), patch=16, layers=7, **size)
        text = TextTransformer(vocabulary=len(tokenizer.vocabulary), context=32, layers=2, **size)
        return cx.CLIP(visual, text, tokenizer)

    for module in (learning, train):
        monkeypatch.setattr(module, "make_model", make_model)
    monkeypatch.setattr(learning, "VOCABULARY_CAPTIONS", 200)


def composed_here(data, batch, sampler, collate_fn, **beside):
    """By this process; a worker of a run's own imports torch first."""
    return DataLoader(data, batch, sampler=sampler, collate_fn=collate_fn)


def test_interrupted_equals_uninterrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "evaluate", lambda *_, **__: {})
    monkeypatch.setattr(learning, "DataLoader", composed_here)
    whole = train.Run(tmp_path / "whole", TINY)
    whole.train(save_every=2, report_every=1)

    steps = 0

    def interrupted(*arguments):
        nonlocal steps
        steps += 1
        if steps == 6:
            raise KeyboardInterrupt
        return loss(*arguments)

    loss = learning.contrastive_loss
    monkeypatch.setattr(learning, "contrastive_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train.Run(tmp_path / "parts", TINY).train(save_every=2, report_every=1)
    monkeypatch.setattr(learning, "contrastive_loss", loss)
    resumed = train.Run(tmp_path / "parts", TINY)
    assert (resumed.at.phase, resumed.at.step) == (0, 4)
    assert told(tmp_path / "parts")[-1] == (0, 4), "what is done again is told again"
    resumed.train(save_every=2, report_every=1)
    for (name, a), (_, b) in zip(
        whole.model.state_dict().items(), resumed.model.state_dict().items()
    ):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5, msg=name)
    assert told(tmp_path / "parts") == told(tmp_path / "whole")
    assert told(tmp_path / "whole") == [*((0, n) for n in range(1, 7)), (1, 1), (1, 2), (1, 3)]


def told(run):
    """(phase, step) of every line of a log."""
    lines = map(json.loads, (run / "log.jsonl").read_text().splitlines())
    return [(line["phase"], line["step"]) for line in lines]


def test_a_line_that_was_cut_off_is_told_again(tmp_path):
    run = train.Run(tmp_path, TINY)
    run.at = train.Progress(1, 2)
    run.save()
    lines = ['{"phase": 0, "step": 5}\n', '{"phase": 1, "step": 3}\n', '{"phase": 1, "st']
    (tmp_path / "log.jsonl").write_text("".join(lines))
    train.Run(tmp_path, TINY)
    assert (tmp_path / "log.jsonl").read_text() == lines[0]
    (tmp_path / "checkpoint.pt").unlink()
    train.Run(tmp_path, TINY)
    assert (tmp_path / "log.jsonl").read_text() == "", "nothing was saved"


def test_a_run_that_cannot_go_on_says_so_in_one_line(tmp_path, monkeypatch, capsys):
    """Another run writes there; other phases; a full disk; Ctrl-C."""

    def main():
        monkeypatch.setattr("sys.argv", ["train", "--out", str(tmp_path / "run")])
        with pytest.raises(SystemExit) as ended:
            train.main()
        assert "\n" not in ended.value.code
        return ended.value.code

    if os.name == "posix":
        with alone(tmp_path / "run"):
            assert main().startswith("train: another run is writing into")
    train.Run(tmp_path / "run", TINY).save()
    assert "holds a run with other phases" in main()
    monkeypatch.setattr(train.Run, "__init__", disk_full)
    assert "No space left" in main()
    monkeypatch.setattr(train.Run, "__init__", interrupted)
    assert main() == "train: interrupted; the same command goes on from the last checkpoint"
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["checkpoint.pt"]


def interrupted(*_):
    raise KeyboardInterrupt


def disk_full(*_):
    raise OSError(28, "No space left on device")


def test_the_log_is_never_half(tmp_path, monkeypatch):
    """What an interruption leaves while lines are left out of it."""
    run = train.Run(tmp_path, TINY)
    run.save()
    (tmp_path / "log.jsonl").write_text('{"phase": 0, "step": 0}\n{"phase": 9, "step": 1}\n')
    monkeypatch.setattr(Path, "write_text", disk_full)
    with pytest.raises(OSError, match="No space"):
        train.Run(tmp_path, TINY)
    assert len((tmp_path / "log.jsonl").read_bytes().splitlines()) == 2


COMPOSES = """
import multiprocessing, sys
import clipxai
from clipxai.scenes import learning
if __name__ == "__main__":
    phase = learning.Phase(32, 1.0, 8, 8 * 900, (1e-3, 1e-4))
    drawn = learning.batches(clipxai.load().tokenizer, phase, 0, 900)
    next(drawn)
    print(*(one.pid for one in multiprocessing.active_children()), flush=True)
    sys.stdin.read()
"""


def test_the_worker_that_composes_ends_with_a_run_that_is_killed(tmp_path):
    (tmp_path / "composes.py").write_text(COMPOSES, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "composes.py")]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen(command, **pipes) as run:
        workers = [Path("/proc") / pid for pid in run.stdout.readline().split()]
        assert workers and all(map(is_alive, workers))
        run.kill()
    deadline = time.monotonic() + 30
    while any(map(is_alive, workers)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_alive(process):
    """Whether it is there, and no mere entry of one that ended."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_it_learns_logs_and_exports(tmp_path, monkeypatch):
    """Held-out pairs find each other better than by guessing: the untrained model is worse than
    that (4.0 against ln 32 = 3.5), and so is one that stops improving.
    """
    phase = learning.Phase(32, 1.0, 32, 32 * 24, (2e-2, 2e-2))
    run = train.Run(tmp_path / "run", (phase,))
    with monkeypatch.context() as here:
        here.setattr(learning, "DataLoader", composed_here)
        held_out = next(learning.batches(run.model.tokenizer, phase, 10**6, 1))

    def loss():
        with torch.no_grad():
            return learning.contrastive_loss(run.model, *held_out, 1.0).item()

    assert loss() > math.log(32)
    run.train(save_every=100, report_every=24)
    assert loss() < math.log(32) - 0.1
    line = json.loads((tmp_path / "run" / "log.jsonl").read_text())
    assert line["samples"] == 32 * 24 and line["loss"] < math.log(32)
    assert {"object_top1", "background_top1", "raw_msc", "surgery_msc"} <= set(line)
    model = cx.load(run.finish())
    assert model.encode_text(["a dog"]).shape == (1, 32)
    torch.testing.assert_close(
        model.encode_text(["a dog"]), run.model.encode_text(["a dog"]), rtol=0, atol=1e-2
    )
    assert run.finish().exists(), "asking again changes nothing"


def test_a_small_world_is_learned_in_memory():
    world = SmallWorld(("cat", "guitar", "car"), ("grass", "snow"))
    torch.manual_seed(0)
    model = learning.make_model(cx.load().tokenizer)
    before = cx.measure.localisation(model, [world.sample(0)], "clip").msc
    steps, losses = zip(
        *learning.learn(model, learning.Phase(32, 0.5, 16, 16 * 30, (3e-3, 3e-3)), world.sample)
    )
    assert steps == tuple(range(1, 31)) and sum(losses[-5:]) < sum(losses[:5]) - 0.5
    assert cx.measure.localisation(model, [world.sample(0)], "clip").msc != before, (
        "the caller's model is the one that learns"
    )


def test_scenes_of_a_small_world():
    world = SmallWorld(("cat", "guitar", "car", "owl"), ("grass", "snow"))
    drawn = [world.sample(seed, split) for seed in range(40) for split in ("train", "test")]
    assert {name for scene in drawn for name in scene.objects} == set(world.objects)
    assert {scene.background for scene in drawn} == set(world.backgrounds)
    assert {len(scene.objects) for scene in drawn} == {1, 2, 3}
    assert len({scene.image.tobytes() for scene in drawn}) == len(drawn), (
        "no scene is in both splits"
    )
    assert (world.sample(3).image == world.sample(3, "test").image).all()
    with pytest.raises(ValueError, match="this world has 2; name more"):
        SmallWorld(("cat", "dog"), ("grass",))
    with pytest.raises(ValueError, match="'train' or 'test', not 'val'"):
        world.sample(0, "val")


def test_another_recipe_does_not_continue_a_run(tmp_path):
    train.Run(tmp_path, TINY).save()
    with pytest.raises(ValueError, match="holds a run with other phases"):
        train.Run(tmp_path, TINY[:1])


def test_learning_rate():
    phase = learning.Phase(64, 1.0, 10, 10_000, (1e-3, 1e-4))
    rates = [learning.learning_rate(phase, step, warm_up=True) for step in range(phase.steps)]
    assert (
        rates[0] == pytest.approx(1e-5)
        and max(rates) < 1e-3
        and rates[-1] == pytest.approx(1e-4, rel=0.01)
    )
    assert learning.learning_rate(phase, 0, warm_up=False) == 1e-3


def test_learned_merges_are_the_most_frequent_pairs():
    assert learn_merges(["low low low low lower newest newest"], 3)[:2] == [
        ("l", "o"),
        ("lo", "w</w>"),
    ]
    assert learn_merges(["ab"], 10) == [("a", "b</w>")]
