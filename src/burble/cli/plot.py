"""`burble plot`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from burble.cli.files import save_file
from burble.cli.options import parse
from burble.errors import UsageError
from burble.plots.curves import learning_figure
from burble.plots.figure import figure_kind
from burble.run_folder.metrics import Metrics


@dataclass(frozen=True)
class PlotCommand:
    """Draw how runs learned: bits per character against seconds, held out and in training."""

    runs: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="RUN ...")]
    """Folders of runs."""

    out: Annotated[str, tyro.conf.arg(aliases=["-o"], metavar="FILE")]
    """The figure, .png or .svg."""


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Read the logs and draw them."""
    command = parse(PlotCommand, "plot", args)
    if not command.runs:
        raise UsageError("Name at least one folder of a run.")
    kind = figure_kind(command.out)
    runs = {name: Metrics.read(Path(run)) for run, name in _names(command.runs).items()}
    save_file(command.out, learning_figure(runs, kind))


def _names(runs: tuple[str, ...]) -> dict[str, str]:
    """What each run is called: its folder's name, or the whole path where two share one."""
    names = {run: Path(run).resolve().name for run in runs}
    is_clear = len(set(names.values())) == len(names)
    return names if is_clear else {run: run for run in runs}
