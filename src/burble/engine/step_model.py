"""What generation, scoring and serving need of a model, whatever computes it."""

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
    """What a model carries from one token to the next, for some rows of texts."""

    values: Float32  # (rows, layers, states of the cell, hidden)


class StepModel(Protocol):
    """A model, running. Its numbers are the same for a row alone and among others."""

    kernel: str  # what computes it: numpy, numpy-float32, or the name of a native kernel
    vocab_size: int
    network: NetworkConfig

    def start(self, rows: int) -> State:
        """The fresh state of `rows` texts: zeros."""

    def forward(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Read ids, (time, rows); the logits after each, (time, rows, vocab), and the state."""

    def prefill(self, ids: Ids, state: State | None = None) -> tuple[Float32, State]:
        """Read one text, (time,), on from `state` or a fresh one; its last logits, (1, vocab)."""

    def step(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Read one token a row, (rows,); the logits after it, (rows, vocab)."""

    def write(self, streams: Sequence[Stream]) -> None:
        """Write on each stream up to its limit, or until one of its stops is met."""


def fresh_state(network: NetworkConfig, rows: int) -> State:
    states = len(CELLS[network.cell].states)
    shape = (rows, network.num_layers, states, network.hidden_size)
    return State(np.zeros(shape, dtype=np.float32))


def check_ids(ids: Ids, vocab_size: int) -> None:
    """Raise `IndexError` for ids that no token has."""
    if ids.size and not 0 <= ids.min() <= ids.max() < vocab_size:
        raise IndexError(f"An id is outside the vocabulary of {vocab_size:,}.")


def reset(state: State, rows: Any) -> State:
    """`state` with the rows marked True, (rows,), fresh again."""
    keep = np.where(rows, np.float32(0), np.float32(1))
    return State(state.values * keep[:, None, None, None])
