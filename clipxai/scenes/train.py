"""How is the embedded model made? A small CLIP trained from scratch on freshly composed scenes, on
two CPU cores, by `python -m clipxai.scenes.train --out runs/emoji-world`.

Three phases, as in FLIP (Li et al. 2023, arXiv 2212.00794) and in CLIP's own last epoch at a larger
size: small images, then large ones of which 60 % of the patches are dropped, then whole ones. Stop
it whenever you like; the same command goes on where it stopped.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import torch
from tqdm import tqdm

from ..checks import visible
from ..measure import card, evaluate
from ..model.files.checkpoints import load
from ..model.files.saving import save_folder
from ..results.writing import alone, append, replacing
from .learning import (
    Phase,
    batches,
    improve,
    learning_rate,
    make_model,
    make_optimizer,
    make_tokenizer,
)

PHASES = (
    Phase(size=64, keep=1.0, batch=192, samples=180_000, rate=(1.5e-3, 8e-4)),
    Phase(size=112, keep=0.4, batch=128, samples=80_000, rate=(8e-4, 3e-4)),
    Phase(size=112, keep=1.0, batch=96, samples=20_000, rate=(3e-4, 1e-5)),
)


@dataclass
class Progress:
    """How far a run is: the phase, and the step within it."""

    phase: int = 0
    step: int = 0


class Run:
    """A training run in a folder: everything needed to go on is in `checkpoint.pt`, replaced in one
    go.
    """

    def __init__(self, out: Path, phases: tuple[Phase, ...] = PHASES) -> None:
        self.out, self.phases, self.at = out, phases, Progress()
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        self.model = make_model(make_tokenizer())
        self.optimizer = make_optimizer(self.model)
        if (out / "checkpoint.pt").exists():
            saved = torch.load(out / "checkpoint.pt", weights_only=True)
            if saved["phases"] != [asdict(phase) for phase in phases]:
                raise ValueError(
                    f"{out} holds a run with other phases; choose another --out or delete it"
                )
            self.model.load_state_dict(saved["model"])
            self.optimizer.load_state_dict(saved["optimizer"])
            self.at = Progress(**saved["at"])
        self._forget_unsaved()

    def _forget_unsaved(self) -> None:
        """Leave out of `log.jsonl` what came after the last checkpoint: it is done, and told,
        again.
        """
        log, kept = self.out / "log.jsonl", []
        if not log.exists():
            return
        for line in log.read_text().splitlines(keepends=True):
            # without an end it was cut off while it was written
            told = json.loads(line) if line.endswith("\n") else None
            if told and (told["phase"], told["step"]) <= (self.at.phase, self.at.step):
                kept.append(line)
        with replacing(log) as draft:
            draft.write_text("".join(kept))

    def save(self) -> None:
        """Replace `checkpoint.pt` in one go."""
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "at": asdict(self.at),
            "phases": [asdict(phase) for phase in self.phases],
        }
        # in memory first: of a full disk torch says nothing that helps
        whole = BytesIO()
        torch.save(state, whole)
        with replacing(self.out / "checkpoint.pt") as draft:
            draft.write_bytes(whole.getbuffer())

    def train(self, save_every: int, report_every: int) -> None:
        """All phases that remain."""
        while self.at.phase < len(self.phases):
            self._train_phase(self.phases[self.at.phase], save_every, report_every)
            self.at = Progress(self.at.phase + 1)
            self.save()

    def _train_phase(self, phase: Phase, save_every: int, report_every: int) -> None:
        number, done = self.at.phase, self.at.step
        # every scene is seen once, so phases and interruptions go on where the last seed was
        seen_before = sum(earlier.steps * earlier.batch for earlier in self.phases[:number])
        first_seed = seen_before + done * phase.batch
        bar = tqdm(
            batches(self.model.tokenizer, phase, first_seed, phase.steps - done),
            desc=f"phase {number + 1} of {len(self.phases)}",
            total=phase.steps,
            initial=done,
            unit="step",
            mininterval=1,
        )
        for pixels, ids in bar:
            # which patches are dropped does not depend on where a run was interrupted
            torch.manual_seed(first_seed + self.at.step)
            rate = learning_rate(phase, self.at.step, warm_up=number == 0)
            loss = improve(self.model, self.optimizer, pixels, ids, phase.keep, rate)
            self.at.step += 1
            bar.set_postfix(loss=f"{loss:.3f}")
            # told first: between the two a run may end, and what is not saved is told again
            if self.at.step % report_every == 0:
                self.log(phase, loss)
            if self.at.step % save_every == 0:
                self.save()

    def finish(self) -> Path:
        """Write the trained model as a checkpoint folder, in half precision, and return where."""
        folder = self.out / "emoji-world-vit"
        if not folder.exists():
            save_folder(self.model, folder)
        return folder

    def log(self, phase: Phase, loss: float) -> None:
        """One line of `log.jsonl`: where the run is, the loss, and how well the model does on a few
        held-out scenes.
        """
        self.model.eval()
        line = {
            **asdict(self.at),
            "samples": self.at.step * phase.batch,
            "loss": round(loss, 4),
            **evaluate(self.model, scenes=100),
        }
        self.model.train()
        with (self.out / "log.jsonl").open("ab", buffering=0) as log:
            append(log, json.dumps(line).encode() + b"\n")
        tqdm.write("  ".join(f"{name} {value}" for name, value in line.items()))


def main() -> None:
    """Train, write the finished model, and print the figures of its model card."""
    parser = argparse.ArgumentParser("python -m clipxai.scenes.train", description=__doc__)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs/emoji-world"),
        help="folder for the checkpoint, log and finished model (default: %(default)s)",
    )
    parser.add_argument(
        "--save-every",
        type=int,
        default=100,
        help="steps between checkpoints (default: %(default)s)",
    )
    parser.add_argument(
        "--report-every", type=int, default=200, help="steps between reports (default: %(default)s)"
    )
    arguments = parser.parse_args()
    try:
        with alone(arguments.out):
            run = Run(arguments.out)
            run.train(arguments.save_every, arguments.report_every)
            finished = run.finish()
        print(f"finished model: {finished}")
        print(card.figures(load(finished)))
    except (ValueError, OSError) as error:
        sys.exit(f"train: {visible(str(error))}")
    except KeyboardInterrupt:
        sys.exit("train: interrupted; the same command goes on from the last checkpoint")


if __name__ == "__main__":
    main()
