"""Make the part of README.md on learning from the report."""

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
    tail_bits,
    titled,
    unique,
)
from benchmarks.tables import markdown_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Column = tuple[str, float]

# The figures in a cell.
FIGURES = (tail_bits, sealed_bits)


def readme_lines(report: dict[str, Any]) -> list[str]:
    """Return a table for each machine, with a sentence on who is better than burble and where."""
    runs = runs_of(report)
    lines: list[str] = []
    for machine in unique(runs, lambda run: run.machine):
        mine = [run for run in runs if run.machine == machine]
        lines += [*table_of(report, machine, mine), "", compare(report, mine), ""]
    dates = sorted({run.date for run in runs})
    return [
        *lines,
        f"Measured {' to '.join(dict.fromkeys(dates[:1] + dates[-1:]))}; {counted(runs)}.",
    ]


def table_of(report: dict[str, Any], machine: str, runs: Sequence[Run]) -> list[str]:
    """Return the table of a machine; a cell has the last tenth and the sealed last twentieth."""
    columns = columns_of(runs)
    heads = [f"{titled(report, text)}, {budget:g} s" for text, budget in columns]
    rows = [
        [label, *(cell([run for run in runs if run.label == label], runs, one) for one in columns)]
        for label in unique(runs, lambda run: run.label)
    ]
    return [f"**{machine}**", "", *markdown_table([["", *heads], *rows])]


def columns_of(runs: Sequence[Run]) -> list[Column]:
    """Return the columns: a text and a budget each."""
    return [
        (text, budget)
        for text in unique(runs, lambda run: run.text)
        for budget in budgets_of([run for run in runs if run.text == text])
    ]


def in_column(runs: Sequence[Run], column: Column) -> list[Run]:
    """Return the runs of a column: of its text, within its budget."""
    text, budget = column
    return in_cell([run for run in runs if run.text == text], budget)


def cell(mine: Sequence[Run], runs: Sequence[Run], column: Column) -> str:
    """Return both medians, each bold if it is the best of its column."""
    shown = []
    for figure in FIGURES:
        median = median_of(in_column(mine, column), figure)
        if median is None:
            return ""
        best = median_of_best(in_column(runs, column), figure)
        shown.append(f"**{median:.2f}**" if median == best else f"{median:.2f}")
    return " · ".join(shown)


def compare(report: dict[str, Any], runs: Sequence[Run]) -> str:
    """Return a sentence on who is better than burble by either figure, and where."""
    better: dict[str, list[str]] = {}
    for column in columns_of(runs):
        here = in_column(runs, column)
        for label in unique(here, lambda run: run.label):
            if is_better(here, label):
                text, budget = column
                better.setdefault(label, []).append(f"{titled(report, text)} at {budget:g} s")
    if not any(run.contestant == "burble" for run in runs):
        return "burble was not measured there."
    if not better:
        return "No other is better than burble in any column."
    named = [f"{label} on {', '.join(cells)}" for label, cells in better.items()]
    return f"Better than burble there: {'; '.join(named)}."


def is_better(runs: Sequence[Run], label: str) -> bool:
    """Return whether a contestant's median is below burble's in one of the figures."""
    return any(
        found is not None and own is not None and found < own
        for figure in FIGURES
        for found, own in [(of(runs, figure, label=label), of(runs, figure, contestant="burble"))]
    )


def of(runs: Sequence[Run], figure: Callable[[Run], float], **wanted: str) -> float | None:
    """Return the median of a figure over the runs whose fields have the wanted values."""
    mine = [run for run in runs if all(getattr(run, name) == wanted[name] for name in wanted)]
    return median_of(mine, figure)


def counted(runs: Sequence[Run]) -> str:
    """Return how many seeds the medians of each learner have."""
    counts: dict[str, list[str]] = {}
    for label in unique([run for run in runs if run.budget], lambda run: run.label):
        groups: dict[Any, set[int]] = {}
        for run in runs:
            if run.label == label:
                groups.setdefault(run.key[:4], set()).add(run.seed)
        found = sorted({len(group) for group in groups.values()})
        counts.setdefault(" to ".join(map(str, found)), []).append(label)
    named = [f"{count} for {', '.join(labels)}" for count, labels in counts.items()]
    return f"seeds: {'; '.join(named)}"
