"""`burble inspect`."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from burble.cells import CELLS, MEANINGS
from burble.cli.files import read_text, save_file
from burble.cli.options import command, model_argument, unknown_option
from burble.cli.reading import report_unknown
from burble.config import UnknownPolicy
from burble.engine.generate import encode_text
from burble.engine.trace import Trace, trace
from burble.errors import TextError
from burble.inspection.bounds import Bounds
from burble.inspection.trace.document import document
from burble.inspection.trace.report import report
from burble.inspection.trace.series import Choice, chosen_series
from burble.inspection.trace.terminal_view import terminal_view
from burble.inspection.trace.tokens import token_label
from burble.knobs import argument, knob
from burble.model_file import ModelFile
from burble.plots.figure import figure_kind
from burble.plots.traces import TracePicture, trace_figure

# So many characters a browser still lays out at once, and so many bytes a phone still opens.
BOUNDS = Bounds(max_tokens=5_000, max_values=16 << 20)

UNCUT = 10_000


@dataclass(frozen=True)
class InspectCommand:
    """Look inside a model while it reads a text: its guesses, its surprise, its gates.

    The text is coloured by surprisal; with --layer, --unit or --gate by what goes on there.
    """

    model: str = model_argument()
    text: str = argument("TEXT", "What it reads; - takes it from standard input.", escapes=True)
    layer: int | None = knob(
        None, "Layer to look at, from 0 for the lowest; the top one where none is given."
    )
    unit: int | None = knob(None, "Unit of the layer, from 0; the mean of all where none is given.")
    gate: str | None = knob(
        None,
        "Gate or state, such as candidate or hidden; which there are depends on the cell. Its "
        "memory where none is given.",
    )
    top: int = knob(5, "Guesses to show for each character.", low=1)
    unknown: UnknownPolicy = unknown_option()
    json: bool = knob(
        False,
        "Print one JSON object: all guesses and values, or those of --layer, --unit and --gate.",
    )
    html: str | None = knob(
        None, "Write a page to explore it in a browser; it needs no network.", metavar="FILE"
    )
    png: str | None = knob(
        None,
        "Draw surprisal, and the units of a layer over the text, as .png, .svg or .pdf.",
        metavar="FILE",
    )

    def choice(self) -> Choice:
        return Choice(self.layer, self.gate, self.unit)


@command(InspectCommand)
def main(asked: InspectCommand) -> None:
    model = ModelFile.load(Path(asked.model))
    seen, unknown = _trace(asked, model)
    asked.choice().check(seen)
    for name, content in _files(asked, model, seen).items():
        save_file(name, content)
    if asked.json:
        found = document(model, seen, asked.choice(), asked.top)
        found["unknown_chars"] = unknown
        sys.stdout.write(json.dumps(found, ensure_ascii=False) + "\n")
    if not (asked.json or asked.html or asked.png):
        chosen = None
        if asked.choice().is_given:
            chosen = chosen_series(seen, asked.choice(), CELLS[model.network.cell].memory)
        # In a pipe nothing is cut to the width of a window.
        console = Console(width=None if sys.stdout.isatty() else UNCUT, highlight=False)
        in_colour = console.is_terminal and not console.no_color
        console.print(terminal_view(seen, model.tokenizer, chosen, asked.top, in_colour=in_colour))


def _trace(asked: InspectCommand, model: ModelFile) -> tuple[Trace, int]:
    text = asked.text
    if text == "-":
        text = read_text(sys.stdin.buffer.read, "The text in standard input").removesuffix("\n")
    ids = encode_text(model, text, asked.unknown)
    unknown = report_unknown(model, text, asked.unknown)
    longest = BOUNDS.longest(model.network)
    if len(ids) > longest:
        raise TextError(
            f"The text is too long to look at: {len(ids):,} characters or bytes. With this model "
            f"at most {longest:,} can be shown. Give a passage of it."
        )
    return trace(model, ids), unknown


def _files(asked: InspectCommand, model: ModelFile, seen: Trace) -> dict[str, bytes]:
    """What is to be written, by name: all of it is made before any of it is kept."""
    made: dict[str, bytes] = {}
    if asked.html is not None:
        made[asked.html] = report(model, seen, asked.choice(), asked.top).encode()
    if asked.png is not None:
        made[asked.png] = _figure(asked, asked.png, model, seen)
    return made


def _figure(asked: InspectCommand, name: str, model: ModelFile, seen: Trace) -> bytes:
    choice, network = asked.choice(), model.network
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
