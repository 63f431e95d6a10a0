"""The chart of the results of `benchmarks/learning.py` on one machine."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.learning_report import budgets_of, runs_of, titled, unique, write_data
from benchmarks.learning_report import markdown as page_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.learning_report import Run

COLOURS = {
    "burble": "#c2410c",
    "burble-torch": "#fb923c",
    "torch-lstm": "#1d4ed8",
    "transformer": "#15803d",
    "keras": "#6b7280",
    "counts": "#7e22ce",
    "xz": "#a8a29e",
}
TICKS = (1.5, 1.75, 2, 2.25, 2.5, 3, 3.5, 4, 5)
# Labels at the ends of lines are at least this share of a panel's height apart.
LABEL_GAP = 0.05


def draw_chart(report: dict[str, Any], path: Path) -> None:
    """Draw a line for each contestant in a panel for each text, for the first machine only."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Keep letters as text: the file is small and uses the reader's font.
    mpl.rcParams |= {"svg.hashsalt": "burble", "svg.fonttype": "none", "font.size": 10}
    machine = runs_of(report)[0].machine
    runs = [run for run in runs_of(report) if run.machine == machine]
    texts = [text for text in unique(runs, lambda run: run.text) if budgets_of(of(runs, text))]
    figure = Figure(figsize=(5.6 * len(texts), 5.2), layout="constrained")
    panels = figure.subplots(1, len(texts), squeeze=False, sharey=True)[0]
    bits = [run.bits for run in runs]
    # Leave 5 % below and above; the axis is logarithmic.
    reach = min(bits) / 1.05, max(bits) * 1.05
    for text, panel in zip(texts, panels, strict=True):
        draw_panel(panel, of(runs, text), reach)
        panel.set_title(titled(report, text), loc="left", fontsize=11, weight="bold")
    panels[0].set_ylabel("bits per character, logarithmic scale")
    figure.suptitle("What is learned in a given time: lower is better", fontsize=13, weight="bold")
    figure.supxlabel(
        "seconds of learning, logarithmic scale\n"
        "one pass over the last tenth; medians, bars from the lowest to the highest seed\n"
        f"{machine}; {max(run.date for run in runs)}",
        fontsize=8.5,
        color="0.35",
    )
    figure.savefig(
        path, metadata=None if path.suffix == ".png" else {"Date": None, "Creator": None}
    )


def of(runs: Sequence[Run], text: str) -> list[Run]:
    """Return the runs on one text."""
    return [run for run in runs if run.text == text]


def draw_panel(panel: Any, runs: Sequence[Run], reach: tuple[float, float]) -> None:
    """Draw lines with their names and last figures at the right end. burble's is thick."""
    budgets = budgets_of(runs)
    panel.set_xscale("log")
    panel.set_yscale("log")
    # Leave room on the right for the names.
    panel.set_xlim(budgets[0] / 1.3, budgets[-1] * max(budgets[-1] / budgets[0], 4) ** 0.9)
    panel.set_xticks(budgets, [f"{budget:g}" for budget in budgets])
    panel.set_yticks(TICKS, [f"{tick:g}" for tick in TICKS])
    panel.minorticks_off()
    panel.set_ylim(reach)
    panel.grid(axis="y", color="0.92")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    names = unique(runs, lambda run: run.contestant)
    name_ends(
        panel, [draw_line(panel, [r for r in runs if r.contestant == n], budgets) for n in names]
    )


def draw_line(
    panel: Any, runs: Sequence[Run], budgets: Sequence[float]
) -> tuple[float, float, str, str]:
    """Draw one contestant, dashed if it needs no time.

    Returns the right end of the line, the contestant and its label.
    """
    name = runs[0].contestant
    learns = runs[0].budget > 0
    x = budgets_of(runs) if learns else list(budgets)
    groups = [[run.bits for run in runs if run.budget == budget or not learns] for budget in x]
    y = [statistics.median(group) for group in groups]
    width, order = (3.0, 3) if name == "burble" else (1.6, 2)
    style = "o-" if learns else "--"
    panel.plot(x, y, style, color=COLOURS[name], linewidth=width, markersize=5, zorder=order)
    lows, highs = [min(group) for group in groups], [max(group) for group in groups]
    panel.vlines(x, lows, highs, color=COLOURS[name], linewidth=width + 1, alpha=0.5)
    return x[-1], y[-1], name, f"{runs[0].label}  {y[-1]:.2f}"


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


def write_results(report: dict[str, Any], folder: Path) -> None:
    """Write the report as data, as a page and as a chart."""
    write_data(report, folder)
    (folder / "learning.md").write_text(page_of(report), encoding="utf-8")
    draw_chart(report, folder / "learning.svg")
