"""`burble gradients`."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from burble import api
from burble.cli.gradients_view import KINDS, Measured, Report, print_report
from burble.cli.options import parse
from burble.cli.reading import read_sources
from burble.config import DataConfig, ReadingConfig, RunConfig
from burble.errors import UsageError
from burble.plots.gradients import check_drawable, draw_gradients
from burble.training.learners.registry import gradient_flow
from burble.training.request import RunRequest

if TYPE_CHECKING:
    from burble.cells import CellKind
    from burble.config import NetworkConfig
    from burble.tokenizers.base import Ids


@dataclass(frozen=True)
class GradientsCommand:
    """Show how far back an RNN and an LSTM with the same number of units learn.

    Trains both on a text, or takes two that are trained, and measures on text held out from them
    how the gradient of the loss at one character fades on its way back to the state some characters
    earlier: in the networks as they were before they learned anything, and as they are.
    """

    sources: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="SOURCE ...")]
    """The text: files, folders, globs, addresses, - for standard input, or known texts."""

    models: tuple[str, str] | None = None
    """Two trained models, an rnn and an lstm with the same number of units, in place of training
    them. The lstm then has four times the weights in its layers."""

    steps: int = 2000
    """Updates of the weights of each."""

    hidden_size: int = 128
    """Units of each; with as many units the lstm has four times the weights in its layers."""

    seq_len: int = DataConfig.seq_len
    """Characters read between two updates: as far back as the gradient is followed to learn."""

    seed: int = 0
    """Decides every random choice of the training."""

    png: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Draw the figure into this file; .svg where it is named so."""

    json: bool = False
    """Print one JSON object."""

    reading: ReadingConfig = field(default_factory=ReadingConfig)


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Train or load, measure, print, and draw."""
    command = parse(GradientsCommand, "gradients", args)
    figure = None if command.png is None else Path(command.png)
    if figure is not None:
        check_drawable(figure)
    with tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True) as scratch:
        models = _trained(command, Path(scratch)) if command.models is None else _given(command)
        measured = {
            kind: _measure(model, _held_out(command, model, Path(scratch) / "text"))
            for kind, model in models.items()
        }
    report = Report.of(measured)
    if figure is not None:
        draw_gradients(report.curves(), report.title(), figure)
    if command.json:
        sys.stdout.write(json.dumps(report.to_json()) + "\n")
    else:
        print_report(report)


def _trained(command: GradientsCommand, scratch: Path) -> dict[CellKind, api.Model]:
    """Both networks, trained in folders of their own."""
    from burble.progress import view_for
    from burble.runs import open_run

    if "-" in command.sources:
        raise UsageError("The text is read once for each network. Save it to a file and name that.")
    models: dict[CellKind, api.Model] = {}
    for kind in KINDS:
        options = {
            "cell": kind,
            "steps": command.steps,
            "hidden_size": command.hidden_size,
            "seq_len": command.seq_len,
            "seed": command.seed,
            "sample_length": 0,
        }
        request = RunRequest(options, RunConfig(command.sources, command.reading))
        open_run(scratch / kind, [view_for(sys.stderr)]).train(request)
        models[kind] = api.load(scratch / kind, "float32")
    return models


def _given(command: GradientsCommand) -> dict[CellKind, api.Model]:
    """The models that were named. Raises `UsageError` where they are no fair pair."""
    loaded = [api.load(path, "float32") for path in command.models or ()]
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


def _held_out(command: GradientsCommand, model: api.Model, folder: Path) -> Ids:
    if command.models is None:
        return model.training_text().val_ids
    return read_sources(
        model, command.sources, command.reading, folder, whole=False, unknown="error"
    ).val_ids


def _measure(model: api.Model, ids: Ids) -> Measured:
    flow = gradient_flow(model.file, ids)
    return Measured(model.file, flow.before, flow.after)
