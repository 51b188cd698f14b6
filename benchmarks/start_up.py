"""How long until the first heat-map? Cold starts of whole processes, against `import torch` alone.

    python benchmarks/start_up.py

Bars: import clipxai <= 0.15 s beyond torch; `clipxai explain` <= 1.7 times `import torch`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from side_by_side import ratio

SAMPLE = Path(__file__).parent.parent / "clipxai/data/samples/cat-guitar.png"


def process(*arguments: str) -> None:
    """Run one Python process to its end."""
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)


def main() -> None:
    """Print both ratios."""

    def torch() -> None:
        process("-c", "import torch")

    def clipxai() -> None:
        # names load what they need
        process("-c", "import torch, clipxai; clipxai.load; clipxai.record; clipxai.explain")

    a, b, _ = ratio(clipxai, torch, rounds=9, warm_up=1)
    print(
        f"import torch, clipxai and its verbs {a:.2f} s, import torch {b:.2f} s, difference "
        f"{a - b:.2f} s (bar 0.15)"
    )
    with tempfile.TemporaryDirectory() as folder:

        def explain() -> None:
            process("-m", "clipxai", "explain", str(SAMPLE), "a dog", "--out", f"{folder}/dog.png")

        a, b, times = ratio(explain, torch, rounds=5, warm_up=1)
        print(f"clipxai explain {a:.2f} s, import torch {b:.2f} s, ratio {times:.2f} (bar 1.7)")


if __name__ == "__main__":
    main()
