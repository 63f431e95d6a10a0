"""Turn a trace into plain values for JSON."""

import math
from typing import Any

import numpy as np

from burble.engine.trace import Trace
from burble.inspection.trace.guesses import Guess, bits_per_char, guesses_before, probabilities
from burble.inspection.trace.series import Choice
from burble.inspection.trace.tokens import running_text
from burble.model_file import ModelFile

_DECIMALS = 5


def document(file: ModelFile, trace: Trace, choice: Choice, top: int) -> dict[str, Any]:
    """Describe a trace in plain values: the text, each token, and the chosen gates and states.

    top: guesses for each token.
    """
    tokenizer = file.tokenizer
    guesses = guesses_before(trace, tokenizer, top)
    shown = running_text(tokenizer, trace.ids)
    bits, likely = trace.surprisal.tolist(), probabilities(trace)
    tokens = [
        {
            "text": shown[place],
            "id": int(token),
            "surprisal_bits": None if math.isnan(bits[place]) else bits[place],
            "probability": likely[place],
            "guesses": _describe(guesses[place]),
        }
        for place, token in enumerate(trace.ids)
    ]
    return {
        "text": tokenizer.decode(trace.ids),
        "cell": file.network.cell,
        "bits_per_char": bits_per_char(trace, tokenizer),
        "tokens": tokens,
        "next": _describe(guesses[-1]),
        **_pick_values(trace, choice),
    }


def _describe(guesses: list[Guess]) -> list[dict[str, Any]]:
    return [{"text": text, "probability": probability} for text, probability in guesses]


def _pick_values(trace: Trace, choice: Choice) -> dict[str, Any]:
    _, layers, units = next(iter(trace.values.values())).shape
    gates = list(trace.values) if choice.gate is None else [choice.gate]
    of_layers = list(range(layers)) if choice.layer is None else [choice.layer]
    of_units = list(range(units)) if choice.unit is None else [choice.unit]
    return {
        "layers": of_layers,
        "units": of_units,
        "values": {
            gate: _round(trace.values[gate][:, of_layers][:, :, of_units]) for gate in gates
        },
    }


def _round(values: np.ndarray[Any, Any]) -> list[Any]:
    rounded: list[Any] = np.round(values.astype(np.float64), _DECIMALS).tolist()
    return rounded
