"""Measure how much int8 costs models of several sizes, on text they have not learned from.

    python -m benchmarks.int8_cost alice.txt tinyshakespeare.txt --sizes 128 256 512

For each text and hidden size a model is trained for a minute, and its held-out tenth is scored in
one pass with int8 and with float32.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.command import burble


def row(text: str, size: int, minutes: str) -> str:
    """Train, score twice, and return one line of the table."""
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        burble("train", text, "--hidden-size", str(size), "--minutes", minutes, "-o", run)
        int8, float32 = (
            burble("eval", run, text, "--no-baselines", "--precision", precision)["bits_per_char"]
            for precision in ("int8", "float32")
        )
    assert isinstance(int8, float)
    assert isinstance(float32, float)
    return f"| {Path(text).name} | {size} | {float32:.4f} | {int8:.4f} | {int8 - float32:+.4f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 256, 512])
    parser.add_argument("--minutes", default="1")
    args = parser.parse_args()
    print("| text | hidden | float32, bits per character | int8 | cost |")
    print("|---|---|---|---|---|")
    for text in args.texts:
        for size in args.sizes:
            print(row(text, size, args.minutes), flush=True)


if __name__ == "__main__":
    main()
