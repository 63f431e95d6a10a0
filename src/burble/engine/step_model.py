"""`StepModel`: the interface of every engine, for generation, scoring and serving."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from burble.arithmetic import Float32
from burble.cells import CELLS
from burble.config import NetworkConfig
from burble.engine.stream import Stream
from burble.tokenizers.base import Ids


@dataclass(frozen=True)
class State:
    """What a model carries from one token to the next, for several texts (rows)."""

    values: Float32  # (rows, layers, states of the cell, hidden)


class StepModel(Protocol):
    """A running model. A row gets the same numbers alone and among others."""

    kernel: str  # numpy, numpy-float32, or the name of a native kernel
    vocab_size: int
    network: NetworkConfig

    def start(self, rows: int) -> State:
        """Return the fresh state of `rows` texts: zeros."""

    def forward(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Read ids, (time, rows).

        Returns the logits after each, (time, rows, vocab), and the new state.
        """

    def prefill(self, ids: Ids, state: State | None = None) -> tuple[Float32, State]:
        """Read one text, (time,), from `state` or from a fresh one.

        Returns the logits after its last token, (1, vocab), and the new state.
        """

    def step(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Read one token for each row, (rows,).

        Returns the logits after it, (rows, vocab), and the new state.
        """

    def write(self, streams: Sequence[Stream]) -> None:
        """Append tokens to each stream, up to its limit or to the end of one of its stops."""


def fresh_state(network: NetworkConfig, rows: int) -> State:
    states = len(CELLS[network.cell].states)
    shape = (rows, network.num_layers, states, network.hidden_size)
    return State(np.zeros(shape, dtype=np.float32))


def check_ids(ids: Ids, vocab_size: int) -> None:
    """Raise `IndexError` for an id outside the vocabulary."""
    if ids.size and not 0 <= ids.min() <= ids.max() < vocab_size:
        raise IndexError(f"An id is outside the vocabulary of {vocab_size:,}.")


def reset(state: State, rows: Any) -> State:
    """Return `state` with the rows that are True in `rows`, (rows,), set to a fresh state."""
    keep = np.where(rows, np.float32(0), np.float32(1))
    return State(state.values * keep[:, None, None, None])
