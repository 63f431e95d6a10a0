"""Measure the speed of the native learner, phase by phase, and against the machine's peak."""

import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from burble.capacity import operations
from burble.config import RunConfig
from burble.data.batch import random_batch
from burble.native.structures import Update
from burble.training.learners.native.contract import LearningNetwork
from burble.training.learners.native.learner import NativeLearner
from burble.training.learners.native.network import NativeNetwork

PHASES = ("input", "forward", "head", "backward", "weights", "below", "embedding", "update")
"""The phases of a step, in the order of `phase` in kernel/network.h."""

_WARM_UP = 3
# Steps timed for a plan. There are few, because the user waits.
_QUICK = 3
_PROBE_TIMES = 4000
# Vector multiply-adds in each of those: PROBE in kernel/kernel.h.
_PROBE = 1024


@dataclass(frozen=True)
class LearningSpeed:
    """The speed of a training step, and the peak of its threads."""

    network: str
    """Layers × units."""

    batch: str
    """Rows × characters."""

    threads: int
    step_ms: float
    phases_ms: dict[str, float]
    gflops: float
    """Billions of floating-point operations a second, as `operations` counts them. A one-hot input
    counts as a matrix product, though the learner only picks a column."""

    peak_gflops: float
    """The speed of nothing but multiply-adds in registers."""

    @property
    def share(self) -> float:
        """The share of the peak that the step reaches."""
        return self.gflops / self.peak_gflops


def measure_learning(
    learner: NativeLearner, config: RunConfig, vocab_size: int, threads: int, repeats: int = 15
) -> LearningSpeed:
    """Time training steps on random text, alternating with probes of the peak. Return medians.

    Raises `TypeError` if the learner does not compute in C.
    """
    network_in_c = learner.network
    if not isinstance(network_in_c, NativeNetwork):
        raise TypeError
    batch = random_batch(config.data, vocab_size)
    steps, phases, peaks = [], [], []
    for turn in range(_WARM_UP + repeats):
        before = network_in_c.phase_seconds()
        started = time.perf_counter()
        learner.step(batch, 0.0, 1.0, threads=threads)
        seconds = time.perf_counter() - started
        if turn >= _WARM_UP:
            steps.append(seconds)
            phases.append(network_in_c.phase_seconds() - before)
            peaks.append(peak(network_in_c, threads))
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
    """Return the operations a second of this many threads that only make multiply-adds."""
    started = time.perf_counter()
    width = network.probe(_PROBE_TIMES, threads)
    seconds = time.perf_counter() - started
    return 2 * _PROBE_TIMES * _PROBE * width * threads / seconds


def step_rate(network: LearningNetwork[Any], config: RunConfig, threads: int) -> float:
    """Return the floating-point operations a second of steps on random text, at learning rate 0."""
    vocab_size = network.shapes["head.bias"][0]
    batch = random_batch(config.data, vocab_size)
    space = network.space((config.data.seq_len, config.data.batch_size), learns=True)
    still = Update(correction1=1.0, correction2=1.0, epsilon=1.0)
    seconds = []
    for _ in range(1 + _QUICK):
        started = time.perf_counter()
        network.step(space, batch, still, threads)
        seconds.append(time.perf_counter() - started)
    work = operations(config.network, vocab_size) * batch.num_targets
    return work / statistics.median(seconds[1:])
