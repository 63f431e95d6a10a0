"""Time steps of learning, alone and beside a busy process, for `benchmarks/training.py`."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burble.capacity import operations
from burble.config import DataConfig, NetworkConfig, RunConfig, TrainingConfig
from burble.data.batch import random_batch
from burble.training.learners.choice import Choice
from burble.training.learners.native.backend import NativeBackend
from burble.training.learners.native.speed import peak
from burble.training.learners.registry import open_backend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from burble.data.batch import Batch
    from burble.training.learners.native.learner import NativeLearner

    Step = Callable[[], object]

SEQ_LEN = 32
RATE = 1e-3
CLIP = 1.0
WARM_UP = 3
# Bounds on the steps of a turn, however long they take.
LEAST, MOST = 3, 30


@dataclass(frozen=True)
class Case:
    """A network and its batches."""

    num_layers: int
    hidden_size: int
    rows: int
    vocab_size: int = 65

    @classmethod
    def read(cls, text: str) -> Case:
        """Parse "layers x units : rows", with an optional ": vocabulary"."""
        network, *rest = text.split(":")
        layers, hidden = network.split("x")
        return cls(int(layers), int(hidden), *map(int, rest))

    @property
    def config(self) -> RunConfig:
        """A run without dropout, which the plain loop draws differently."""
        return RunConfig(
            network=NetworkConfig(num_layers=self.num_layers, hidden_size=self.hidden_size),
            data=DataConfig(batch_size=self.rows, seq_len=SEQ_LEN),
            training=TrainingConfig(dropout=0.0, input_dropout=0.0, grad_clip=CLIP),
        )

    @property
    def batch(self) -> Batch:
        """A batch of random text."""
        return random_batch(self.config.data, self.vocab_size)

    @property
    def operations(self) -> int:
        """The floating-point operations of one step."""
        return operations(self.config.network, self.vocab_size) * self.rows * SEQ_LEN


def native_learner(case: Case, threads: int) -> NativeLearner:
    """Return burble's own learner, with up to this many threads."""
    config = case.config.with_options({"threads": threads})
    return NativeBackend().build(config, case.vocab_size, case.rows)


def torch_step(case: Case, threads: int) -> Step:
    """Return a function that runs a step of burble's learner on torch."""
    choice = Choice("torch", "cpu")
    options = {"threads": threads, "precision": "float32", **choice.options()}
    config = case.config.with_options(options)
    with open_backend(choice) as backend:
        learner = backend.build(config, case.vocab_size, case.rows)
    batch = case.batch
    return lambda: learner.step(batch, RATE, 1.0)


def plain_step(case: Case, threads: int) -> Step:
    """Return a function that runs a plain step in torch: embedding, `nn.LSTM`, head, AdamW."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(threads)
    config, batch = case.config, case.batch
    width = config.network.embedding_size
    embedding = nn.Embedding(case.vocab_size, width)
    lstm = nn.LSTM(width, case.hidden_size, case.num_layers)
    head = nn.Linear(case.hidden_size, case.vocab_size)
    weights = [weight for part in (embedding, lstm, head) for weight in part.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=RATE, betas=(0.9, 0.99), fused=True)
    inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets).flatten()
    state: Any = None

    def step() -> float:
        nonlocal state
        hidden, after = lstm(embedding(inputs), state)
        state = tuple(part.detach() for part in after)
        loss = functional.cross_entropy(head(hidden).flatten(0, 1), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights, CLIP)
        optimizer.step()
        return loss.item()

    return step


OTHERS: dict[str, Callable[[Case, int], Step]] = {"torch": torch_step, "plain": plain_step}


@dataclass(frozen=True)
class Result:
    """A case with a number of threads: medians of the turns, in milliseconds a step."""

    network: str
    rows: int
    vocab_size: int
    threads: int
    native_ms: float
    others_ms: dict[str, float]
    """Of each of `OTHERS` that can run here."""

    times_faster: float | None
    """Compared with the faster of the others."""

    gflops: float
    peak_gflops: float
    """Of multiply-adds in registers alone; measured after each turn."""

    share: float
    """The share of that peak."""


def measure(case: Case, threads: int, rounds: int, turn: float, others: list[str]) -> Result:
    """Time all learners in turns of `turn` seconds, so that they see the same conditions."""
    learner, batch = native_learner(case, threads), case.batch
    steps: dict[str, Step] = {"native": lambda: learner.step(batch, RATE, 1.0, threads=threads)}
    steps |= {name: OTHERS[name](case, threads) for name in others}
    counts = {name: _count(step, turn) for name, step in steps.items()}
    taken: dict[str, list[float]] = {name: [] for name in steps}
    peaks = []
    for _ in range(rounds):
        for name, step in steps.items():
            step()  # fill the caches again
            taken[name].append(_seconds(step, counts[name]))
        peaks.append(peak(learner.network, threads))
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    native = medians.pop("native")
    rate, most = case.operations / native, statistics.median(peaks)
    return Result(
        network=f"{case.num_layers}×{case.hidden_size}",
        rows=case.rows,
        vocab_size=case.vocab_size,
        threads=threads,
        native_ms=1e3 * native,
        others_ms={name: 1e3 * seconds for name, seconds in medians.items()},
        times_faster=min(medians.values()) / native if medians else None,
        gflops=rate / 1e9,
        peak_gflops=most / 1e9,
        share=rate / most,
    )


def _count(step: Step, turn: float) -> int:
    """Return how many steps fit into a turn."""
    seconds = min(_seconds(step, 1) for _ in range(WARM_UP))
    return min(max(LEAST, round(turn / seconds)), MOST)


def _seconds(step: Step, count: int) -> float:
    """Return the mean seconds of a step."""
    started = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - started) / count


# --- Beside a busy process -----------------------------------------------------------------------


@dataclass(frozen=True)
class Beside:
    """Times of a step alone and beside a process that keeps one processor busy."""

    threads: int | None
    """None if the learner chooses."""

    alone_ms: float
    beside_ms: float
    ratio: float


def measure_beside(case: Case, threads: int | None, most: int, rounds: int, turn: float) -> Beside:
    """Time steps in turns of `turn` seconds, alone and beside a competitor.

    Returns the medians of the turns' means. A learner starts each turn with the number of threads
    that it had, and the numbers that it tries count. One turn before the first does not count.
    """
    learner, batch = native_learner(case, most), case.batch

    def step() -> object:
        return learner.step(batch, RATE, 1.0, threads=threads)

    _mean_seconds(step, turn)
    alone, beside = [], []
    for _ in range(rounds):
        alone.append(_mean_seconds(step, turn))
        with competitor():
            beside.append(_mean_seconds(step, turn))
    ratio = statistics.median(beside) / statistics.median(alone)
    return Beside(threads, 1e3 * statistics.median(alone), 1e3 * statistics.median(beside), ratio)


def _mean_seconds(step: Step, turn: float) -> float:
    started, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - started) < turn or not count:
        step()
        count += 1
    return spent / count


@contextlib.contextmanager
def competitor() -> Iterator[None]:
    """Keep the last of this process's processors busy inside the block, or any of them if the
    system cannot pin a process.
    """
    program = "print(flush=True)\nwhile True: pass"
    if hasattr(os, "sched_setaffinity"):
        last = max(os.sched_getaffinity(0))
        program = f"import os\nos.sched_setaffinity(0, {{{last}}})\n{program}"
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.kill()
