"""`Learner` and `Backend`: the interfaces between the training loop and what computes."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from burble.config import RunConfig
from burble.data.batch import Batch
from burble.model_file import Weights
from burble.score import Score
from burble.tokenizers.base import Tokenizer
from burble.training.team import Team

Arrays = dict[str, np.ndarray[Any, np.dtype[np.float32]]]

# Weights beyond this mean that training diverged: soon their products overflow float32.
LARGEST_WEIGHT = 1e6


@dataclass(frozen=True)
class BatchFigures:
    """The result of scoring a batch."""

    loss: float  # mean over the targets, in nats
    correct: int  # targets to which the network gave the highest probability

    def score(self, batch: Batch, tokenizer: Tokenizer) -> Score:
        """Return the figures as a `Score`, in bits per character."""
        targets = batch.targets[batch.mask]
        characters = tokenizer.count_characters(targets)
        return Score(self.loss * len(targets), len(targets), self.correct, characters)


NO_TARGETS = BatchFigures(0.0, 0)


@dataclass(frozen=True)
class StepFigures(BatchFigures):
    """The result of a training step."""

    norm: float  # of the gradient, before it was clipped

    @property
    def is_finite(self) -> bool:
        """Whether loss and norm are finite. If not, the step changed nothing."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


class Learner(Protocol):
    """A network, its optimizer, the average of its weights, and the state carried between batches.

    Random choices depend only on seed and step, so a resumed run makes the same ones.
    """

    def step(self, batch: Batch, rate: float, share: float) -> StepFigures:
        """Train on a batch with a learning rate. share: that rate as a share of its maximum.

        Change nothing if the loss or the gradient is not finite.
        """

    def score(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, BatchFigures]]:
        """Yield each batch with its figures under the averaged weights.

        The state is carried from one batch to the next.
        """

    def averaged(self) -> Weights:
        """Return a copy of the averaged weights, by the names of the model file."""

    def is_sound(self) -> bool:
        """Return whether all weights, raw and averaged, are below `LARGEST_WEIGHT`."""

    def state(self) -> Arrays:
        """Return copies of everything that a step changes, by the names of `Layout`."""

    def restore(self, state: Mapping[str, np.ndarray[Any, Any]], steps: int) -> None:
        """Restore a state that was taken after this many steps."""


@dataclass(frozen=True)
class Throughput:
    """The training speed of a machine."""

    rates: Mapping[int, float]
    """Measured operations a second, by hidden size."""

    overhead: float
    """Seconds of a timed run in which it does not train."""

    def at(self, hidden_size: int) -> float:
        """Return the operations a second for a hidden size, interpolated from those measured."""
        sizes = sorted(self.rates)
        return float(np.interp(hidden_size, sizes, [self.rates[size] for size in sizes]))

    def work(self, seconds: float, hidden_size: int) -> float:
        """Return how many operations a run of this many seconds can make."""
        return self.at(hidden_size) * max(seconds - self.overhead, 0.2 * seconds)


class Backend(Protocol):
    """A way to compute, on this machine and in this process of a team."""

    @property
    def team(self) -> Team:
        """The processes of the run, including this one."""

    def measure(self, config: RunConfig, vocab_size: int) -> tuple[RunConfig, Throughput]:
        """Return the configuration with its precision decided, and the training speed here."""

    def build(self, config: RunConfig, vocab_size: int, rows: int) -> Learner:
        """Return a fresh learner for batches of this many rows."""
