"""What does loading cost? ViT-B/16 in Hugging Face's layout from disk, against `safetensors.torch.load_file` and one copy of every tensor.

python benchmarks/loading.py          bars: ratio <= 1.3; peak memory <= 1.2 times the weights
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from side_by_side import ratio

import clipxai as cx
from clipxai.model.layouts import HF, build_hf

CONFIG = {"model_type": "clip", "vision_config": {"patch_size": 16}}  # what it leaves out is ViT-B's in transformers too
PEAK = """
import re, sys
import clipxai as cx
def memory(kind):  # of this process alone: what getrusage calls the peak includes that of the parent
    return 1024 * int(re.search(kind + r":\\s+(\\d+)", open("/proc/self/status").read())[1])
cx.load()  # whatever loading imports
now = memory("VmRSS")
cx.load(sys.argv[1])
print(memory("VmHWM") - now)
"""


def write(folder: Path) -> int:
    """A checkpoint of random weights; the number of their bytes."""
    state = {}
    for ours, tensor in build_hf(CONFIG, folder).state_dict().items():
        theirs = HF.theirs(ours)
        shape = tensor.T.shape if ours in HF.transposed else (len(tensor) // len(theirs), *tensor.shape[1:]) if tensor.ndim else ()
        state |= {name: torch.randn(shape) * 0.02 for name in theirs}
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG))
    return sum(tensor.numel() * 4 for tensor in state.values())


def main() -> None:
    """Print the ratio of times and of memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write(folder)

        def plain() -> dict:
            return {name: tensor.clone() for name, tensor in load_file(folder / "model.safetensors").items()}

        a, b, times = ratio(lambda: cx.load(folder), plain)
        print(f"load {1e3 * a:.0f} ms, load_file and one copy {1e3 * b:.0f} ms, ratio {times:.2f} (bar 1.3)")
        peak = int(subprocess.run([sys.executable, "-c", PEAK, name], check=True, capture_output=True, text=True).stdout)
        print(f"peak memory {peak / 1e6:.0f} MB for {size / 1e6:.0f} MB of weights, ratio {peak / size:.2f} (bar 1.2)")


if __name__ == "__main__":
    main()
