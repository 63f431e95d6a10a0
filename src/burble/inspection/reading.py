"""Reading a text to see the states that a model goes through: each place once, in blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from burble.data.scan import VALIDATION_WARMUP, scan
from burble.engine.states import states_after

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burble.arithmetic import Float32
    from burble.engine.step_model import StepModel
    from burble.tokenizers.base import Ids

Places = np.ndarray[Any, np.dtype[np.int64]]
Reading = Literal["hidden", "cell", "tanh cell"]

# As many rows as the kernels are fast at, each long beside its warm-up.
_LANES = 64
_SHORTEST_LANE = 512

# Of 64 rows of a 1×512 LSTM this many times take 8 MB.
_BLOCK_TIME = 32


@dataclass(frozen=True)
class Block:
    """Some places of a text and the states there."""

    places: Places
    """(places,), in no order."""

    states: Float32
    """(places, layers, tensors of the cell, hidden), each after the token at its place."""

    def readings(self) -> dict[Reading, Float32]:
        """What can be read off each unit, (places, layers, hidden): its output, and of an LSTM its
        cell, as it is and as it passes on.
        """
        found: dict[Reading, Float32] = {"hidden": self.states[:, :, 0]}
        if self.states.shape[2] > 1:
            cell = self.states[:, :, 1]
            found |= {"cell": cell, "tanh cell": np.tanh(cell)}
        return found


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
        yield Block(batch.inputs[batch.mask], states[batch.mask])


def read_whole(model: StepModel, ids: Ids) -> Block:
    """Read a short text, (tokens,), in one go."""
    passed = states_after(model, ids[:, None], model.start(1))
    return Block(np.arange(len(ids)), np.stack([one.values[0] for one in passed]))
