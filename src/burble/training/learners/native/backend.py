"""`NativeBackend`: measure this machine and build the native learner."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from burble.config import RunConfig
from burble.native.library import library
from burble.threads import usable_processors
from burble.training.learner import Throughput
from burble.training.learners.native.contract import LearningNetwork
from burble.training.learners.native.kernels import choose_kernel
from burble.training.learners.native.learner import NativeLearner
from burble.training.learners.native.network import NativeNetwork
from burble.training.learners.native.numpy_network import NumpyNetwork
from burble.training.learners.native.speed import step_rate
from burble.training.team import Team

# A plan chooses among these sizes and those between them. A slow machine skips the larger ones.
_SIZES = (128, 256, 512)
_MEASURING_SECONDS = 0.1
# Steps of more characters would not be quicker for each, and a plan must not wait for them.
_MOST_ROWS, _MOST_CHARACTERS = 32, 1024

# Seconds to read, plan, validate and finish.
_OVERHEAD = 1.5


class NativeBackend:
    """Compute in one process: in C, or in NumPy if the C library is missing."""

    def __init__(self) -> None:
        self.team = Team()

    def measure(self, config: RunConfig, vocab_size: int) -> tuple[RunConfig, Throughput]:
        rates: dict[int, float] = {}
        started = time.monotonic()
        for size in _SIZES:
            sized = config.with_options({"hidden_size": size, **_short_batch(config)})
            network = _make_network(sized, vocab_size)
            rates[size] = step_rate(network, sized, _num_threads(sized))
            if time.monotonic() - started > _MEASURING_SECONDS:
                break
        return config.with_options({"precision": "float32"}), Throughput(rates, _OVERHEAD)

    def build(self, config: RunConfig, vocab_size: int, rows: int) -> NativeLearner:
        network = _make_network(config, vocab_size)
        return NativeLearner(config, network, rows, _num_threads(config))


def _short_batch(config: RunConfig) -> dict[str, int]:
    rows = min(config.data.batch_size, _MOST_ROWS)
    return {"batch_size": rows, "seq_len": min(config.data.seq_len, _MOST_CHARACTERS // rows)}


def _num_threads(config: RunConfig) -> int:
    """Return the threads of a run. More than there are processors would wait for each other."""
    most = usable_processors()
    return min(config.training.threads or most, most)


def _make_network(config: RunConfig, vocab_size: int) -> LearningNetwork[Any]:
    opened = library()
    if opened is None:
        return NumpyNetwork(config.network, vocab_size)
    kernel = choose_kernel(opened)
    return NativeNetwork(opened, kernel, config.network, vocab_size, _num_threads(config))


@contextmanager
def open_backend(device: str) -> Iterator[NativeBackend]:
    """Yield the native backend. The device is always the processor."""
    del device
    yield NativeBackend()
