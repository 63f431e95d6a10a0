"""The gate algebra: one function for each kind of cell.

Each takes the input side of all gates, x·W_ih + b, and the recurrent side, h·W_hh, both
(rows, gates · hidden) in the order of the model file, and the state; it returns all that happens
in the step, by name: the gates, and the new state among them.
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

Values = dict[str, Float32]
"""What happens in one step of one layer, by name, (rows, hidden) each."""


@dataclass(frozen=True)
class Cell:
    """A kind of cell: what happens in a step, and which of it is carried to the next."""

    look: Callable[[Float32, Float32, LayerState], Values]
    """The gates and the new state, from the two sides and the old state."""

    carried: tuple[str, ...]
    """The names of the state's tensors, its output first."""

    @property
    def num_states(self) -> int:
        """How many tensors the state has."""
        return len(self.carried)

    def state(self, values: Values) -> LayerState:
        """What is carried on of a step's values."""
        return tuple(values[name] for name in self.carried)


def _lstm(from_input: Float32, from_state: Float32, state: LayerState) -> Values:
    """Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000."""
    _, cell = state
    gates = from_input + from_state
    size = cell.shape[-1]
    in_and_forget = sigmoid(gates[:, : 2 * size])
    kept, let_in = in_and_forget[:, size:], in_and_forget[:, :size]
    candidate = tanh(gates[:, 2 * size : 3 * size])
    output = sigmoid(gates[:, 3 * size :])
    cell = kept * cell + let_in * candidate
    return {
        "forget": kept,
        "input": let_in,
        "candidate": candidate,
        "output": output,
        "cell": cell,
        "hidden": output * tanh(cell),
    }


def _gru(from_input: Float32, from_state: Float32, state: LayerState) -> Values:
    """Cho et al. 2014, with the reset gate after the product, as torch and cuDNN have it."""
    (hidden,) = state
    size = hidden.shape[-1]
    reset_and_update = sigmoid(from_input[:, : 2 * size] + from_state[:, : 2 * size])
    reset, update = reset_and_update[:, :size], reset_and_update[:, size:]
    candidate = tanh(from_input[:, 2 * size :] + reset * from_state[:, 2 * size :])
    return {
        "reset": reset,
        "update": update,
        "candidate": candidate,
        "hidden": candidate + update * (hidden - candidate),
    }


def _rnn(from_input: Float32, from_state: Float32, _: LayerState) -> Values:
    """Elman 1990."""
    return {"hidden": tanh(from_input + from_state)}


CELLS: dict[CellKind, Cell] = {
    "lstm": Cell(_lstm, ("hidden", "cell")),
    "gru": Cell(_gru, ("hidden",)),
    "rnn": Cell(_rnn, ("hidden",)),
}
