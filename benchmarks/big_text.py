"""How long a big text takes to start learning, and how much memory it needs.

    python -m benchmarks.big_text --megabytes 1000

Writes a text of invented words, trains on it for a while in a process of its own, and reports the
seconds until the first update of the weights and the peak of resident memory, beside that of a
process that only imports torch. The text and the run are removed afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

WORDS = 50_000
CHUNK_WORDS = 1_000_000


def write_text(path: Path, megabytes: int) -> None:
    """Invented words at Zipf's frequencies, some accented, in lines of ten."""
    draw = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkqjxzéüß"))
    words = np.array(["".join(draw.choice(letters, draw.integers(2, 10))) for _ in range(WORDS)])
    size = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        while size < megabytes * 10**6:
            chosen = words[np.minimum(draw.zipf(1.3, CHUNK_WORDS), WORDS) - 1].reshape(-1, 10)
            size += file.write("\n".join(map(" ".join, chosen.tolist())) + "\n")


def peak_megabytes(command: list[str]) -> float:
    """Run a command; the peak of its resident memory."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    # Linux counts in kilobytes, macOS in bytes.
    return usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def logged(run: Path, figure: str) -> list[dict[str, float]]:
    """The lines of the run's log that have this figure."""
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    return [line for line in lines if figure in line]


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=2.5)
    parser.add_argument("--folder", type=Path, help="where there is room for twice the text")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as scratch:
        text, run = Path(scratch) / "text.txt", Path(scratch) / "run"
        write_text(text, args.megabytes)
        alone = peak_megabytes([sys.executable, "-c", "import torch"])
        command = [sys.executable, "-m", "burble", "train", str(text), "-o", str(run)]
        training = peak_megabytes([*command, "--minutes", str(args.minutes)])
        report = {
            "megabytes": text.stat().st_size / 1e6,
            "seconds_to_first_update": logged(run, "train_bits_per_char")[0]["seconds"],
            "peak_megabytes": training,
            "peak_megabytes_of_torch_alone": alone,
            "peak_megabytes_beyond_torch": training - alone,
            "val_bits_per_char": logged(run, "val_bits_per_char")[-1]["val_bits_per_char"],
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
