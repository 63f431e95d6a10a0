"""`burble gradients`."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from burble import api
from burble.cells import CellKind
from burble.cli.files import save_file
from burble.cli.options import command, json_option, text_argument
from burble.cli.reading import read_sources
from burble.cli.views.gradients import KINDS, Measured, Report, print_report
from burble.config import DataConfig, NetworkConfig, ReadingConfig, RunConfig, TrainingConfig
from burble.errors import UsageError
from burble.knobs import knob, knob_like, sections
from burble.plots.figure import check_drawable, figure_kind
from burble.plots.gradients import gradients_figure
from burble.scratch import scratch_folder
from burble.tokenizers.base import Ids
from burble.training.gradients import flow_of_run
from burble.training.request import RunRequest


@dataclass(frozen=True)
class GradientsCommand:
    """Show how far back an RNN and an LSTM with the same number of units learn.

    Trains both on a text, or takes two that are trained, and measures on text held out from them
    how the gradient of the loss at one character fades on its way back to the state some characters
    earlier: in the networks as they were before they learned anything, and as they are.
    """

    sources: tuple[str, ...] = text_argument()
    models: tuple[str, str] | None = knob(
        None,
        "Two trained models, an rnn and an lstm with the same number of units, in place of "
        "training them. The lstm then has four times the weights in its layers.",
        metavar="MODEL MODEL",
    )
    steps: int = knob_like(
        TrainingConfig, "steps", default=2000, help="Updates of the weights of each."
    )
    hidden_size: int = knob_like(NetworkConfig, "hidden_size", default=128, help="Units of each.")
    seq_len: int = knob_like(
        DataConfig,
        "seq_len",
        help="Tokens read between two updates: as far back as the gradient is followed to learn.",
    )
    seed: int = knob_like(
        TrainingConfig, "seed", help="Decides every random choice of the training."
    )
    png: str | None = knob(
        None, "Draw the figure into this file; .svg where it is named so.", metavar="FILE"
    )
    json: bool = json_option()
    reading: ReadingConfig = sections(ReadingConfig, {"reading": ReadingConfig})


@command(GradientsCommand)
def main(asked: GradientsCommand) -> None:
    if asked.png is not None:
        check_drawable(asked.png)
    with scratch_folder() as scratch:
        models = _trained(asked, Path(scratch)) if asked.models is None else _given(asked)
        measured = {kind: _measure(asked, model) for kind, model in models.items()}
    report = Report(measured["rnn"], measured["lstm"])
    if asked.png is not None:
        drawn = gradients_figure(report.curves(), report.title(), figure_kind(asked.png))
        save_file(asked.png, drawn)
    if asked.json:
        sys.stdout.write(json.dumps(report.to_json()) + "\n")
    else:
        print_report(report)


def _trained(asked: GradientsCommand, scratch: Path) -> dict[CellKind, api.Model]:
    from burble.progress import view_for
    from burble.run_hooks import open_run

    if "-" in asked.sources:
        raise UsageError(
            "Standard input can be read only once, and both networks need the text. Save it to a "
            "file, and name that."
        )
    models: dict[CellKind, api.Model] = {}
    for kind in KINDS:
        options = {
            "cell": kind,
            "steps": asked.steps,
            "hidden_size": asked.hidden_size,
            "seq_len": asked.seq_len,
            "seed": asked.seed,
            "sample_length": 0,
        }
        request = RunRequest(options, RunConfig(asked.sources, asked.reading))
        open_run(scratch / kind, [view_for(sys.stderr)]).train(request)
        models[kind] = api.load(scratch / kind, "float32")
    return models


def _given(asked: GradientsCommand) -> dict[CellKind, api.Model]:
    loaded = [api.load(path, "float32") for path in asked.models or ()]
    models = {model.file.network.cell: model for model in loaded}
    if set(models) != set(KINDS):
        found = ", ".join(model.file.network.cell for model in loaded)
        raise UsageError(f"--models must be an rnn and an lstm; found {found}.")
    rnn, lstm = (models[kind].file.network for kind in KINDS)
    if replace(rnn, cell="lstm") != lstm:
        raise UsageError(
            "The two models must differ in nothing but the cell, so that it is what is compared; "
            f"found {_size(rnn)} and {_size(lstm)}."
        )
    return {kind: models[kind] for kind in KINDS}


def _size(network: NetworkConfig) -> str:
    return f"{network.cell} {network.num_layers}×{network.hidden_size} ({network.input})"


def _measure(asked: GradientsCommand, model: api.Model) -> Measured:
    if asked.models is None:
        return _measure_on(model, model.training_text().val_ids)
    with read_sources(model, asked.sources, asked.reading, whole=False, unknown="error") as text:
        return _measure_on(model, text.val_ids)


def _measure_on(model: api.Model, ids: Ids) -> Measured:
    flow = flow_of_run(model.file, ids)
    return Measured(model.file, flow.before, flow.after)
