"""Tables, a page and a chart of what `benchmarks/generation.py` found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from benchmarks.contestants import CHECKED, TEMPERATURE, VOCABULARY
from benchmarks.machine import in_one_line
from benchmarks.tables import markdown_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

# The table must not be cut where the output is no terminal.
MIN_WIDTH = 125
COLUMNS = ("", "characters/s", "lowest – highest", "µs", "µs, no draw", "× burble's time")


@dataclass(frozen=True)
class Result:
    """What all measurements of one contestant on one model come to."""

    model: str
    contestant: str
    label: str
    detail: str
    repeats: int
    chars_per_second: float
    lowest: float
    highest: float
    microseconds: float
    """For one character."""

    greedy_microseconds: float
    logit_error: float | None
    times_burble: float | None = None
    """Its time as a multiple of burble's, one text on one core."""


def cells(result: Result) -> tuple[str, ...]:
    """A result as a row under `COLUMNS`."""
    ratio = result.times_burble
    return (
        result.label,
        rounded(result.chars_per_second),
        f"{rounded(result.lowest)} – {rounded(result.highest)}",
        rounded(result.microseconds),
        rounded(result.greedy_microseconds),
        "" if ratio is None or result.contestant in {"burble", "burble-all"} else rounded(ratio),
    )


def rounded(number: float) -> str:
    """Three digits that count."""
    digits = max(0, 2 - int(np.floor(np.log10(number))))
    return f"{round(number, 2 - int(np.floor(np.log10(number)))):,.{digits}f}"


def title(shape: str) -> str:
    """A model in words."""
    return f"LSTM {shape.replace('x', '×')}, vocabulary {len(VOCABULARY)}"


def describe_run(report: dict[str, Any]) -> str:
    """Machine and date in one line."""
    return in_one_line(report["machine"], report["date"])


def print_tables(results: Sequence[Result], models: Sequence[str], console: Console) -> None:
    """A table for each model."""
    for shape in models:
        table = Table(title=title(shape), title_justify="left")
        for column in COLUMNS:
            table.add_column(column, justify="right" if column else "left", no_wrap=True)
        for result in results:
            if result.model == shape:
                table.add_row(*cells(result))
        console.print(table)


def markdown(report: dict[str, Any], results: Sequence[Result]) -> str:
    """The whole report."""
    models = list(dict.fromkeys(result.model for result in results))
    lines = [
        "# How fast it writes",
        "",
        f"By `{report['command']}` on {describe_run(report)}.",
        f"Medians of {report['repeats']} repeats in turn (Keras: at most 2); one text on one core, "
        "unless all cores are named; softmax at temperature "
        f"{TEMPERATURE} and a draw included (*no draw*: the likeliest character instead).",
        "",
        "![Microseconds for a character, as bars](generation.svg)",
    ]
    for shape in models:
        lines += ["", f"## {title(shape)}", ""]
        lines += markdown_table([COLUMNS, *(cells(r) for r in results if r.model == shape)])
    lines += ["", "## What ran", "", "| | | largest error of a logit |", "|---|---|---:|"]
    for result in results:
        if result.model == models[0]:
            error = "" if result.logit_error is None else f"{result.logit_error:.1g}"
            lines.append(f"| {result.label} | {result.detail} | {error} |")
    lines += [
        "",
        f"Errors are against float32 in NumPy, over {CHECKED} characters. Keras has other weights.",
    ]
    return "\n".join(lines) + "\n"


def readme_lines(report: dict[str, Any], results: Sequence[Result]) -> list[str]:
    """Return the README's sentence: burble's speed on the first model, and its rivals' times."""
    mine = [result for result in results if result.model == results[0].model]
    (own,) = [result for result in mine if result.contestant == "burble"]
    times = [f"{rival.label} ×{cells(rival)[-1]}" for rival in quickest_of_each(mine)]
    return [
        f"**How fast it writes:** {cells(own)[1]} characters a second (LSTM "
        f"{own.model.replace('x', '×')}, one core of {report['machine']['processor']}, "
        f"{report['date']}). The same text takes others a multiple of that time: "
        f"{'; '.join(times)}."
    ]


def quickest_of_each(results: Sequence[Result]) -> list[Result]:
    """Return the quickest way to run a model in each package but burble, quickest first."""
    found: dict[str, Result] = {}
    for result in sorted(results, key=lambda one: one.microseconds):
        found.setdefault(result.contestant.partition("-")[0], result)
    return [result for package, result in found.items() if package != "burble"]


def draw_chart(report: dict[str, Any], results: Sequence[Result], path: Path) -> None:
    """A bar for each contestant, a panel for each model."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Letters as letters: a small file, in the reader's font.
    mpl.rcParams |= {"svg.hashsalt": "burble", "svg.fonttype": "none", "font.size": 10}
    models = list(dict.fromkeys(result.model for result in results))
    groups = [[r for r in results if r.model == shape] for shape in models]
    heights = [len(group) + 1 for group in groups]
    figure = Figure(figsize=(9.5, 0.3 * sum(heights) + 1.3), layout="constrained")
    panels = figure.subplots(len(groups), squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    for shape, group, panel in zip(models, groups, panels, strict=True):
        draw_panel(panel, group)
        panel.set_title(title(shape), loc="left", fontsize=10, weight="bold")
    times = [1e6 / speed for result in results for speed in (result.lowest, result.highest)]
    # Room on the right for the figures at the ends of the bars.
    panels[-1].set_xlim(min(times) / 4, max(times) * 12)
    panels[-1].xaxis.set_major_formatter("{x:,g}")
    figure.suptitle("Time to write one character: shorter is better", fontsize=13, weight="bold")
    machine = report["machine"]
    figure.supxlabel(
        "microseconds, logarithmic scale; behind the bars: microseconds · characters a second · "
        f"multiple of burble's time\none text on one core of {machine['processor']} where not said "
        f"otherwise; dark lines from the fastest to the slowest repeat; {report['date']}",
        fontsize=8.5,
        color="0.35",
    )
    figure.savefig(path, metadata={"Date": None, "Creator": None})


def draw_panel(panel: Any, group: Sequence[Result]) -> None:
    """Bars with their figures; burble's in colour, paler where it is not its best on one core."""
    for place, result in enumerate(group):
        colour = "0.68"
        if result.contestant.startswith("burble"):
            colour = "#c2410c" if result.contestant == "burble" else "#f0a47c"
        panel.barh(place, result.microseconds, color=colour, height=0.74)
        ends = [[1e6 / result.highest], [1e6 / result.lowest]]
        panel.hlines(place, *ends, color="0.2", linewidth=1.2)
        _, speed, _, micros, _, ratio = cells(result)
        note = f"  {micros} µs · {speed}/s" + (f" · {ratio}×" if ratio else "")
        panel.text(
            max(result.microseconds, ends[1][0]), place, note, va="center", color="0.15", fontsize=9
        )
    panel.set_yticks(range(len(group)), [result.label for result in group])
    for label, result in zip(panel.get_yticklabels(), group, strict=True):
        label.set_weight("bold" if result.contestant == "burble" else "normal")
    panel.set_xscale("log")
    panel.set_ylim(len(group) - 0.5, -0.5)
    panel.tick_params(axis="y", length=0)
    panel.tick_params(axis="x", labelsize=8.5)
    panel.spines[["top", "right", "left"]].set_visible(False)


def write_results(report: dict[str, Any], results: Sequence[Result], folder: Path) -> None:
    """The report as data, as a page and as a chart."""
    folder.mkdir(parents=True, exist_ok=True)
    described = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    (folder / "generation.json").write_text(described, encoding="utf-8")
    (folder / "generation.md").write_text(markdown(report, results), encoding="utf-8")
    draw_chart(report, results, folder / "generation.svg")
