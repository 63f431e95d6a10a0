"""Measure how much memory `burble train` needs for a short and a big text, and when it begins.

    make bench-memory                        # benchmarks/results/memory.{json,md}
    python -m benchmarks.big_text            # a table; nothing is written
    python -m benchmarks.big_text --megabytes 1 100 --minutes 0.5

Writes texts of invented words and trains on each for a while, in a separate process, with the
command's defaults. Measures the peak of resident memory, with and without mapped files, since a
run maps the ids of its text. Texts and runs are removed afterwards. With --write, the results
replace those of a machine of the same name.
"""

from __future__ import annotations

import argparse
import datetime as dt
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine, in_one_line, keep_report
from benchmarks.tables import markdown_table
from burble.run_folder.folder import RunFolder
from burble.run_folder.metrics import Metrics

RESULTS = Path(__file__).parent / "results"

WORDS = 50_000
CHUNK_WORDS = 10_000

# A process inherits the peak of the one that started it, so a small process starts the command.
LAUNCHER = """
import re, resource, subprocess, sys, time
process, own = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL), 0
while process.poll() is None:
    try:
        with open(f"/proc/{process.pid}/status") as status:
            found = re.search(r"RssAnon:\\s+(\\d+)", status.read())
    except OSError:
        found = None
    own = max(own, int(found[1]) if found else 0)
    time.sleep(0.02)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, own)
sys.exit(process.returncode)
"""

COLUMNS = ("text, MB", "resident, MB", "without mapped files, MB", "first step after, s")


@dataclass(frozen=True)
class Result:
    """The measurements on one text."""

    megabytes: float
    peak_megabytes: float
    own_megabytes: float | None
    """The peak without mapped files, whose pages the system can take back. Sampled 50 times a
    second, on Linux only; else None."""

    seconds_to_first_step: float


def write_text(path: Path, megabytes: int) -> None:
    """Write a text of invented words at Zipf's frequencies, some accented, in lines of ten."""
    draw = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlucmfwypvbgkqjxzéüß"))
    words = np.array(["".join(draw.choice(letters, draw.integers(2, 10))) for _ in range(WORDS)])
    size = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        while size < megabytes * 10**6:
            chosen = words[np.minimum(draw.zipf(1.3, CHUNK_WORDS), WORDS) - 1].reshape(-1, 10)
            size += file.write("\n".join(map(" ".join, chosen.tolist())) + "\n")


def peak_megabytes(command: list[str]) -> tuple[float, float | None]:
    """Run a command.

    Returns the peak of its resident memory, and the peak without mapped files, in megabytes.
    """
    launched = [sys.executable, "-c", LAUNCHER, *command]
    done = subprocess.run(launched, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    peak, own = map(int, done.stdout.split())
    # Linux counts in kilobytes, macOS in bytes.
    return peak / (1e6 if sys.platform == "darwin" else 1e3), own / 1e3 if own else None


def seconds_to_first_step(folder: Path) -> float:
    """Return how many seconds after the command the first step began, from the run's log."""
    run = RunFolder(folder)
    data, steps = run.read_config().data, Metrics.read(folder).steps
    if not steps:
        sys.exit("The time was over before the first step. Give more --minutes.")
    first = steps[0]
    characters = first.step * data.batch_size * data.seq_len
    return first.seconds - characters / first.chars_per_second


def measure(megabytes: int, minutes: float, folder: Path | None) -> Result:
    """Write a text of this size and train on it."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        text, run = Path(scratch) / "text.txt", Path(scratch) / "run"
        write_text(text, megabytes)
        command = [sys.executable, "-m", "burble", "train", str(text), "-o", str(run)]
        peak, own = peak_megabytes([*command, "--minutes", str(minutes)])
        return Result(
            megabytes=text.stat().st_size / 1e6,
            peak_megabytes=peak,
            own_megabytes=own,
            seconds_to_first_step=seconds_to_first_step(run),
        )


def cells(result: Result) -> list[str]:
    """Return a result as a row under `COLUMNS`."""
    return [
        f"{result.megabytes:,.0f}",
        f"{result.peak_megabytes:,.0f}",
        "–" if result.own_megabytes is None else f"{result.own_megabytes:,.0f}",
        f"{result.seconds_to_first_step:.2f}",
    ]


def table(report: dict[str, Any]) -> list[str]:
    """Return a report as lines of Markdown."""
    made = markdown_table([COLUMNS, *(cells(Result(**one)) for one in report["results"])])
    where = in_one_line(report["machine"], report["date"])
    return [*made, "", f"`burble train --minutes {report['minutes']:g}`. {where}."]


def write(report: dict[str, Any], folder: Path) -> None:
    reports = keep_report(report, folder / "memory.json")
    lines = ["# How much memory learning needs", "", "Written by `make bench-memory`."]
    for name, one in reports.items():
        lines += ["", f"## {name}", "", *table(one)]
    (folder / "memory.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, print and, if asked, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", nargs="+", type=int, default=[1, 1000])
    parser.add_argument("--minutes", type=float, default=2.5)
    parser.add_argument("--folder", type=Path, help="where there is room for twice the text")
    parser.add_argument(
        "--write", nargs="?", type=Path, const=RESULTS, metavar="FOLDER", help="write the results"
    )
    args = parser.parse_args()
    report = {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": describe_machine(),
        "minutes": args.minutes,
        "results": [asdict(measure(size, args.minutes, args.folder)) for size in args.megabytes],
    }
    print("\n".join(table(report)))
    if args.write:
        write(report, args.write)


if __name__ == "__main__":
    main()
