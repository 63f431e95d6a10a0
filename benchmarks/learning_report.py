"""The results of `benchmarks/learning.py`: their file, their tables and their page."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from benchmarks.learners.common import LOOK_SECONDS, Learned
from benchmarks.machine import in_one_line, name_machine
from benchmarks.tables import markdown_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

# Keeps the table whole when the output is not a terminal.
MIN_WIDTH = 120

PROTOCOL = "90 % learned from; the last tenth scored, its first half chooses, its second is sealed"
"""The protocol of all figures in one file. Figures of another protocol are never mixed in."""


@dataclass(frozen=True, kw_only=True)
class Run(Learned):
    """The result of one contestant on a machine, a text, a budget and a seed."""

    machine: str
    """Its name among the report's machines."""

    text: str
    contestant: str
    label: str
    budget: float
    """Seconds to learn; 0 for a contestant that does not learn."""

    date: str
    seed: int

    @property
    def key(self) -> tuple[str, str, str, float, int]:
        """The fields that identify a measurement."""
        return self.machine, self.text, self.contestant, self.budget, self.seed


def empty_report() -> dict[str, Any]:
    """Return a report without runs."""
    return {"protocol": PROTOCOL, "machines": {}, "texts": {}, "runs": []}


def load_report(folder: Path) -> dict[str, Any] | None:
    """Load the report in a folder; None if there is none of this protocol."""
    path = folder / "learning.json"
    if not path.exists():
        return None
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report if report.get("protocol") == PROTOCOL else None


def runs_of(report: dict[str, Any]) -> list[Run]:
    """Return all runs, in the order of the tables."""
    return [Run(**run) for run in report["runs"]]


def put(report: dict[str, Any], run: Run, contestants: Sequence[str]) -> None:
    """Add a run, replace an earlier one of the same key, and sort as in the tables."""
    runs = [other for other in runs_of(report) if other.key != run.key] + [run]
    machines, texts = list(report["machines"]), list(report["texts"])
    runs.sort(
        key=lambda one: (
            machines.index(one.machine),
            texts.index(one.text),
            contestants.index(one.contestant),
            one.budget,
            one.seed,
        )
    )
    report["runs"] = [asdict(one) for one in runs]


def unique(runs: Sequence[Run], of: Callable[[Run], Any]) -> list[Any]:
    """Return the distinct values of a field, in the order of the runs."""
    return list(dict.fromkeys(map(of, runs)))


def budgets_of(runs: Sequence[Run]) -> list[float]:
    """Return the budgets of the contestants that learn."""
    return sorted({run.budget for run in runs if run.budget})


def in_cell(runs: Sequence[Run], budget: float) -> list[Run]:
    """Return the runs of a column: of this budget, or without learning and within it."""
    return [
        run for run in runs if run.budget == budget or (run.budget == 0 and run.seconds <= budget)
    ]


def titled(report: dict[str, Any], text: str) -> str:
    """Return the title of a text."""
    title: str = report["texts"][text]["title"]
    return title


# --- Tables --------------------------------------------------------------------------------------


def median_of(runs: Sequence[Run], figure: Callable[[Run], float | None]) -> float | None:
    """Return the median of a figure over the runs that have it; None if none has."""
    values = [value for run in runs if (value := figure(run)) is not None]
    return statistics.median(values) if values else None


def spread(values: Sequence[float]) -> str:
    """Format the median, with the lowest and the highest if there are several values."""
    if not values:
        return ""
    middle = f"{statistics.median(values):.3f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.3f} – {max(values):.3f})"


def rows(runs: Sequence[Run], figure: Callable[[Run], float | None]) -> list[list[str]]:
    """Return the heads, then a row for each contestant with the figure; the best are bold."""
    budgets = budgets_of(runs)
    table = [["", *(f"{budget:g} s" for budget in budgets)]]
    best = [median_of_best(in_cell(runs, budget), figure) for budget in budgets]
    for label in unique(runs, lambda run: run.label):
        mine = [run for run in runs if run.label == label]
        found = [
            [value for run in in_cell(mine, budget) if (value := figure(run)) is not None]
            for budget in budgets
        ]
        if any(found):
            cells = zip(found, best, strict=True)
            table.append([label, *(marked(spread(cell), cell, lowest) for cell, lowest in cells)])
    return table


def median_of_best(runs: Sequence[Run], figure: Callable[[Run], float | None]) -> float | None:
    """Return the lowest of the contestants' medians."""
    medians = [
        median_of([run for run in runs if run.contestant == name], figure)
        for name in unique(runs, lambda run: run.contestant)
    ]
    return min((median for median in medians if median is not None), default=None)


def marked(shown: str, values: Sequence[float], best: float | None) -> str:
    """Make a cell bold if no other is better."""
    is_best = bool(values) and best is not None and statistics.median(values) <= best
    return f"**{shown}**" if is_best else shown


def tail_bits(run: Run) -> float:
    """Return the figure of the whole last tenth."""
    return run.bits


def sealed_bits(run: Run) -> float:
    """Return the figure of the last twentieth."""
    return run.sealed_bits


def windows_rows(runs: Sequence[Run]) -> list[list[str]]:
    """Return `rows` for the windows protocol, with each contestant's window length."""
    table = rows(runs, lambda run: run.windows_bits)
    lengths = {run.label: run.window for run in runs}
    return [[f"{row[0]}, {lengths[row[0]]}" if row[0] else "", *row[1:]] for row in table]


def print_tables(report: dict[str, Any], console: Console) -> None:
    """Print all figures of each machine and text."""
    runs = runs_of(report)
    for machine in unique(runs, lambda run: run.machine):
        for text in unique(runs, lambda run: run.text):
            mine = [run for run in runs if (run.machine, run.text) == (machine, text)]
            if not mine:
                continue
            kinds = {
                "last tenth": rows(mine, tail_bits),
                "last twentieth, sealed": rows(mine, sealed_bits),
                "windows": windows_rows(mine),
            }
            for name, made in kinds.items():
                print_table(made, f"{machine}\n{titled(report, text)}, {name}", console)


def print_table(made: Sequence[Sequence[str]], title: str, console: Console) -> None:
    """Print a table, unless it has no rows."""
    if len(made) == 1:
        return
    table = Table(title=f"{title}: bits per character", title_justify="left")
    for column in made[0]:
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for row in made[1:]:
        table.add_row(*(cell.replace("**", "") for cell in row))
    console.print(table)


# --- The page ------------------------------------------------------------------------------------


def markdown(report: dict[str, Any]) -> str:
    """Return the report as a Markdown page."""
    runs = runs_of(report)
    lines = [
        "# How fast it learns",
        "",
        "By `make bench-learning` (`python -m benchmarks.learning --write`), in parts. Bits per "
        "character (times 0.693 for nats); medians over seeds, with the lowest and the highest in "
        "brackets; the best of a column is bold. At most 2 threads each, one at a time.",
        "",
        "All learn from the first nine tenths of a text. The first half of the last tenth chooses "
        "the state of a learner that is measured. *Last tenth* is the figure that others publish, "
        "and includes that half. *Last twentieth, sealed* is the other half: it chose nothing "
        "(`burble train --val-fraction 0.05 --test-fraction 0.05`).",
        "",
        "burble's seconds are those of `--minutes`, which include the start, the set-up and the "
        "validations. The others' clocks start after their first update and stop while they are "
        f"validated, every {LOOK_SECONDS:g} seconds and at the end. They use one thread or two, "
        "whichever was faster just before. The Keras tutorial is a historic row, untuned. Counts "
        "and xz have no time limit; they are in every column whose time they stay within.",
        "",
        "Alice is in lower case for every learner. burble gets `--minutes`, `--seed` and those two "
        "fractions, on Alice `--lowercase`, and nothing else. The plain PyTorch loop is an LSTM "
        "1×256 in batches of 16×32, as someone writes it who has done it before. *n-gram counts* "
        "is the baseline that `burble eval` shows beside each score. No recipe was tuned on the "
        "texts called *untuned*.",
        "",
        *(f"- {facts['title']}: {facts['note']}." for facts in report["texts"].values()),
        "",
        "![Bits per character against seconds, a line for each contestant](learning.svg)",
    ]
    for machine in unique(runs, lambda run: run.machine):
        lines += machine_section(report, machine)
    return "\n".join(lines) + "\n"


def machine_section(report: dict[str, Any], machine: str) -> list[str]:
    """Return all tables of one machine."""
    runs = [run for run in runs_of(report) if run.machine == machine]
    dates = sorted({run.date for run in runs})
    when = " to ".join(dict.fromkeys(dates[:1] + dates[-1:]))
    lines = ["", f"## {machine}", "", in_one_line(report["machines"][machine], when) + "."]
    for text in unique(runs, lambda run: run.text):
        mine = [run for run in runs if run.text == text]
        lines += ["", f"### {titled(report, text)}", "", *text_section(mine)]
    return [*lines, "", "### What ran", "", *details(report, runs)]


def text_section(runs: Sequence[Run]) -> list[str]:
    """Return the tables of one text."""
    lines = [
        "Last tenth, in one pass: each character once, after as much text as the contestant can "
        "use (a carried state; for the transformer a sliding window; for the tutorial its own "
        "window, on a sample of the characters).",
        "",
        *markdown_table(rows(runs, tail_bits)),
        "",
        "Last twentieth, sealed, in the same way.",
        "",
        *markdown_table(rows(runs, sealed_bits)),
    ]
    windows = windows_rows(runs)
    if len(windows) > 1:
        lines += [
            "",
            "Last tenth, windows: from random places and a fresh state, every character a target. "
            "The length is beside the name; figures of different lengths cannot be compared.",
            "",
            *markdown_table(windows),
        ]
    return lines


def details(report: dict[str, Any], runs: Sequence[Run]) -> list[str]:
    """Return a table of what exactly ran: the first seed of each contestant, text and budget."""
    made = [["", "text", "seeds", "seconds", "weights", "updates", "targets a second", "what"]]
    for run in runs:
        seeds = [one.seed for one in runs if one.key[:4] == run.key[:4]]
        if run.seed != min(seeds):
            continue
        speed = f"{run.targets / run.seconds:,.0f}" if run.targets else ""
        numbers = [f"{number:,}" if number else "" for number in (run.parameters, run.updates)]
        facts = [f"{len(seeds)}", f"{run.seconds:.1f}", *numbers, speed]
        made.append([run.label, titled(report, run.text), *facts, run.detail])
    return markdown_table(made)


def add_machine(report: dict[str, Any], machine: dict[str, Any]) -> str:
    """Add a machine to the report, and return its name."""
    name = name_machine(machine)
    report["machines"][name] = machine
    return name


def write_data(report: dict[str, Any], folder: Path) -> None:
    """Write the report as data."""
    folder.mkdir(parents=True, exist_ok=True)
    described = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (folder / "learning.json").write_text(described, encoding="utf-8")
