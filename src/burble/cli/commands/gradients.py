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

    The command trains both on a text, or takes two trained models. On held-out text it measures how
    the gradient of the loss at one character fades on its way back to the states before: in the
    networks before training and after it.
    """

    sources: tuple[str, ...] = text_argument()
    models: tuple[str, str] | None = knob(
        None,
        "Use these trained models, an rnn and an lstm with the same number of units. The lstm then "
        "has four times the weights in its layers.",
        metavar="MODEL MODEL",
    )
    steps: int = knob_like(
        TrainingConfig, "steps", default=2000, help="Updates of the weights of each network."
    )
    hidden_size: int = knob_like(
        NetworkConfig, "hidden_size", default=128, help="Units of each network."
    )
    seq_len: int = knob_like(
        DataConfig,
        "seq_len",
        help="Tokens between two updates; training follows the gradient back no further.",
    )
    seed: int = knob_like(TrainingConfig, "seed")
    png: str | None = knob(None, "Draw the curves, as .png, .svg or .pdf.", metavar="FILE")
    json: bool = json_option()
    reading: ReadingConfig = sections(ReadingConfig, {"reading": ReadingConfig})


@command(
    GradientsCommand,
    examples=("burble gradients my-text.txt", "burble gradients my-text.txt --png gradients.png"),
)
def main(asked: GradientsCommand) -> None:
    if asked.png is not None:
        check_drawable(asked.png)
    with scratch_folder() as scratch:
        models = _train_both(asked, Path(scratch)) if asked.models is None else _load_both(asked)
        measured = {kind: _measure(asked, model) for kind, model in models.items()}
    report = Report(measured["rnn"], measured["lstm"])
    if asked.png is not None:
        drawn = gradients_figure(report.curves(), report.title(), figure_kind(asked.png))
        save_file(asked.png, drawn)
    if asked.json:
        sys.stdout.write(json.dumps(report.to_json()) + "\n")
    else:
        print_report(report)


def _train_both(asked: GradientsCommand, scratch: Path) -> dict[CellKind, api.Model]:
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


def _load_both(asked: GradientsCommand) -> dict[CellKind, api.Model]:
    loaded = [api.load(path, "float32") for path in asked.models or ()]
    models = {model.file.network.cell: model for model in loaded}
    if set(models) != set(KINDS):
        found = ", ".join(model.file.network.cell for model in loaded)
        raise UsageError(f"--models must be an rnn and an lstm; found {found}.")
    rnn, lstm = (models[kind].file.network for kind in KINDS)
    if replace(rnn, cell="lstm") != lstm:
        raise UsageError(
            "The two models must differ in nothing but the cell, so that it is what is compared; "
            f"found {_describe(rnn)} and {_describe(lstm)}."
        )
    return {kind: models[kind] for kind in KINDS}


def _describe(network: NetworkConfig) -> str:
    return f"{network.cell} {network.num_layers}×{network.hidden_size} ({network.input})"


def _measure(asked: GradientsCommand, model: api.Model) -> Measured:
    if asked.models is None:
        return _measure_on(model, model.training_text().val_ids)
    with read_sources(model, asked.sources, asked.reading, whole=False, unknown="error") as text:
        return _measure_on(model, text.val_ids)


def _measure_on(model: api.Model, ids: Ids) -> Measured:
    flow = flow_of_run(model.file, ids)
    return Measured(model.file, flow.before, flow.after)
