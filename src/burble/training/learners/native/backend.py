"""The native learner on this machine: what a run asks of it before there is a learner."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from burble.native.library import library
from burble.threads import usable_processors
from burble.training.learners.native.kernels import choose_kernel
from burble.training.learners.native.learner import NativeLearner
from burble.training.learners.native.network import NativeNetwork
from burble.training.learners.native.speed import measure_learning
from burble.training.team import Team

if TYPE_CHECKING:
    import ctypes
    from collections.abc import Iterator

    from burble.config import RunConfig


class NativeBackend:
    """burble's own step, in one process."""

    def __init__(self, opened: ctypes.CDLL) -> None:
        self.team = Team()
        self._library = opened
        self._kernel = choose_kernel(opened)

    def measure(self, config: RunConfig, vocab_size: int) -> tuple[RunConfig, float]:
        threads = config.training.threads or usable_processors()
        size = config.with_options({"hidden_size": 256})
        learner = self.build(size, vocab_size, config.data.batch_size)
        speed = measure_learning(learner, size, vocab_size, threads, repeats=5)
        return config.with_options({"precision": "float32"}), 1e9 * speed.gflops

    def build(self, config: RunConfig, vocab_size: int, rows: int) -> NativeLearner:
        threads = config.training.threads or usable_processors()
        network = NativeNetwork(self._library, self._kernel, config.network, vocab_size, threads)
        return NativeLearner(config, network, rows, threads)


@contextmanager
def open_backend(device: str) -> Iterator[NativeBackend]:
    del device  # the processor: nothing else comes here
    opened = library()
    if opened is None:
        raise RuntimeError
    yield NativeBackend(opened)
