"""Measure a step of learning: burble's learner and torch, alone and beside a busy process.

    make bench-training                      # benchmarks/results/training.{json,md}
    python -m benchmarks.training            # in tables; nothing is written
    python -m benchmarks.training --write --instructions avx2    # as without AVX-512
    python -m benchmarks.training --cases 1x512:16 1x256:16:5000 --threads 1 --rounds 3

A step is forward, backward, clipping, AdamW and averaging, on batches of 32 characters a row. torch
is measured as burble uses it (`--learner torch`), and as a plain loop around `nn.LSTM`, which does
not average weights. Without torch, burble is measured alone. All take turns in one process, as does
the machine's peak of multiply-adds, so that they see the same conditions. Each figure is the median
of the turns. Only products count as operations, but everything counts as time. With --write, the
results replace those of a machine of the same name.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.instructions import HELD, can_be_held, environment
from benchmarks.machine import describe_machine, in_one_line, keep_report, stay_on_few_cores
from benchmarks.tables import markdown_table
from burble.native.library import find_library
from burble.threads import set_thread_defaults

if TYPE_CHECKING:
    from benchmarks.training_step import Beside, Result

RESULTS = Path(__file__).parent / "results"
MIN_WIDTH = 120

CASES = [
    *(
        f"{network}:{rows}"
        for network in ("1x256", "1x384", "2x256", "1x512")
        for rows in (16, 32, 64)
    ),
    "2x512:64",
    "1x256:16:5000",
]
BESIDE = "1x256:16"

COLUMNS = (
    "LSTM",
    "rows",
    "vocabulary",
    "threads",
    "burble, ms",
    "with torch, ms",
    "plain loop, ms",
    "times faster",
    "GFLOP/s",
    "at most",
    "share",
)
BESIDE_COLUMNS = ("threads", "alone, ms", "beside, ms", "ratio")

NOTES = (
    "burble: its own learner. with torch: `--learner torch`. plain loop: `nn.LSTM`, fused AdamW, "
    "nothing averaged. times faster: than the quicker of these two. at most: what multiply-adds in "
    "registers do with as many threads, measured between the turns. share: of that."
)
BESIDE_NOTE = (
    "A step of {case} alone, and beside a process that is busy on one of {processors} processors; "
    "means of turns of {turn:g} s, medians of {rounds}. its own: as many threads as the learner "
    "finds quickest, which is what `burble train` does."
)


def cells(result: Result) -> list[str]:
    """Return a result as a row under `COLUMNS`."""
    others = [result.others_ms.get(name) for name in ("torch", "plain")]
    return [
        result.network,
        str(result.rows),
        f"{result.vocab_size:,}",
        str(result.threads),
        f"{result.native_ms:.2f}",
        *("–" if ms is None else f"{ms:.2f}" for ms in others),
        "–" if result.times_faster is None else f"{result.times_faster:.2f}",
        f"{result.gflops:.0f}",
        f"{result.peak_gflops:.0f}",
        f"{result.share:.0%}",
    ]


def beside_cells(found: Beside) -> list[str]:
    """Return the result of one number of threads as a row under `BESIDE_COLUMNS`."""
    threads = "its own" if found.threads is None else str(found.threads)
    return [threads, f"{found.alone_ms:.2f}", f"{found.beside_ms:.2f}", f"{found.ratio:.2f}"]


def sections(report: dict[str, Any]) -> list[tuple[list[Any], str]]:
    """Return each table of a report, with its columns as first row, and the note under it."""
    from benchmarks.training_step import Beside, Result

    steps = [COLUMNS, *(cells(Result(**one)) for one in report["results"])]
    beside = [BESIDE_COLUMNS, *(beside_cells(Beside(**one)) for one in report["beside"])]
    return [(steps, NOTES), (beside, BESIDE_NOTE.format(**report["beside_how"]))]


def markdown(reports: dict[str, dict[str, Any]]) -> str:
    """Return the page as Markdown, with a section for each machine."""
    lines = ["# How long a step of learning takes", "", "Written by `make bench-training`."]
    for name, report in reports.items():
        lines += ["", f"## {name}", "", f"{in_one_line(report['machine'], report['date'])}."]
        for table, note in sections(report):
            lines += ["", *markdown_table(table), "", note]
    return "\n".join(lines) + "\n"


def print_tables(report: dict[str, Any]) -> None:
    """Print the tables of a report."""
    console = Console(highlight=False)
    console.width = max(console.width, MIN_WIDTH)
    for (columns, *rows), note in sections(report):
        table = Table(padding=(0, 0, 0, 1))
        for column in columns:
            table.add_column(column, justify="right")
        for row in rows:
            table.add_row(*row)
        console.print(table)
        console.print(note, soft_wrap=True)
    console.print(in_one_line(report["machine"], report["date"]), soft_wrap=True)


def write(report: dict[str, Any], folder: Path) -> None:
    reports = keep_report(report, folder / "training.json")
    (folder / "training.md").write_text(markdown(reports), encoding="utf-8")


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    case = "layers x units : rows [: vocabulary]"
    parser.add_argument("--cases", nargs="+", default=CASES, metavar="CASE", help=case)
    parser.add_argument("--beside", default=BESIDE, metavar="CASE", help="beside a busy process")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--turn", type=float, default=0.25, help="seconds of one learner in a round"
    )
    parser.add_argument(
        "--beside-turn", type=float, default=4.0, help="seconds alone, then beside a busy process"
    )
    parser.add_argument(
        "--instructions", choices=HELD, help="limit everything to these instruction sets"
    )
    parser.add_argument(
        "--write", nargs="?", type=Path, const=RESULTS, metavar="FOLDER", help="write the results"
    )
    return parser.parse_args()


def hold_to(instructions: str | None) -> None:
    """Restart this command with the variables that libraries read when they load."""
    variables = environment(instructions)
    if not variables.items() <= os.environ.items():
        if not can_be_held(str(instructions)):
            sys.exit(f"This processor cannot be limited to {instructions}.")
        command = [sys.executable, "-m", "benchmarks.training", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | variables)  # noqa: S606


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure all cases, and return the report."""
    from benchmarks.training_step import OTHERS, Case, measure, measure_beside

    machine, processors = describe_machine(args.instructions), max(args.threads)
    others = list(OTHERS) if find_spec("torch") else []
    if not others:
        print("torch is not installed: burble is measured alone.", file=sys.stderr)
    results = []
    for text in args.cases:
        for threads in args.threads:
            results.append(measure(Case.read(text), threads, args.rounds, args.turn, others))
            print(*cells(results[-1]), sep="  ", file=sys.stderr)
    paces = [None, *args.threads]
    rounds = min(args.rounds, 3)
    case = Case.read(args.beside)
    beside = [
        measure_beside(case, threads, processors, rounds, args.beside_turn) for threads in paces
    ]
    how = {"case": args.beside, "processors": processors, "turn": args.beside_turn}
    return {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine,
        "rounds": args.rounds,
        "results": list(map(asdict, results)),
        "beside_how": how | {"rounds": rounds},
        "beside": list(map(asdict, beside)),
    }


def main() -> None:
    """Measure, print and, if asked, write."""
    args = parse()
    problem = find_library().problem
    if problem is not None:
        sys.exit(problem)
    hold_to(args.instructions)
    stay_on_few_cores(max(args.threads))
    # Before torch is imported, as the command line does.
    set_thread_defaults()
    report = run(args)
    print_tables(report)
    if args.write:
        write(report, args.write)


if __name__ == "__main__":
    main()
