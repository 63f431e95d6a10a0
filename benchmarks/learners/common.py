"""What all learners share: the task, the split, the clock, and the ways to measure."""

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

# Of each text the first 90 % are learned from. The first half of the last tenth chooses the best
# state; nothing at all is chosen on the second half.
VAL_FRACTION = TEST_FRACTION = 0.05

# A learner of torch is looked at this often, with the clock stopped, and its best state is kept.
LOOK_SECONDS = 10.0

# Updates that are timed with each number of threads, after as many to warm up.
PROBE_UPDATES = 8

Ids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Task:
    """What is to be learned, and how long that may take."""

    path: str
    lowercase: bool
    seconds: float
    seed: int


@dataclass(frozen=True)
class Learned:
    """What became of it, in bits per character."""

    bits: float
    """One pass over the last tenth, each character once, with as much before it as the learner can
    use. Its first half chose the state that is measured."""

    sealed_bits: float
    """As `bits`, over the last twentieth, on which nothing was chosen."""

    windows_bits: float | None
    """Random windows of `window` characters of the last tenth, from nothing, every one a target."""

    window: int | None
    seconds: float
    """That it learned."""

    updates: int
    targets: int
    """Characters that it was asked for while it learned, repeats included."""

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
        """The held-out and the sealed part in one: the last tenth."""
        return np.concatenate([self.held_out, self.sealed])

    @property
    def vocab_size(self) -> int:
        """How many different characters there are."""
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
    """How learning went."""

    seconds: float
    updates: int
    best: dict[str, Tensor]
    """Weights at the best look."""


def learn(network: nn.Module, seconds: float, update: Update, look: Callable[[], float]) -> Course:
    """Update until the time is over; `update` is given how much of it is, from 0 to 1.

    The clock starts after the first update, which builds what the others need, and stops for looks.
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
    """Use as many threads, up to `THREADS`, as make an update quickest; return how many.

    make: a learner like the one to be timed, to be thrown away, as a way to update it.
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
    """Say how many."""
    return "1 thread" if count == 1 else f"{count} threads"


def num_parameters(network: nn.Module) -> int:
    """Count the weights."""
    return sum(parameter.numel() for parameter in network.parameters())


# --- The two protocols, for networks that carry a state ------------------------------------------


def one_pass(ids: Ids) -> Iterator[Batch]:
    """All of it, the state carried from batch to batch."""
    return scan(ids)


def glance(ids: Ids) -> Iterator[Batch]:
    """All of it in lanes, each warmed on what stands before it: nearly the same, and quicker."""
    return scan(ids, VALIDATION_STREAMS, VALIDATION_WARMUP)


def fresh_windows(ids: Ids) -> Iterator[Batch]:
    """The random windows of `burble eval --protocol windows`, each from a fresh state."""
    return random_windows(ids, NUM_WINDOWS, WINDOW, WINDOWS_SEED)


def recurrent_bits(network: nn.Module, batches: Iterable[Batch]) -> float:
    """Bits per target of a network of (ids (time, rows), state or None) → (logits, state)."""
    import torch
    from torch.nn import functional

    nats, count, state = 0.0, 0, None
    network.eval()
    with torch.no_grad():
        for batch in batches:
            # The batches of a pass are all fresh at its beginning, those of windows always.
            state = None if batch.reset.all() else state
            logits, state = network(torch.from_numpy(batch.inputs), state)
            mask = torch.from_numpy(batch.mask)
            targets = torch.from_numpy(batch.targets)
            loss = functional.cross_entropy(logits[mask], targets[mask], reduction="sum")
            nats, count = nats + loss.item(), count + int(mask.sum())
    network.train()
    return nats / math.log(2) / count
