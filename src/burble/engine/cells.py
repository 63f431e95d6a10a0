"""One step of each kind of cell.

A step takes the input side of all gates, x·W_ih + b, and the recurrent side, h·W_hh, both
(rows, gates · hidden) in the order of the model file, and the state. It returns every gate and the
new state, by name. The order of the operations decides the last bits, which `docs/engine.md`
promises.
"""

from collections.abc import Callable

from burble.arithmetic import Float32, sigmoid, tanh
from burble.cells import CellKind

Values = dict[str, Float32]  # gates and states of a step, or states alone, (rows, hidden) each


def _lstm(from_input: Float32, from_state: Float32, state: Values) -> Values:
    """Compute an LSTM (Hochreiter and Schmidhuber 1997, forget gate of Gers et al. 2000)."""
    gates = from_input + from_state
    size = state["cell"].shape[-1]
    in_and_forget = sigmoid(gates[:, : 2 * size])
    kept, let_in = in_and_forget[:, size:], in_and_forget[:, :size]
    candidate = tanh(gates[:, 2 * size : 3 * size])
    output = sigmoid(gates[:, 3 * size :])
    cell = kept * state["cell"] + let_in * candidate
    return {
        "forget": kept,
        "input": let_in,
        "candidate": candidate,
        "output": output,
        "cell": cell,
        "hidden": output * tanh(cell),
    }


def _gru(from_input: Float32, from_state: Float32, state: Values) -> Values:
    """Compute a GRU (Cho et al. 2014), its reset gate after the product as in torch and cuDNN."""
    hidden = state["hidden"]
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


def _rnn(from_input: Float32, from_state: Float32, _: Values) -> Values:
    """Compute a plain RNN (Elman 1990)."""
    return {"hidden": tanh(from_input + from_state)}


STEPS: dict[CellKind, Callable[[Float32, Float32, Values], Values]] = {
    "lstm": _lstm,
    "gru": _gru,
    "rnn": _rnn,
}
