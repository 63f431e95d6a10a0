"""What all learners share: the task, the split, the clock, and the two ways to measure."""

from __future__ import annotations

import copy
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.config import RunConfig, TextConfig
from burble.data.prepare import prepare_to_learn
from burble.data.scan import VALIDATION_LANES, VALIDATION_WARMUP, random_windows, scan
from burble.evaluation.evaluate import NUM_WINDOWS, WINDOW, WINDOWS_SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor, nn

    from burble.data.batch import Batch

THREADS = 2

# A learner of torch is looked at this often, with the clock stopped, and its best state is kept.
LOOK_SECONDS = 20.0

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
    """What became of it, in bits per character of the held-out tenth."""

    bits: float
    """One pass over it: each character once, with as much before it as the learner can use."""

    windows_bits: float | None
    """Random windows of `window` characters, from nothing, every character a target."""

    window: int | None
    last_bits: float
    """As `bits`, of the weights at the very end; `bits` is of the best that was kept."""

    seconds: float
    """That it learned."""

    updates: int
    targets: int
    """Characters that it was asked for while it learned, repeats included."""

    parameters: int
    detail: str


@dataclass(frozen=True)
class Text:
    """Ids of the two parts."""

    train: Ids
    held_out: Ids
    vocab_size: int


def read_text(task: Task) -> Text:
    """The text, split as `burble train` splits it."""
    with tempfile.TemporaryDirectory(prefix="burble-") as scratch:
        config = RunConfig(sources=(task.path,), text=TextConfig(lowercase=task.lowercase))
        text = prepare_to_learn(config, Path(scratch), lambda _: None)
        train, held_out = text.train_ids.astype(np.int64), text.val_ids.astype(np.int64)
        return Text(train, held_out, text.tokenizer.vocab_size)


@dataclass(frozen=True)
class Course:
    """How learning went."""

    seconds: float
    updates: int
    best: dict[str, Tensor]
    """Weights at the best look."""


def learn(
    network: nn.Module,
    seconds: float,
    update: Callable[[float], None],
    look: Callable[[], float],
) -> Course:
    """Update until the time is over; `update` is told how much of it is, from 0 to 1.

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


def torch_windows(ids: Ids, rows: int, time: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """Random windows and what follows each of their characters, both (rows, time)."""
    import torch

    starts = rng.integers(len(ids) - time, size=(rows, 1))
    tokens = torch.from_numpy(ids[starts + np.arange(time + 1)])
    return tokens[:, :-1], tokens[:, 1:]


# --- The two protocols, for networks that carry a state ------------------------------------------


def one_pass(ids: Ids) -> Iterator[Batch]:
    """All of it, the state carried from batch to batch."""
    return scan(ids)


def glance(ids: Ids) -> Iterator[Batch]:
    """All of it in lanes, each warmed on what stands before it: nearly the same, and quicker."""
    return scan(ids, VALIDATION_LANES, VALIDATION_WARMUP)


def fresh_windows(ids: Ids) -> Iterator[Batch]:
    """The random windows of `burble eval --protocol windows`, each from a fresh state."""
    return random_windows(ids, NUM_WINDOWS, WINDOW, WINDOWS_SEED)


def recurrent_bits(network: nn.Module, batches: Iterable[Batch]) -> float:
    """Bits per target of a network of (ids (rows, time), state or None) → (logits, state)."""
    import torch
    from torch.nn import functional

    nats, count, state = 0.0, 0, None
    network.eval()
    with torch.no_grad():
        for batch in batches:
            # The batches of a pass are all fresh at its beginning, those of windows always.
            state = None if batch.reset.all() else state
            logits, state = network(torch.from_numpy(batch.inputs.T), state)
            mask = torch.from_numpy(batch.mask.T)
            targets = torch.from_numpy(batch.targets.T)
            loss = functional.cross_entropy(logits[mask], targets[mask], reduction="sum")
            nats, count = nats + loss.item(), count + int(mask.sum())
    network.train()
    return nats / math.log(2) / count
