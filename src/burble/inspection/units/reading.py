"""Read a text and return a model's states, in blocks that hold each place once."""

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
Reading = str  # the name of a state, such as cell, or of its tanh, such as tanh cell

# The kernels are fast with this many rows, and a row must be long compared with its warm-up.
_MOST_ROWS = 64
_SHORTEST_ROW = 512

# With 64 rows of a 1×512 LSTM, the states of this many steps take 8 MB.
_BLOCK_TIME = 32


@dataclass(frozen=True)
class Block:
    """Some places of a text and the states at them."""

    cell: Cell
    places: Places  # (places,), in no order
    states: Float32  # (places, layers, states of the cell, hidden), each after its token

    @property
    def outputs(self) -> Float32:
        """The output of each unit, (places, layers, hidden)."""
        return self._state(self.cell.output)

    def readings(self) -> dict[Reading, Float32]:
        """Return each state by name, (places, layers, hidden), and the tanh of unbounded ones."""
        found: dict[Reading, Float32] = {}
        for name in self.cell.states:
            found[name] = self._state(name)
            if not MEANINGS[name].is_bounded:
                found[f"tanh {name}"] = np.tanh(found[name])
        return found

    def _state(self, name: str) -> Float32:
        return self.states[:, :, self.cell.states.index(name)]


def read_blocks(model: StepModel, ids: Ids) -> Iterator[Block]:
    """Read ids, (tokens,), in up to 64 rows side by side, and yield blocks of states.

    Each row first reads the tokens before it, to warm up its state.
    """
    rows = max(1, min(_MOST_ROWS, len(ids) // _SHORTEST_ROW))
    state = model.start(rows)
    # Scan the places, not the tokens. The last place of a scan is a target only, hence one more.
    for batch in scan(np.arange(len(ids) + 1), rows, VALIDATION_WARMUP, _BLOCK_TIME):
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
    """Read ids, (tokens,), in one row from a fresh state."""
    passed = states_after(model, ids[:, None], model.start(1))
    states = np.stack([one.values[0] for one in passed])
    return Block(CELLS[model.network.cell], np.arange(len(ids)), states)
