"""Tables, a page and a chart of what `benchmarks/learning.py` found."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from learners.common import LOOK_SECONDS, Learned
from machine import in_one_line
from tables import markdown_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from rich.console import Console

# The table must not be cut where the output is no terminal.
MIN_WIDTH = 110
COLOURS = {
    "burble": "#c2410c",
    "torch-lstm": "#1d4ed8",
    "transformer": "#15803d",
    "keras": "#6b7280",
}
TICKS = (1.5, 1.75, 2, 2.25, 2.5, 3, 3.5, 4, 5)
# Labels at the ends of lines stand at least this share of a panel's height apart.
LABEL_GAP = 0.05


@dataclass(frozen=True, kw_only=True)
class Run(Learned):
    """One contestant, text, budget and seed, and what became of it."""

    text: str
    contestant: str
    label: str
    budget: float
    date: str
    seed: int

    @property
    def key(self) -> tuple[str, str, float, int]:
        """What another run must have in common to be the same measurement."""
        return self.text, self.contestant, self.budget, self.seed


def load_report(folder: Path) -> dict[str, Any] | None:
    """What was written before, if anything."""
    path = folder / "learning.json"
    if not path.exists():
        return None
    report: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return report


def runs_of(report: dict[str, Any]) -> list[Run]:
    """All runs, in the order of the tables."""
    return [Run(**run) for run in report["runs"]]


def unique(runs: Sequence[Run], of: Callable[[Run], Any]) -> list[Any]:
    """The different values, in the order in which they come."""
    return list(dict.fromkeys(map(of, runs)))


# --- Tables --------------------------------------------------------------------------------------


def spread(values: Sequence[float]) -> str:
    """The median, and the lowest and the highest where there are several."""
    if not values:
        return ""
    middle = f"{statistics.median(values):.3f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.3f} – {max(values):.3f})"


def one_pass(run: Run) -> float:
    """The figure of the first protocol."""
    return run.bits


def rows(runs: Sequence[Run], figure: Callable[[Run], float | None]) -> list[list[str]]:
    """Heads, then a row for each contestant that has the figure, a column for each budget."""
    budgets = sorted(unique(runs, lambda run: run.budget))
    table = [["", *(f"{budget:g} s" for budget in budgets)]]
    for label in unique(runs, lambda run: run.label):
        mine = [run for run in runs if run.label == label]
        found = [
            [value for run in mine if run.budget == budget and (value := figure(run)) is not None]
            for budget in budgets
        ]
        if any(found):
            table.append([label, *map(spread, found)])
    return table


def windows_rows(runs: Sequence[Run]) -> list[list[str]]:
    """`rows` of the other protocol, each contestant with its window."""
    table = rows(runs, lambda run: run.windows_bits)
    lengths = {run.label: run.window for run in runs}
    return [[f"{row[0]}, {lengths[row[0]]}" if row[0] else "", *row[1:]] for row in table]


def describe_run(report: dict[str, Any]) -> str:
    """Machine and dates in one line."""
    dates = sorted({run["date"] for run in report["runs"]})
    return in_one_line(report["machine"], " to ".join(dict.fromkeys(dates[:1] + dates[-1:])))


def print_tables(report: dict[str, Any], console: Console) -> None:
    """Both protocols of each text."""
    runs = runs_of(report)
    for text in unique(runs, lambda run: run.text):
        mine = [run for run in runs if run.text == text]
        for name, made in (("one pass", rows(mine, one_pass)), ("windows", windows_rows(mine))):
            if len(made) == 1:
                continue
            table = Table(title=f"{text}, {name}: bits per character", title_justify="left")
            for column in made[0]:
                table.add_column(column, justify="right" if column else "left", no_wrap=True)
            for row in made[1:]:
                table.add_row(*row)
            console.print(table)


def markdown(report: dict[str, Any]) -> str:
    """The whole report."""
    runs = runs_of(report)
    counts = {len(set(group)) for group in seeds_of(runs)} or {0}
    seeds = " to ".join(map(str, sorted({min(counts), max(counts)})))
    lines = [
        "# How fast it learns",
        "",
        f"By `python benchmarks/learning.py --write` on {describe_run(report)}.",
        f"Bits per character of the last tenth of the text, held out (nats: times 0.693); medians "
        f"of {seeds} seeds, in brackets the lowest and the highest. 2 threads each, one at a time.",
        "",
        "burble's seconds are those of `--minutes`: start, set-up and validations are part of "
        "them. The others are spared that: their clock starts after their first update and stops "
        "while they are measured. As burble keeps its best model by the held-out tenth, the "
        f"PyTorch learners do, looked at every {LOOK_SECONDS:g} seconds and at the end; the "
        "tutorial keeps its last.",
        "",
        "![Bits per character against seconds, a line for each contestant](learning.svg)",
    ]
    for text in unique(runs, lambda run: run.text):
        lines += ["", f"## {text}", "", *text_section([run for run in runs if run.text == text])]
    lines += ["", "## What ran", "", *details(runs)]
    return "\n".join(lines) + "\n"


def seeds_of(runs: Sequence[Run]) -> list[list[int]]:
    """The seeds of each contestant, text and budget."""
    groups: dict[tuple[str, str, float], list[int]] = {}
    for run in runs:
        groups.setdefault(run.key[:3], []).append(run.seed)
    return list(groups.values())


def text_section(runs: Sequence[Run]) -> list[str]:
    """The tables of one text."""
    lines = [
        "One pass: each character once, with as much before it as the contestant can use (a "
        "carried state; the transformer a window that slides; the tutorial its own window, on a "
        "sample of the characters).",
        "",
        *markdown_table(rows(runs, one_pass)),
    ]
    windows = windows_rows(runs)
    if len(windows) > 1:
        lines += [
            "",
            "Windows: from random places and an empty state, every character a target. How long "
            "they are stands beside the name; other lengths are other protocols. The tutorial has "
            "none.",
            "",
            *markdown_table(windows),
        ]
    worse = {run.key[:3] for run in runs if run.last_bits > run.bits + 0.0005}
    decayed = [run for run in runs if run.key[:3] in worse]
    if decayed:
        lines += [
            "",
            "One pass, of the weights at the end, where those were not always the best:",
            "",
            *markdown_table(rows(decayed, lambda run: run.last_bits)),
        ]
    return lines


def details(runs: Sequence[Run]) -> list[str]:
    """What exactly ran, a row for each contestant, text and budget: those of the first seed."""
    made = [["", "text", "seconds", "weights", "updates", "targets a second", "what"]]
    for run in runs:
        if run.seed == min(one.seed for one in runs if one.key[:3] == run.key[:3]):
            speed = f"{run.targets / run.seconds:,.0f}"
            facts = [f"{run.seconds:.1f}", f"{run.parameters:,}", f"{run.updates:,}", speed]
            made.append([run.label, run.text, *facts, run.detail])
    return markdown_table(made)


# --- Chart ---------------------------------------------------------------------------------------


def draw_chart(report: dict[str, Any], path: Path) -> None:
    """A line for each contestant, a panel for each text."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Letters as letters: a small file, in the reader's font.
    mpl.rcParams |= {"svg.hashsalt": "burble", "svg.fonttype": "none", "font.size": 10}
    runs = runs_of(report)
    texts = unique(runs, lambda run: run.text)
    figure = Figure(figsize=(6.2 * len(texts), 5.2), layout="constrained")
    panels = figure.subplots(1, len(texts), squeeze=False, sharey=True)[0]
    bits = [run.bits for run in runs]
    # Some room below and above; the axis is logarithmic.
    reach = min(bits) / 1.05, max(bits) * 1.05
    for text, panel in zip(texts, panels, strict=True):
        draw_panel(panel, [run for run in runs if run.text == text], reach)
        panel.set_title(text, loc="left", fontsize=11, weight="bold")
    panels[0].set_ylabel("bits per character, logarithmic scale")
    figure.suptitle("What is learned in a given time: lower is better", fontsize=13, weight="bold")
    machine = report["machine"]
    figure.supxlabel(
        "seconds of learning, logarithmic scale\n"
        "one pass over the held-out tenth; medians, bars from the lowest to the highest seed; "
        f"2 threads of {machine['processor']}; {max(run.date for run in runs)}",
        fontsize=8.5,
        color="0.35",
    )
    figure.savefig(
        path, metadata=None if path.suffix == ".png" else {"Date": None, "Creator": None}
    )


def draw_panel(panel: Any, runs: Sequence[Run], reach: tuple[float, float]) -> None:
    """Lines with their names and last figures at the right end; burble's is thick."""
    budgets = sorted(unique(runs, lambda run: run.budget))
    ends = []
    for name in unique(runs, lambda run: run.contestant):
        mine = [run for run in runs if run.contestant == name]
        x = sorted(unique(mine, lambda run: run.budget))
        groups = [[run.bits for run in mine if run.budget == budget] for budget in x]
        y = [statistics.median(group) for group in groups]
        width, order = (3.0, 3) if name == "burble" else (1.6, 2)
        panel.plot(x, y, "o-", color=COLOURS[name], linewidth=width, markersize=5, zorder=order)
        lows, highs = [min(group) for group in groups], [max(group) for group in groups]
        panel.vlines(x, lows, highs, color=COLOURS[name], linewidth=width + 1, alpha=0.5)
        ends.append((x[-1], y[-1], name, f"{mine[0].label}  {y[-1]:.2f}"))
    panel.set_xscale("log")
    panel.set_yscale("log")
    # Room on the right for the names.
    panel.set_xlim(budgets[0] / 1.3, budgets[-1] * max(budgets[-1] / budgets[0], 4) ** 0.9)
    panel.set_xticks(budgets, [f"{budget:g}" for budget in budgets])
    panel.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
    panel.minorticks_off()
    panel.set_ylim(reach)
    panel.grid(axis="y", color="0.92")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    name_ends(panel, ends)


def name_ends(panel: Any, ends: list[tuple[float, float, str, str]]) -> None:
    """Write each line's name at its end, moved up where it would cover the one below."""
    low, high = np.log(panel.get_ylim())
    lowest = 0.0
    for x, y, name, label in sorted(ends, key=lambda end: end[1]):
        height = max((np.log(y) - low) / (high - low), lowest)
        lowest = height + LABEL_GAP
        panel.annotate(
            f"  {label}",
            (x, np.exp(low + height * (high - low))),
            va="center",
            color=COLOURS[name],
            weight="bold" if name == "burble" else "normal",
        )


def write_data(report: dict[str, Any], folder: Path) -> None:
    """The report as data alone."""
    folder.mkdir(parents=True, exist_ok=True)
    described = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (folder / "learning.json").write_text(described, encoding="utf-8")


def write_results(report: dict[str, Any], folder: Path) -> None:
    """The report as data, as a page and as a chart."""
    write_data(report, folder)
    (folder / "learning.md").write_text(markdown(report), encoding="utf-8")
    draw_chart(report, folder / "learning.svg")
