"""`Batch`, the one thing that every way of batching makes and the training loop reads."""

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
    """One step's worth of text, time first; shapes stay the same from step to step."""

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
    """Return a batch of the configuration's shape, every position a target, to time steps with."""
    length, rows = config.seq_len, config.batch_size
    ids = np.random.default_rng(0).integers(vocab_size, size=(length + 1, rows))
    every = np.ones((length, rows), dtype=np.bool_)
    return Batch(ids[:-1], ids[1:], mask=every, reset=every[0])


class Batching(Protocol):
    """A way to cut a text into batches. Pure: the same step always gives the same batch."""

    steps_per_epoch: int
    rows: int  # rows in each training batch
    targets: int  # in each training batch, at most
    note: str  # how it cuts this text, where a person should know; else empty

    def batch(self, step: int) -> Batch:
        """The training batch of this step, counted from 0 over all epochs."""

    def validation(self) -> Iterator[Batch]:
        """The held-out text, once; empty where there is none."""


def gather(
    ids: Ids, starts: Int64 | np.ndarray[tuple[int], np.dtype[np.int64]], time: int
) -> Int64:
    """`time` ids from each start on, (time, rows); past the end it goes on from the beginning."""
    places = np.arange(time)[:, None] + starts[None, :]
    # Half as long as a remainder and an index; and what maps a file is slower than an array.
    tokens: Int64 = np.asarray(ids).take(places, mode="wrap").astype(np.int64)
    return tokens
