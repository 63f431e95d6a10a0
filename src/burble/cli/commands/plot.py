"""`burble plot`."""

from dataclasses import dataclass
from pathlib import Path

from burble.cli.files import save_file
from burble.cli.options import command
from burble.knobs import REQUIRED, argument, knob
from burble.plots.curves import learning_figure
from burble.plots.figure import figure_kind
from burble.run_folder.metrics import Metrics


@dataclass(frozen=True)
class PlotCommand:
    """Draw the learning curves of runs: bits per character over time, held out and in training."""

    runs: tuple[str, ...] = argument("RUN", "Folders of runs.")
    out: str = knob(REQUIRED, "Figure to write: .png, .svg or .pdf.", short="-o", metavar="FILE")


@command(
    PlotCommand,
    examples=("burble plot my-model -o curves.svg", "burble plot my-model longer -o curves.png"),
)
def main(asked: PlotCommand) -> None:
    kind = figure_kind(asked.out)
    runs = {name: Metrics.read(Path(run)) for run, name in _name_runs(asked.runs).items()}
    save_file(asked.out, learning_figure(runs, kind))


def _name_runs(runs: tuple[str, ...]) -> dict[str, str]:
    names = {run: Path(run).resolve().name for run in runs}
    is_clear = len(set(names.values())) == len(names)
    return names if is_clear else {run: run for run in runs}
