"""A step of each kind of cell in float64, and the backward pass of its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from burble.cells import CellKind

Float64 = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

Values = dict[str, Float64]
"""The gates and states of one layer by name, or their gradients, (rows, hidden) each."""


@dataclass(frozen=True)
class Back:
    """The gradients of the loss at one step of one layer."""

    states: Values
    """With respect to the new states, including the path through the layer's output."""

    from_input: Float64
    """With respect to x·W_ih + b, (rows, gates · hidden)."""

    from_state: Float64
    """With respect to h·W_hh, (rows, gates · hidden)."""

    before: Values
    """With respect to the states before the step, without the path through h·W_hh."""


@dataclass(frozen=True)
class Derivatives:
    """The forward and backward pass of one kind of cell."""

    step: Callable[[Float64, Float64, Values], Values]
    """Return gates and new states from x·W_ih + b, h·W_hh and the states before."""

    back: Callable[[Values, Values, Values], Back]
    """Return `Back` from the gradients of the new states, the step's values and the states before.
    """


def _lstm_step(from_input: Float64, from_state: Float64, before: Values) -> Values:
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""
    let_in, forget, candidate, output = np.split(from_input + from_state, 4, axis=1)
    values = {
        "input": _sigmoid(let_in),
        "forget": _sigmoid(forget),
        "candidate": np.tanh(candidate),
        "output": _sigmoid(output),
    }
    cell = values["forget"] * before["cell"] + values["input"] * values["candidate"]
    return values | {"cell": cell, "hidden": values["output"] * np.tanh(cell)}


def _lstm_back(gradient: Values, values: Values, before: Values) -> Back:
    hidden, shown = gradient["hidden"], np.tanh(values["cell"])
    cell = gradient["cell"] + hidden * values["output"] * _tanh_slope(shown)
    gates = np.hstack(
        [
            cell * values["candidate"] * _sigmoid_slope(values["input"]),
            cell * before["cell"] * _sigmoid_slope(values["forget"]),
            cell * values["input"] * _tanh_slope(values["candidate"]),
            hidden * shown * _sigmoid_slope(values["output"]),
        ]
    )
    passed = {"hidden": np.zeros_like(hidden), "cell": cell * values["forget"]}
    return Back({"hidden": hidden, "cell": cell}, gates, gates, passed)


def _gru_step(from_input: Float64, from_state: Float64, before: Values) -> Values:
    """Cho et al. 2014, the reset gate after the product."""
    inputs, recurrent = np.split(from_input, 3, axis=1), np.split(from_state, 3, axis=1)
    reset, update = (_sigmoid(inputs[gate] + recurrent[gate]) for gate in (0, 1))
    candidate = np.tanh(inputs[2] + reset * recurrent[2])
    return {
        "reset": reset,
        "update": update,
        "recurrent": recurrent[2],
        "candidate": candidate,
        "hidden": candidate + update * (before["hidden"] - candidate),
    }


def _gru_back(gradient: Values, values: Values, before: Values) -> Back:
    hidden, candidate = gradient["hidden"], values["candidate"]
    change = hidden * (1 - values["update"]) * _tanh_slope(candidate)
    reset = change * values["recurrent"] * _sigmoid_slope(values["reset"])
    update = hidden * (before["hidden"] - candidate) * _sigmoid_slope(values["update"])
    return Back(
        {"hidden": hidden},
        np.hstack([reset, update, change]),
        np.hstack([reset, update, change * values["reset"]]),
        {"hidden": hidden * values["update"]},
    )


def _rnn_step(from_input: Float64, from_state: Float64, _: Values) -> Values:
    """Elman 1990."""
    return {"hidden": np.tanh(from_input + from_state)}


def _rnn_back(gradient: Values, values: Values, _: Values) -> Back:
    hidden = gradient["hidden"]
    gates = hidden * _tanh_slope(values["hidden"])
    return Back({"hidden": hidden}, gates, gates, {"hidden": np.zeros_like(hidden)})


def _sigmoid(x: Float64) -> Float64:
    # In this form a gate near 0 keeps all its digits. If exp overflows, the gate is 0.
    with np.errstate(over="ignore"):
        gate: Float64 = 1 / (1 + np.exp(-x))
    return gate


def _sigmoid_slope(y: Float64) -> Float64:
    return y * (1 - y)


def _tanh_slope(y: Float64) -> Float64:
    return 1 - y * y


DERIVATIVES: dict[CellKind, Derivatives] = {
    "lstm": Derivatives(_lstm_step, _lstm_back),
    "gru": Derivatives(_gru_step, _gru_back),
    "rnn": Derivatives(_rnn_step, _rnn_back),
}
