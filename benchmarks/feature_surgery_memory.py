"""What does the closed form of feature surgery save? 1,025 tokens x 1,000 labels x 512 channels,
against the N x T x E tensor.

    python benchmarks/feature_surgery_memory.py

Bars: <= 40 MB extra, >= 20 times faster.
"""

import resource
import subprocess
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from side_by_side import compare
from torch import Tensor

from clipxai import feature_surgery

N, T, E = 1025, 1000, 512


def features() -> tuple[Tensor, Tensor]:
    """Random unit vectors (1, N, E) and (T, E)."""
    torch.manual_seed(0)
    return F.normalize(torch.randn(1, N, E), dim=-1), F.normalize(torch.randn(T, E), dim=-1)


def long_form(image: Tensor, text: Tensor) -> Tensor:
    """The order of the paper: multiply, weigh, subtract the mean over labels, sum the channels; (N,
    T, E) floats.
    """
    w = (2 * image[:, :1] @ text.T).softmax(-1)
    product = image[0, :, None] * text[None] * (w / w.mean(-1, keepdim=True))[0, :, :, None]
    return (product - product.mean(1, keepdim=True)).sum(-1)[None]


def peak_megabytes(function: str) -> float:
    """Extra peak memory of one call, in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, function], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def peak() -> float:
    """Largest resident memory of this process so far, MB. Linux's own counter where there is one:
    `ru_maxrss` survives an exec there.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text(encoding="utf-8").split("VmHWM:")[1].split()[0]) / 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def measure(function: str) -> None:
    """Print how far one call raises the peak of this process (a small call first, so that code and
    threads are loaded).
    """
    image, text = features()
    run = {"closed": feature_surgery, "long": long_form}[function]
    run(image[:, :50], text[:20])
    before = peak()
    run(image, text)
    print(peak() - before)


def main() -> None:
    """Print time and memory, side by side."""
    image, text = features()
    difference = (feature_surgery(image, text) - long_form(image, text)).abs().max()
    print(f"largest difference of the two forms: {difference:.1e}")
    pairs = compare(
        lambda: long_form(image, text), lambda: feature_surgery(image, text), rounds=5, warm_up=1
    )
    print(
        f"time: N x T x E {1e3 * pairs.a:.0f} ms, closed form {1e3 * pairs.b:.1f} ms, "
        f"{pairs.ratio:.0f} times faster, bar 20"
    )
    print(
        f"extra memory: N x T x E {peak_megabytes('long'):.0f} MB, closed form "
        f"{peak_megabytes('closed'):.0f} MB (bar 40)"
    )


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) > 1 else main()
