"""An engine that writes what it was told to, whatever it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from burble.engine.step_model import State

if TYPE_CHECKING:
    from burble.engine.cells import Float32
    from burble.tokenizers.base import Ids


class Script:
    """A `StepModel` to which the next token of `ids` is certain; after the last the first again.

    What it carries is the place it has come to.
    """

    def __init__(self, ids: Ids, vocab_size: int) -> None:
        self.ids = ids
        self.vocab_size = vocab_size

    def start(self, rows: int) -> State:
        return State(((np.zeros((rows, 1), np.float32),),))

    def reset(self, state: State, rows: Any) -> State:
        return State(((state.layers[0][0] * ~np.asarray(rows)[:, None],),))

    def select(self, state: State, rows: Ids) -> State:
        return State(((state.layers[0][0][rows],),))

    def forward(self, ids: Ids, state: State) -> tuple[Float32, State]:
        places = state.layers[0][0][:, 0] + np.arange(len(ids))[:, None]
        return self._logits(places), State(((state.layers[0][0] + np.float32(len(ids)),),))

    def prefill(self, ids: Ids) -> tuple[Float32, State]:  # noqa: ARG002 - the script is written
        return self._logits(np.zeros(1)), self.start(1)

    def step(self, ids: Ids, state: State) -> tuple[Float32, State]:  # noqa: ARG002
        after = state.layers[0][0] + np.float32(1)
        return self._logits(after[:, 0]), State(((after,),))

    def _logits(self, places: Any) -> Float32:
        following = self.ids[places.astype(np.int64) % len(self.ids)]
        return np.eye(self.vocab_size, dtype=np.float32)[following] * np.float32(100)


class Measuring(Script):
    """To it, the next token is the number of tokens it has just read from a fresh state."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__(np.arange(vocab_size), vocab_size)

    def prefill(self, ids: Ids) -> tuple[Float32, State]:
        return self._logits(np.array([len(ids)])), self.start(1)
