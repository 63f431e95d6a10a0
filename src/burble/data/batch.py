"""`Batch`: what every way of batching yields and the training loop reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from burble.config import DataConfig
from burble.tokenizers.base import Ids

Int64 = np.ndarray[tuple[int, int], np.dtype[np.int64]]
Bool = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


@dataclass(frozen=True)
class Batch:
    """The text of one step, time first. All batches of a run have the same shape."""

    inputs: Int64  # (time, rows) ids
    targets: Int64  # (time, rows) the id that follows each input
    mask: Bool  # (time, rows) True where the target counts
    reset: Bool  # (rows,) True where the row starts from a fresh state

    @property
    def num_targets(self) -> int:
        return int(self.mask.sum())

    def part(self, rows: slice) -> Batch:
        return Batch(
            self.inputs[:, rows], self.targets[:, rows], self.mask[:, rows], self.reset[rows]
        )


def random_batch(config: DataConfig, vocab_size: int) -> Batch:
    """Return a batch of random ids in the configured shape, for timing. All positions count."""
    length, rows = config.seq_len, config.batch_size
    ids = np.random.default_rng(0).integers(vocab_size, size=(length + 1, rows))
    every = np.ones((length, rows), dtype=np.bool_)
    return Batch(ids[:-1], ids[1:], mask=every, reset=every[0])


class Batching(Protocol):
    """A way to cut a text into batches. The same step always gives the same batch."""

    steps_per_epoch: int
    rows: int  # rows in each training batch
    targets: int  # the most targets in a training batch
    note: str  # what the user should know about how this text is cut; may be empty

    def batch(self, step: int) -> Batch:
        """Return the training batch of a step. Steps count from 0 and over all epochs."""

    def validation(self) -> Iterator[Batch]:
        """Yield the held-out text once. Yield nothing if no text is held out."""


def gather(
    ids: Ids, starts: Int64 | np.ndarray[tuple[int], np.dtype[np.int64]], time: int
) -> Int64:
    """Return `time` ids from each start, (time, rows). Wrap around at the end of the text."""
    places = np.arange(time)[:, None] + starts[None, :]
    # `take` needs half the time of `%` and an index. A plain array is faster than a memory map.
    tokens: Int64 = np.asarray(ids).take(places, mode="wrap").astype(np.int64)
    return tokens
