"""The README's table of how well burble learns beside others, made from the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.learning_report import (
    Run,
    budgets_of,
    in_cell,
    median_of,
    median_of_best,
    runs_of,
    sealed_bits,
    titled,
    unique,
)
from benchmarks.tables import markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    Row = tuple[str, float]  # a text, and the seconds to learn it

# Those that a reader knows; benchmarks/results/learning.md has the others.
SHOWN = ("burble", "torch-lstm", "counts", "xz")


def readme_lines(report: dict[str, Any]) -> list[str]:
    """Return the table of one machine, where burble loses, and what was measured.

    Raises `ValueError` where burble's own learner was not measured.
    """
    runs = runs_of(report)
    machine = choose_machine(runs)
    here = [run for run in runs if run.machine == machine and run.contestant in SHOWN]
    texts = {text for text, _ in rows_of(here)}
    mine = [run for run in here if run.text in texts]
    return [*make_table(report, mine), "", describe_losses(report, mine), "", describe(mine)]


def choose_machine(runs: Sequence[Run]) -> str:
    """Return the machine where burble was measured last; of several, where most often."""
    own = [run for run in runs if run.contestant == "burble"]
    if not own:
        raise ValueError("The README's table needs a measurement of burble on some machine.")
    machines = unique(own, lambda run: run.machine)
    return max(machines, key=lambda name: newest_and_number(own, name))


def newest_and_number(runs: Sequence[Run], machine: str) -> tuple[str, int]:
    dates = [run.date for run in runs if run.machine == machine]
    return max(dates), len(dates)


def make_table(report: dict[str, Any], runs: Sequence[Run]) -> list[str]:
    """Return a row for each text and budget, a column for each contestant."""
    labels = unique(runs, lambda run: run.label)
    rows = [
        [name_row(report, row), *(show(in_row(runs, row), label) for label in labels)]
        for row in rows_of(runs)
    ]
    return markdown_table([["", *labels], *rows])


def rows_of(runs: Sequence[Run]) -> list[Row]:
    """Return each text and budget that burble was given."""
    own = [run for run in runs if run.contestant == "burble"]
    return [
        (text, budget)
        for text in unique(own, lambda run: run.text)
        for budget in budgets_of([run for run in own if run.text == text])
    ]


def in_row(runs: Sequence[Run], row: Row) -> list[Run]:
    text, budget = row
    return in_cell([run for run in runs if run.text == text], budget)


def name_row(report: dict[str, Any], row: Row) -> str:
    text, budget = row
    return f"{titled(report, text)}, {budget:g} s"


def show(runs: Sequence[Run], label: str) -> str:
    """Return a contestant's median, bold where no other's is lower."""
    median = median_of_label(runs, label)
    if median is None:
        return ""
    is_best = median == median_of_best(runs, sealed_bits)
    return f"**{median:.2f}**" if is_best else f"{median:.2f}"


def median_of_label(runs: Sequence[Run], label: str) -> float | None:
    return median_of([run for run in runs if run.label == label], sealed_bits)


def describe_losses(report: dict[str, Any], runs: Sequence[Run]) -> str:
    """Return a sentence that names every row where another's median is below burble's."""
    losses: dict[str, dict[str, list[str]]] = {}
    for row in rows_of(runs):
        here = in_row(runs, row)
        own = median_of([run for run in here if run.contestant == "burble"], sealed_bits)
        for label in unique(here, lambda run: run.label):
            median = median_of_label(here, label)
            if own is not None and median is not None and median < own:
                text, budget = row
                losses.setdefault(label, {}).setdefault(text, []).append(f"{budget:g} s")
    if not losses:
        return "burble loses in no row."
    named = [
        f"to {label} on "
        + ", ".join(f"{titled(report, text)} ({' and '.join(where[text])})" for text in where)
        for label, where in losses.items()
    ]
    return f"**Where burble loses:** {'; '.join(named)}."


def describe(runs: Sequence[Run]) -> str:
    """Return what the figures are, of which machine, how many seeds and when."""
    dates = sorted({run.date for run in runs})
    return (
        "Bits per character of the last twentieth of each text, which nobody learned from or chose "
        "by; Alice in lower case. burble's recipe was found on both texts. "
        f"Measured {' to '.join(dict.fromkeys(dates[:1] + dates[-1:]))} on {runs[0].machine}; "
        f"{count_seeds(runs)}."
    )


def count_seeds(runs: Sequence[Run]) -> str:
    """Return how many seeds the medians of those that learn are of."""
    counts: dict[str, list[str]] = {}
    for label in unique([run for run in runs if run.budget], lambda run: run.label):
        groups: dict[Any, set[int]] = {}
        for run in runs:
            if run.label == label:
                groups.setdefault(run.key[:4], set()).add(run.seed)
        found = sorted({len(group) for group in groups.values()})
        counts.setdefault(" to ".join(map(str, found)), []).append(label)
    parts = [f"{count} for {', '.join(labels)}" for count, labels in counts.items()]
    return f"seeds: {'; '.join(parts)}"
