"""How fast the native learner is here, phase by phase, and how near that is to what the machine can
do.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burble.capacity import operations
from burble.data.batch import Batch

if TYPE_CHECKING:
    from burble.config import RunConfig
    from burble.training.learners.native.learner import NativeLearner
    from burble.training.learners.native.network import NativeNetwork

PHASES = ("input", "forward", "head", "backward", "weights", "below", "embedding", "update")
"""What a step spends its time on, in the order of `phase` in kernel/network.h."""

_WARM_UP = 3
_PROBE_TIMES = 4000
# Multiply-adds of whole vectors in one of those times: PROBE in kernel/kernel.h.
_PROBE = 1024


@dataclass(frozen=True)
class LearningSpeed:
    """One step of a network, and the most that its threads can do."""

    network: str
    """Layers × units."""

    batch: str
    """Rows × characters."""

    threads: int
    step_ms: float
    phases_ms: dict[str, float]
    gflops: float
    """Billions of floating-point operations in a second, counted as `operations` does: a one-hot
    vector counts as the product that it stands for, though the learner only picks a column."""

    peak_gflops: float
    """If multiply-adds in registers were all there is to do."""

    @property
    def share(self) -> float:
        """How much of the peak the step reaches."""
        return self.gflops / self.peak_gflops


def measure_learning(
    learner: NativeLearner, config: RunConfig, vocab_size: int, threads: int, repeats: int = 15
) -> LearningSpeed:
    """Time steps on random text between probes of the machine; medians."""
    batch = random_batch(config, vocab_size)
    steps, phases, peaks = [], [], []
    for turn in range(_WARM_UP + repeats):
        before = learner.network.phase_seconds()
        started = time.perf_counter()
        learner.step(batch, 0.0, 1.0, threads=threads)
        seconds = time.perf_counter() - started
        if turn >= _WARM_UP:
            steps.append(seconds)
            phases.append(learner.network.phase_seconds() - before)
            peaks.append(peak(learner.network, threads))
    network, data = config.network, config.data
    step = statistics.median(steps)
    return LearningSpeed(
        network=f"{network.num_layers}×{network.hidden_size}",
        batch=f"{data.batch_size}×{data.seq_len}",
        threads=threads,
        step_ms=1000 * step,
        phases_ms=dict(zip(PHASES, (1000 * np.median(phases, axis=0)).tolist(), strict=True)),
        gflops=operations(network, vocab_size) * batch.num_targets / step / 1e9,
        peak_gflops=statistics.median(peaks) / 1e9,
    )


def peak(network: NativeNetwork, threads: int) -> float:
    """Return the operations that so many threads make in a second of multiply-adds alone."""
    started = time.perf_counter()
    width = network.probe(_PROBE_TIMES, threads)
    seconds = time.perf_counter() - started
    return 2 * _PROBE_TIMES * _PROBE * width * threads / seconds


def random_batch(config: RunConfig, vocab_size: int) -> Batch:
    """Return a batch of the configuration's shape, every position a target."""
    length, rows = config.data.seq_len, config.data.batch_size
    ids = np.random.default_rng(0).integers(vocab_size, size=(length + 1, rows))
    every = np.ones((length, rows), dtype=np.bool_)
    return Batch(ids[:-1], ids[1:], mask=every, reset=every[0])
