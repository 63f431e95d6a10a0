"""How fast the native learner is here, phase by phase, and how near that is to what the machine can
do.
"""

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
"""What a step spends its time on, in the order of `phase` in kernel/network.h."""

_WARM_UP = 3
# Steps for a plan, which people wait for.
_QUICK = 3
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
    """Time steps on random text between probes of the machine; medians.

    Raises `TypeError` for a learner that does not compute in C.
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
    """Return the operations that so many threads make in a second of multiply-adds alone."""
    started = time.perf_counter()
    width = network.probe(_PROBE_TIMES, threads)
    seconds = time.perf_counter() - started
    return 2 * _PROBE_TIMES * _PROBE * width * threads / seconds


def step_rate(network: LearningNetwork[Any], config: RunConfig, threads: int) -> float:
    """Return the floating-point operations a second in steps on random text, weights all zero."""
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
