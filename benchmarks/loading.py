"""What does loading cost? ViT-B/16 in Hugging Face's layout from disk, against
`safetensors.torch.load_file` and one copy of every tensor.

    python benchmarks/loading.py

Bars: ratio <= 1.3; peak memory <= 1.05 times the weights.
"""

import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median

import torch
from safetensors.torch import save_file
from side_by_side import in_turns

from clipxai.model.files.hugging_face import HF, build_hf
from clipxai.model.files.locating import EMBEDDED

ROUNDS = 15
# what it leaves out is ViT-B's in transformers too
CONFIG = {"model_type": "clip", "vision_config": {"patch_size": 16}}
ONCE = """
import gc, re, sys, time
import clipxai as cx
from safetensors.torch import load_file
how, folder, embedded = sys.argv[1:]
cx.load(), load_file(embedded)  # whatever loading imports
# of this process alone: what getrusage calls the peak includes that of the parent
def memory(kind):
    return 1024 * int(re.search(kind + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
gc.collect(), gc.disable()  # as timeit does: when torch's own objects are collected is chance
now, start = memory("VmRSS"), time.perf_counter()
if how == "ours":
    kept = cx.load(folder)
else:
    stored = load_file(folder + "/model.safetensors")
    kept = {name: tensor.clone() for name, tensor in stored.items()}
print(time.perf_counter() - start, memory("VmHWM") - now)
"""


def write(folder: Path) -> int:
    """A checkpoint of random weights; the number of their bytes."""
    state = {}
    for ours, tensor in build_hf(CONFIG, folder).state_dict().items():
        theirs = HF.theirs(ours)
        shape = tensor.T.shape if ours in HF.transposed else tensor.shape
        if len(theirs) > 1:  # q, k and v, which ours keeps below one another
            shape = (len(tensor) // len(theirs), *tensor.shape[1:])
        state |= {name: torch.randn(shape) * 0.02 for name in theirs}
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return sum(tensor.numel() * 4 for tensor in state.values())


def once(how: str, folder: str, peaks: list[float]) -> float:
    """Seconds of one load in a process that loaded nothing large before, as users load; bytes of
    memory at the peak go to `peaks`.
    """
    command = [sys.executable, "-c", ONCE, how, folder, str(EMBEDDED / "model.safetensors")]
    seconds, peak = subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.split()
    peaks.append(float(peak))
    return float(seconds)


def main() -> None:
    """Print the ratio of times and of memory."""
    with tempfile.TemporaryDirectory() as folder:
        size, peaks = write(Path(folder)), []
        ours, plain = partial(once, "ours", folder, peaks), partial(once, "plain", folder, [])
        pairs = in_turns(ours, plain, ROUNDS, warm_up=1)
        peak = median(peaks)
        print(
            f"load {1e3 * pairs.a:.0f} ms, load_file and one copy {1e3 * pairs.b:.0f} ms, ratio "
            f"{pairs.ratio:.2f}, bar 1.3"
        )
        print(
            f"peak memory {peak / 1e6:.0f} MB for {size / 1e6:.0f} MB of weights, ratio "
            f"{peak / size:.2f}, bar 1.05"
        )


if __name__ == "__main__":
    main()
