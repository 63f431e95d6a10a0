"""`burble inspect`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro
from rich.console import Console

from burble.cells import CELLS, MEANINGS
from burble.cli.files import read_text, save_file
from burble.cli.options import parse
from burble.cli.reading import tell_unknown
from burble.config import UnknownPolicy
from burble.engine.generate import encode_text
from burble.engine.trace import trace
from burble.errors import TextError, UsageError
from burble.inspection.bounds import Bounds
from burble.inspection.document import document
from burble.inspection.report import report
from burble.inspection.series import Choice, chosen_series
from burble.inspection.terminal_view import terminal_view
from burble.inspection.tokens import token_label
from burble.model_file import ModelFile
from burble.plots.figure import figure_kind
from burble.plots.traces import TracePicture, trace_figure

if TYPE_CHECKING:
    from burble.config import NetworkConfig
    from burble.engine.trace import Trace

# So many characters a browser still lays out at once, and so many bytes a phone still opens.
BOUNDS = Bounds(max_tokens=5_000, max_values=16 << 20)

UNCUT = 10_000


@dataclass(frozen=True)
class InspectCommand:
    """Look inside a model while it reads a text: its guesses, its surprise, its gates.

    The text is coloured by surprisal; with --layer, --unit or --gate by what goes on there.
    """

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="MODEL")]
    """A model file, or the folder of a run."""

    text: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="TEXT")]
    """What it reads; - takes it from standard input."""

    layer: int | None = None
    """Layer to look at, from 0 for the lowest; the top one where none is given."""

    unit: int | None = None
    """Unit of the layer, from 0; the mean of all where none is given."""

    gate: str | None = None
    """Gate or state, such as candidate or hidden; which there are depends on the cell. Its memory
    where none is given."""

    top: int = 5
    """Guesses to show for each character."""

    unknown: UnknownPolicy = "error"
    """What to do with characters that the model has never seen."""

    json: bool = False
    """Print one JSON object: all guesses and values, or those of --layer, --unit and --gate."""

    html: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Write a page to explore it in a browser; it needs no network."""

    png: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """Draw surprisal, and the units of a layer over the text, as .png or .svg."""

    def choice(self) -> Choice:
        """What is looked at."""
        return Choice(self.layer, self.gate, self.unit)


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Read the text, and show what went on."""
    command = parse(InspectCommand, "inspect", args)
    if command.top < 1:
        raise UsageError(f"--top must be 1 or more; found {command.top}.")
    model = ModelFile.load(Path(command.model))
    seen, unknown = _trace(command, model)
    command.choice().check(seen)
    for name, content in _files(command, model, seen).items():
        save_file(name, content)
    if command.json:
        found = document(model, seen, command.choice(), command.top)
        found["unknown_chars"] = unknown
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    if not (command.json or command.html or command.png):
        _show(command, model, seen)


def _trace(command: InspectCommand, model: ModelFile) -> tuple[Trace, int]:
    """What went on, and how many characters of the text the model has never seen."""
    text = command.text
    if text == "-":
        text = read_text(sys.stdin.buffer.read, "The text in standard input").removesuffix("\n")
    ids = encode_text(model, text, command.unknown)
    unknown = tell_unknown(model, text, command.unknown)
    _check_length(len(ids), model.network)
    return trace(model, ids), unknown


def _check_length(length: int, network: NetworkConfig) -> None:
    """Refuse a text that would make a report too large to open."""
    longest = BOUNDS.longest(network)
    if length > longest:
        raise TextError(
            f"The text is too long to look at: {length:,} characters or bytes. With this model "
            f"at most {longest:,} can be shown. Give a passage of it."
        )


def _files(command: InspectCommand, model: ModelFile, seen: Trace) -> dict[str, bytes]:
    """What is to be written, by name: all of it is made before any of it is kept."""
    made: dict[str, bytes] = {}
    if command.html is not None:
        made[command.html] = report(model, seen, command.choice(), command.top).encode()
    if command.png is not None:
        made[command.png] = _figure(command, command.png, model, seen)
    return made


def _figure(command: InspectCommand, name: str, model: ModelFile, seen: Trace) -> bytes:
    choice, network = command.choice(), model.network
    gate = choice.gate or CELLS[network.cell].memory
    layer = network.num_layers - 1 if choice.layer is None else choice.layer
    picture = TracePicture(
        labels=[token_label(model.tokenizer, token) for token in seen.ids.tolist()],
        surprisal=seen.surprisal,
        values=seen.values[gate][:, layer],
        name=gate,
        layer=layer,
        is_signed=MEANINGS[gate].is_signed,
        is_bounded=MEANINGS[gate].is_bounded,
        unit=choice.unit,
    )
    return trace_figure(picture, figure_kind(name))


def _show(command: InspectCommand, model: ModelFile, seen: Trace) -> None:
    chosen = None
    if command.choice().is_given:
        chosen = chosen_series(seen, command.choice(), CELLS[model.network.cell].memory)
    # In a pipe nothing is cut to the width of a window.
    console = Console(width=None if sys.stdout.isatty() else UNCUT, highlight=False)
    in_colour = console.is_terminal and not console.no_color
    console.print(terminal_view(seen, model.tokenizer, chosen, command.top, in_colour=in_colour))
