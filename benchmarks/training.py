"""How fast burble's training step computes, beside bare products of the same matrices.

    python -m benchmarks.training            # a table
    python -m benchmarks.training --write    # and benchmarks/results/training.{json,md}
    python -m benchmarks.training --models 1x512 --batches 16 --rounds 3

A step is what the trainer does between two batches: read a batch, forward, backward, clip, AdamW,
average. The products are those of its LSTM layers and of its head, in the same precision: for each
layer, once (batch · seq, inputs) by (inputs, 4 · hidden) and seq times (batch, hidden) by
(hidden, 4 · hidden), all three times, since a backward pass is two more of each. They take turns
with the steps, so that both see the same machine. What a step computes beyond products counts as
time, not as operations.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import describe_machine
from benchmarks.tables import markdown_table
from burble.threads import settle_threads

if TYPE_CHECKING:
    from benchmarks.training_step import Result

RESULTS = Path(__file__).parent / "results"
COLUMNS = (
    *(
        "LSTM",
        "precision",
        "batch",
        "step, ms",
        "characters/s",
        "step",
        "forward, backward",
        "products",
    ),
    *("of products", "outside", "batch", "clip", "AdamW", "average", "count"),
)
MIN_WIDTH = 140


def cells(result: Result) -> list[str]:
    """A result as a row under `COLUMNS`."""
    return [
        result.model.replace("x", "×"),
        result.precision,
        str(result.batch),
        f"{result.step_ms:.2f}",
        f"{result.chars_per_second:,.0f}",
        f"{result.step_gflops:.0f}",
        f"{result.learning_gflops:.0f}",
        f"{result.product_gflops:.0f}",
        f"{result.step_gflops / result.product_gflops:.0%}",
        f"{result.outside:.1%}",
        *(f"{result.shares[phase]:.1%}" for phase in COLUMNS[-5:]),
    ]


def notes(report: dict[str, Any]) -> list[str]:
    """How to read the table, and where it was made."""
    machine = report["machine"]
    best = ", ".join(f"{name} {gflops:.0f}" for name, gflops in report["best_gflops"].items())
    return [
        "step; forward, backward; products: GFLOP/s of the whole step, of its two main parts, and "
        "of the bare products. of products: the step's as a share of the products'. outside: the "
        "share of the step that is neither forward nor backward; after it, its parts.",
        f"Sequences of {report['seq_len']}, vocabulary {report['vocab_size']}, "
        f"{report['threads']} threads of {machine['processor']}, "
        f"torch {machine['versions']['torch']}; a square product of {report['best_size']} at its "
        f"best: {best} GFLOP/s; {report['date']}, "
        f"load before {machine['load_before']}.",
    ]


def markdown(report: dict[str, Any], results: list[Result]) -> str:
    """The whole report."""
    lines = [
        "# How fast it computes while it learns",
        "",
        "By `python -m benchmarks.training --write`.",
        "",
        *markdown_table([COLUMNS, *map(cells, results)]),
    ]
    for note in notes(report):
        lines += ["", note]
    return "\n".join(lines) + "\n"


def print_table(results: list[Result], console: Console) -> None:
    """On the terminal."""
    table = Table(padding=(0, 0, 0, 1))
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for result in results:
        table.add_row(*cells(result))
    console.print(table)


def parse() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    models = ["1x256", "1x512", "1x768", "2x256"]
    parser.add_argument("--models", nargs="+", default=models, help="layers x units")
    parser.add_argument("--batches", nargs="+", type=int, default=[16, 32])
    precisions = ["float32", "bfloat16"]
    parser.add_argument("--precisions", nargs="+", choices=precisions, default=precisions)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=5, help="in each round")
    parser.add_argument("--threads", type=int, help="torch's own choice where none is given")
    parser.add_argument(
        "--write", nargs="?", type=Path, const=RESULTS, metavar="FOLDER", help="write the results"
    )
    return parser.parse_args()


def main() -> None:
    """Measure, print and, if asked, write."""
    args = parse()
    # Before torch is imported, as the command line does.
    settle_threads()
    import torch

    from benchmarks.training_step import BEST_SIZE, SEQ_LEN, VOCAB_SIZE, best_gflops, measure

    if args.threads is not None:
        torch.set_num_threads(args.threads)
    machine = describe_machine()
    results = [
        measure(model, batch, precision, args.rounds, args.steps)
        for model in args.models
        for batch in args.batches
        for precision in args.precisions
    ]
    report = {
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "machine": machine,
        "seq_len": SEQ_LEN,
        "vocab_size": VOCAB_SIZE,
        "best_size": BEST_SIZE,
        "threads": torch.get_num_threads(),
        "best_gflops": {precision: best_gflops(precision) for precision in args.precisions},
        "results": [asdict(result) | {"outside": result.outside} for result in results],
    }
    console = Console(highlight=False)
    console.width = max(console.width, MIN_WIDTH)
    print_table(results, console)
    for note in notes(report):
        console.print(note, soft_wrap=True)
    if args.write:
        args.write.mkdir(parents=True, exist_ok=True)
        described = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
        (args.write / "training.json").write_text(described, encoding="utf-8")
        (args.write / "training.md").write_text(markdown(report, results), encoding="utf-8")


if __name__ == "__main__":
    main()
