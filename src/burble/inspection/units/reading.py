"""Reading a text to see the states that a model goes through: each place once, in blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from burble.arithmetic import Float32
from burble.cells import CELLS, MEANINGS, Cell
from burble.data.scan import VALIDATION_WARMUP, scan
from burble.engine.step_model import State, StepModel
from burble.tokenizers.base import Ids

Places = np.ndarray[Any, np.dtype[np.int64]]
Reading = str  # a state of the cell, such as cell, or its tanh, such as tanh cell

# As many rows as the kernels are fast at, each long beside its warm-up.
_LANES = 64
_SHORTEST_LANE = 512

# Of 64 rows of a 1×512 LSTM this many times take 8 MB.
_BLOCK_TIME = 32


@dataclass(frozen=True)
class Block:
    """Some places of a text and the states there."""

    cell: Cell
    places: Places  # (places,), in no order
    states: Float32  # (places, layers, states of the cell, hidden), each after its token

    @property
    def outputs(self) -> Float32:
        """What each unit gives out, (places, layers, hidden)."""
        return self._state(self.cell.output)

    def readings(self) -> dict[Reading, Float32]:
        """Return each state, (places, layers, hidden), and the tanh of one without bounds."""
        found: dict[Reading, Float32] = {}
        for name in self.cell.states:
            found[name] = self._state(name)
            if not MEANINGS[name].is_bounded:
                found[f"tanh {name}"] = np.tanh(found[name])
        return found

    def _state(self, name: str) -> Float32:
        return self.states[:, :, self.cell.states.index(name)]


def read_blocks(model: StepModel, ids: Ids) -> Iterator[Block]:
    """Read ids, (tokens,), in lanes side by side, each warmed on what stands before it."""
    lanes = max(1, min(_LANES, len(ids) // _SHORTEST_LANE))
    state = model.start(lanes)
    # Scanned are the places themselves, and one behind the end: each place but it is read.
    for batch in scan(np.arange(len(ids) + 1), lanes, VALIDATION_WARMUP, _BLOCK_TIME):
        tokens = ids[np.minimum(batch.inputs, len(ids) - 1)]
        passed = list(states_after(model, tokens, state))
        state = passed[-1]
        states = np.stack([one.values for one in passed])
        yield Block(CELLS[model.network.cell], batch.inputs[batch.mask], states[batch.mask])


def states_after(model: StepModel, ids: Ids, state: State) -> Iterator[State]:
    """Yield the state after each time of ids, (time, rows)."""
    for tokens in ids:
        _, state = model.step(tokens, state)
        yield state


def read_whole(model: StepModel, ids: Ids) -> Block:
    passed = states_after(model, ids[:, None], model.start(1))
    states = np.stack([one.values[0] for one in passed])
    return Block(CELLS[model.network.cell], np.arange(len(ids)), states)
