"""The task, the split, the clock and the measures that all learners share."""

from __future__ import annotations

import copy
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.config import NormalizationConfig, RunConfig
from burble.data.prepare import prepare_to_learn
from burble.data.scan import VALIDATION_STREAMS, VALIDATION_WARMUP, random_windows, scan
from burble.evaluation.evaluate import NUM_WINDOWS, WINDOW, WINDOWS_SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor, nn

    from burble.data.batch import Batch
    from burble.tokenizers.base import Tokenizer

    Update = Callable[[float], None]

THREADS = 2

# The first 90 % of a text are learned from. The first half of the rest chooses the best state; the
# second half chooses nothing.
VAL_FRACTION = TEST_FRACTION = 0.05

# A torch learner is validated this often, with the clock stopped, and its best state is kept.
LOOK_SECONDS = 10.0

# Updates to time with each number of threads, after as many to warm up.
PROBE_UPDATES = 8

Ids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Task:
    """A text to learn, and the time for it."""

    path: str
    lowercase: bool
    seconds: float
    seed: int


@dataclass(frozen=True)
class Learned:
    """The result of learning, in bits per character."""

    bits: float
    """In one pass over the last tenth: each character once, after as much text as the learner can
    use. The first half of it chose the state that is measured."""

    sealed_bits: float
    """As `bits`, over the last twentieth, which chose nothing."""

    windows_bits: float | None
    """In random windows of `window` characters of the last tenth, each from a fresh state, every
    character a target."""

    window: int | None
    seconds: float
    """Seconds of learning."""

    updates: int
    targets: int
    """Characters that it learned to predict, repeats included."""

    parameters: int
    detail: str


@dataclass(frozen=True)
class Text:
    """Ids of the parts of a text."""

    train: Ids
    held_out: Ids
    sealed: Ids
    tokenizer: Tokenizer

    @property
    def tail(self) -> Ids:
        """The held-out and the sealed part together: the last tenth."""
        return np.concatenate([self.held_out, self.sealed])

    @property
    def vocab_size(self) -> int:
        """The number of distinct characters."""
        return self.tokenizer.vocab_size


def read_text(task: Task) -> Text:
    """Split the text as `burble train --val-fraction 0.05 --test-fraction 0.05` does."""
    options = {"val_fraction": VAL_FRACTION, "test_fraction": TEST_FRACTION}
    config = RunConfig(
        sources=(task.path,), normalization=NormalizationConfig(lowercase=task.lowercase)
    )
    with tempfile.TemporaryDirectory(prefix="burble-") as scratch:
        text = prepare_to_learn(config.with_options(options), Path(scratch), lambda _: None)
        parts = [part.astype(np.int64) for part in (text.train_ids, text.val_ids, text.test_ids)]
        return Text(*parts, text.tokenizer)


@dataclass(frozen=True)
class Course:
    """The course of learning."""

    seconds: float
    updates: int
    best: dict[str, Tensor]
    """The weights at the best validation."""


def learn(network: nn.Module, seconds: float, update: Update, look: Callable[[], float]) -> Course:
    """Update a network until the time is over, and keep its best weights.

    update: makes one update, given the elapsed share of the time, from 0 to 1. look: returns the
    bits on the held-out part. The clock starts after the first update, which also compiles and
    allocates, and stops during each look.
    """
    update(0.0)
    updates, spent, next_look = 1, 0.0, LOOK_SECONDS
    lowest, best = math.inf, network.state_dict()
    while spent < seconds:
        started = time.perf_counter()
        update(spent / seconds)
        spent += time.perf_counter() - started
        updates += 1
        if spent >= min(next_look, seconds):
            next_look = spent + LOOK_SECONDS
            bits = look()
            if bits < lowest:
                lowest, best = bits, copy.deepcopy(network.state_dict())
    return Course(spent, updates, best)


def settle_threads_of_torch(make: Callable[[], Update]) -> int:
    """Set torch to the number of threads, up to `THREADS`, with the fastest update; return it.

    make: builds a learner to time and throw away, and returns its update function.
    """
    import torch

    seconds = {}
    for threads in range(1, THREADS + 1):
        torch.set_num_threads(threads)
        update = make()
        for _ in range(PROBE_UPDATES):
            update(0.0)
        started = time.perf_counter()
        for _ in range(PROBE_UPDATES):
            update(0.0)
        seconds[threads] = time.perf_counter() - started
    best = min(seconds, key=seconds.__getitem__)
    torch.set_num_threads(best)
    return best


def in_threads(count: int) -> str:
    """Return "1 thread" or "N threads"."""
    return "1 thread" if count == 1 else f"{count} threads"


def num_parameters(network: nn.Module) -> int:
    """Count the weights."""
    return sum(parameter.numel() for parameter in network.parameters())


# --- The two protocols, for networks that carry a state ------------------------------------------


def one_pass(ids: Ids) -> Iterator[Batch]:
    """Return batches of the whole text, with the state carried from batch to batch."""
    return scan(ids)


def glance(ids: Ids) -> Iterator[Batch]:
    """Return batches of the whole text in parallel streams, each warmed up on the text before it.

    The figure is nearly that of `one_pass`, and it is much faster.
    """
    return scan(ids, VALIDATION_STREAMS, VALIDATION_WARMUP)


def fresh_windows(ids: Ids) -> Iterator[Batch]:
    """Return the random windows of `burble eval --protocol windows`, each from a fresh state."""
    return random_windows(ids, NUM_WINDOWS, WINDOW, WINDOWS_SEED)


def recurrent_bits(network: nn.Module, batches: Iterable[Batch]) -> float:
    """Return the bits per target of a recurrent network.

    network: maps ids, (time, rows), and a state or None to logits and the new state.
    """
    import torch
    from torch.nn import functional

    nats, count, state = 0.0, 0, None
    network.eval()
    with torch.no_grad():
        for batch in batches:
            # A pass starts fresh once; windows start fresh every time.
            state = None if batch.reset.all() else state
            logits, state = network(torch.from_numpy(batch.inputs), state)
            mask = torch.from_numpy(batch.mask)
            targets = torch.from_numpy(batch.targets)
            loss = functional.cross_entropy(logits[mask], targets[mask], reduction="sum")
            nats, count = nats + loss.item(), count + int(mask.sum())
    network.train()
    return nats / math.log(2) / count
