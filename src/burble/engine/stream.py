"""`Stream`: a text being written, in a memory layout that the native kernel shares."""

import ctypes
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from burble.arithmetic import Float32
from burble.config import SamplingConfig
from burble.knobs import knobs_of
from burble.native.structures import SamplingFields, StreamFields
from burble.sampling import PENALTY_TOKENS
from burble.tokenizers.base import Ids

# The most tokens to write in one call: enough that Python's work for each call does not count.
CHUNK = 256


class Checkpoint(NamedTuple):
    """The state of a stream, to rewind it to."""

    state: Float32
    end: int
    position: int


class Stream(StreamFields):
    """A text being written. A step reads its last token and chooses the next.

    Only the newest tokens are kept, as many as the penalty, the stops and `remember` need.
    """

    state: Float32  # (layers, states of the cell, hidden), after every token but the last
    tokens: np.ndarray[Any, np.dtype[np.int32]]  # the kept tokens, and room for a chunk

    def __init__(
        self,
        state: Float32,
        tokens: Ids,
        sampling: SamplingConfig,
        *,
        key: tuple[int, int] = (0, 0),
        stops: Sequence[Ids] = (),
        remember: int = PENALTY_TOKENS,
    ) -> None:
        """tokens: the text so far, at least one token. state: after all of them but the last. key:
        the seed, and the stream's number among those of this seed. stops: token sequences that
        end the text. remember: how many of the newest tokens to keep at least.
        """
        super().__init__(seed=key[0], number=key[1] & (2**64 - 1))
        self.sampling = sampling
        self._knobs = SamplingFields(
            **{name: getattr(sampling, name) or 0 for name in knobs_of(SamplingConfig)}
        )
        self.sampling_data = ctypes.addressof(self._knobs)
        self.stops = [np.asarray(stop, np.int32) for stop in stops]
        self._keep = max(PENALTY_TOKENS, remember, *(len(stop) for stop in stops), 0)
        self.state = np.array(state, dtype=np.float32)
        self.tokens = np.zeros(self._keep + CHUNK, dtype=np.int32)
        self._stops = np.array([n for stop in self.stops for n in (len(stop), *stop)], np.int32)
        self.num_stops = len(stops)
        self.state_data, self.tokens_data, self.stops_data = (
            array.ctypes.data for array in (self.state, self.tokens, self._stops)
        )
        kept = np.asarray(tokens)[-self._keep :]
        self.tokens[: len(kept)] = kept
        self.begin = self.end = self.limit = self._taken = len(kept)

    @property
    def last(self) -> int:
        return int(self.tokens[self.end - 1])

    def newest(self, count: int) -> Ids:
        return self.tokens[max(0, self.end - count) : self.end]

    def allow(self, count: int) -> None:
        """Allow the next `write` to append up to `count` tokens, at most `CHUNK`."""
        if not 0 <= count <= CHUNK:
            raise ValueError(f"from 0 to {CHUNK} tokens can be allowed at once; found {count}")
        self.limit = self.end + count

    def append(self, token: int) -> None:
        self.tokens[self.end] = token
        self.end += 1
        self.position += 1

    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.state.copy(), self.end, self.position)

    def rewind(self, checkpoint: Checkpoint) -> None:
        self.state[:] = checkpoint.state
        self.end, self.position = checkpoint.end, checkpoint.position

    def is_due(self) -> bool:
        """Return whether the stream is at its limit or ends in one of its stops."""
        written = self.tokens[self.begin : self.end]
        return self.end >= self.limit or any(
            len(stop) <= len(written) and np.array_equal(written[-len(stop) :], stop)
            for stop in self.stops
        )

    def take(self) -> Ids:
        """Return the tokens written since the last call, and make room for `CHUNK` more."""
        new = self.tokens[self._taken : self.end].copy()
        passed = max(0, self.end - self._keep)
        kept = self.end - passed
        self.tokens[:kept] = self.tokens[passed : self.end].copy()
        self.begin = max(0, self.begin - passed)
        self.end = self.limit = self._taken = kept
        return new
