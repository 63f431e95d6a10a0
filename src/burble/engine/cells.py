"""The gate algebra: one function for each kind of cell.

Each takes the input side of all gates, x·W_ih + b, and the recurrent side, h·W_hh, both
(rows, gates · hidden) in the order of the model file, and the state; it returns the new state.
The order of the operations is part of the engine's promise (`docs/engine.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from burble.arithmetic import Float32, sigmoid, tanh

if TYPE_CHECKING:
    from collections.abc import Callable

    from burble.config import CellKind

LayerState = tuple[Float32, ...]
"""The tensors one layer carries, (rows, hidden) each; the first is the layer's output."""


@dataclass(frozen=True)
class Cell:
    """A kind of cell: how many tensors its state has, and how one step changes them."""

    num_states: int
    step: Callable[[Float32, Float32, LayerState], LayerState]


def _lstm(from_input: Float32, from_state: Float32, state: LayerState) -> LayerState:
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""
    _, cell = state
    gates = from_input + from_state
    size = cell.shape[-1]
    in_and_forget = sigmoid(gates[:, : 2 * size])
    candidate = tanh(gates[:, 2 * size : 3 * size])
    output = sigmoid(gates[:, 3 * size :])
    cell = in_and_forget[:, size:] * cell + in_and_forget[:, :size] * candidate
    return output * tanh(cell), cell


def _gru(from_input: Float32, from_state: Float32, state: LayerState) -> LayerState:
    """Cho et al. 2014, with the reset gate after the product, as torch and cuDNN have it."""
    (hidden,) = state
    size = hidden.shape[-1]
    reset_and_update = sigmoid(from_input[:, : 2 * size] + from_state[:, : 2 * size])
    reset, update = reset_and_update[:, :size], reset_and_update[:, size:]
    candidate = tanh(from_input[:, 2 * size :] + reset * from_state[:, 2 * size :])
    return (candidate + update * (hidden - candidate),)


def _rnn(from_input: Float32, from_state: Float32, _: LayerState) -> LayerState:
    """Elman 1990."""
    return (tanh(from_input + from_state),)


CELLS: dict[CellKind, Cell] = {
    "lstm": Cell(2, _lstm),
    "gru": Cell(1, _gru),
    "rnn": Cell(1, _rnn),
}
