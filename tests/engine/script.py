"""An engine that writes what it was told to, whatever it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from burble.engine.step_model import State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burble.arithmetic import Float32
    from burble.engine.stream import Stream
    from burble.tokenizers.base import Ids


class Script:
    """As much of a `StepModel` as writing needs: it writes `ids` one after the other, and after
    the last the first again.

    What it carries is the place it has come to.
    """

    kernel = "script"

    def __init__(self, ids: Ids, vocab_size: int) -> None:
        self.ids = ids
        self.vocab_size = vocab_size
        self.allowed: list[int] = []
        """How many tokens it might write in each call."""

    def start(self, rows: int) -> State:
        return State(np.zeros((rows, 1, 1, 1), np.float32))

    def prefill(
        self,
        ids: Ids,  # noqa: ARG002 - the script is written
        state: State | None = None,
    ) -> tuple[Float32, State]:
        assert state is None
        return np.zeros((1, self.vocab_size), np.float32), self.start(1)

    def write(self, streams: Sequence[Stream]) -> None:
        for stream in streams:
            self.allowed.append(stream.limit - stream.end)
            while stream.end < stream.limit:
                place = int(stream.state[0, 0, 0])
                stream.state += 1
                stream.append(int(self.ids[place % len(self.ids)]))
                if stream.is_due():
                    break


class Measuring(Script):
    """To it, the next token is the number of tokens it has read since a fresh state."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__((np.arange(vocab_size) + 1) % vocab_size, vocab_size)

    def prefill(self, ids: Ids, state: State | None = None) -> tuple[Float32, State]:
        logits, fresh = super().prefill(ids, state)
        return logits, State(fresh.values + np.float32(len(ids)))
