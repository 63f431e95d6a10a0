"""The native learner on this machine: what a run asks of it before there is a learner."""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from burble.capacity import operations
from burble.data.batch import Batch
from burble.native.library import library
from burble.threads import usable_processors
from burble.training.learners.native.learner import NativeLearner
from burble.training.learners.native.network import NativeNetwork
from burble.training.team import Team

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Iterator

    from burble.config import RunConfig
    from burble.training.learner import Learner


class NativeBackend:
    """burble's own step, in one process."""

    def __init__(self, opened: ctypes.CDLL) -> None:
        self.team = Team()
        self._library = opened
        self._kernel: str = opened.burble_learner_kernel(0).decode()

    def resolve_device(self, config: RunConfig) -> RunConfig:
        return config.with_options({"device": "cpu"})

    def measure(self, config: RunConfig, vocab_size: int) -> tuple[RunConfig, float]:
        settled = config.with_options({"precision": "float32"})
        size = config.with_options({"hidden_size": 256})
        learner = self.build(size, vocab_size, config.data.batch_size)
        batch = _random_batch(size, vocab_size)
        seconds = [_step_seconds(learner, batch) for _ in range(8)]
        work = operations(size.network, vocab_size) * batch.num_targets
        return settled, work / statistics.median(seconds[2:])

    def build(self, config: RunConfig, vocab_size: int, rows: int) -> Learner:
        threads = config.training.threads or usable_processors()
        network = NativeNetwork(self._library, self._kernel, config.network, vocab_size, threads)
        return NativeLearner(config, network, rows, threads)


@contextmanager
def open_native() -> Iterator[NativeBackend]:
    opened = library()
    assert opened is not None
    yield NativeBackend(opened)


def _random_batch(config: RunConfig, vocab_size: int) -> Batch:
    length, rows = config.data.seq_len, config.data.batch_size
    ids = np.random.default_rng(0).integers(vocab_size, size=(length + 1, rows))
    every = np.ones((length, rows), dtype=np.bool_)
    return Batch(ids[:-1], ids[1:], mask=every, reset=every[0])


def _step_seconds(learner: Learner, batch: Batch) -> float:
    started = time.perf_counter()
    learner.step(batch, 0.0, 1.0)
    return time.perf_counter() - started
