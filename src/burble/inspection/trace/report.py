"""Turn a trace into one self-contained page to explore."""

import base64
import math
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from burble.arithmetic import Float32
from burble.cells import CELLS, MEANINGS
from burble.engine.trace import Trace
from burble.inspection.trace.guesses import bits_per_char, guesses_before, probabilities
from burble.inspection.trace.series import MAX_SURPRISAL, Choice
from burble.inspection.trace.tokens import running_text, token_label
from burble.model_file import ModelFile
from burble.page import fill_page

# Values are stored in this many steps on each side of zero: to 0.4 % of the unit's largest.
STEPS = 127

_SCRIPTS = (
    *("values.js", "series.js", "canvas.js", "text.js"),
    *("place.js", "units.js", "choose.js", "report.js"),
)


def report(file: ModelFile, trace: Trace, choice: Choice, top: int) -> str:
    """Return the page as HTML. choice: what it shows first. top: guesses for each character."""
    data = _data(file, trace, choice, top)
    return fill_page(_part("report.html"), style(), script(), data)


@cache
def script() -> str:
    return "\n".join(map(_part, _SCRIPTS))


@cache
def style() -> str:
    return _part("report.css")


def _part(name: str) -> str:
    return (files("burble.inspection.trace") / "page" / name).read_text("utf-8")


def _data(file: ModelFile, trace: Trace, choice: Choice, top: int) -> dict[str, Any]:
    tokenizer, network = file.tokenizer, file.network
    guesses = guesses_before(trace, tokenizer, top)
    return {
        "cell": CELLS[network.cell].title,
        "token": tokenizer.unit,
        "layers": network.num_layers,
        "units": network.hidden_size,
        "about": CELLS[network.cell].about,
        "bits_per_char": bits_per_char(trace, tokenizer),
        "shown": running_text(tokenizer, trace.ids),
        "labels": [token_label(tokenizer, token) for token in trace.ids.tolist()],
        "read_before": len(trace.context),
        "surprisal": [None if math.isnan(b) else round(b, 2) for b in trace.surprisal.tolist()],
        "max_surprisal": MAX_SURPRISAL,
        "probabilities": [p and float(f"{p:.3g}") for p in probabilities(trace)],
        "guesses": [[(label, float(f"{p:.3g}")) for label, p in of] for of in guesses],
        "gates": [_gate(name, values) for name, values in trace.values.items()],
        "start": _start(file, trace, choice),
    }


def _gate(name: str, values: Float32) -> dict[str, Any]:
    meaning = MEANINGS[name]
    layers = [pack(values[:, layer]) for layer in range(values.shape[1])]
    return {
        "name": name,
        "meaning": meaning.text,
        "is_signed": meaning.is_signed,
        "is_bounded": meaning.is_bounded,
        "layers": layers,
    }


def pack(values: Float32) -> dict[str, str]:
    """Pack values, (time, units), into int8 with one scale for each unit, both in base64."""
    steps = np.maximum(np.abs(values).max(axis=0), 1e-6) / STEPS
    return {
        "steps": _base64(steps.astype("<f4")),
        "values": _base64(np.rint(values / steps).astype(np.int8)),
    }


def _base64(array: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(array.tobytes()).decode()


def _start(file: ModelFile, trace: Trace, choice: Choice) -> dict[str, Any]:
    gate = choice.gate or CELLS[file.network.cell].memory
    return {
        "gate": list(trace.values).index(gate),
        "layer": file.network.num_layers - 1 if choice.layer is None else choice.layer,
        "unit": choice.unit,
        "colour": _colour(choice),
    }


def _colour(choice: Choice) -> str:
    if choice.unit is not None:
        return "unit"
    return "mean" if choice.is_given else "surprisal"
