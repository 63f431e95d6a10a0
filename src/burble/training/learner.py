"""What the training loop asks of a network that learns, whatever computes behind it."""

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

# No network learns with such weights; left alone, their products overflow float32.
LARGEST_WEIGHT = 1e6


@dataclass(frozen=True)
class BatchFigures:
    loss: float  # mean over the targets, in nats
    correct: int  # targets that were the likeliest

    def score(self, batch: Batch, tokenizer: Tokenizer) -> Score:
        targets = batch.targets[batch.mask]
        characters = tokenizer.count_characters(targets)
        return Score(self.loss * len(targets), len(targets), self.correct, characters)


NO_TARGETS = BatchFigures(0.0, 0)


@dataclass(frozen=True)
class StepFigures(BatchFigures):
    norm: float  # of the gradient, before it was clipped

    @property
    def is_finite(self) -> bool:
        """Whether loss and norm are numbers; where they are not, the step changed nothing."""
        return math.isfinite(self.loss) and math.isfinite(self.norm)


class Learner(Protocol):
    """A network with its optimizer, the average of its weights and the state that it carries.

    Every random choice follows from seed and step, so that a resumed run makes the same ones.
    """

    def step(self, batch: Batch, rate: float, share: float) -> StepFigures:
        """Learn from a batch; share: `rate` by the highest. Change nothing if not finite."""

    def score(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, BatchFigures]]:
        """Yield each batch with its figures under the averaged weights, the state carried along."""

    def averaged(self) -> Weights:
        """Return a copy of the averaged weights, by the model file's names."""

    def is_sound(self) -> bool:
        """Return whether all weights, raw and averaged, are below `LARGEST_WEIGHT`."""

    def state(self) -> Arrays:
        """Return copies of all that a step changes, by the names of `Layout`."""

    def restore(self, state: Mapping[str, np.ndarray[Any, Any]], steps: int) -> None:
        """Go back to where `state` was taken, after so many steps."""


@dataclass(frozen=True)
class Throughput:
    """How fast a machine learns."""

    rates: Mapping[int, float]
    """Operations a second in steps of a network of so many units."""

    overhead: float
    """Seconds of a timed run in which it does not learn."""

    def at(self, hidden_size: int) -> float:
        """Return the operations a second for any number of units, between those measured."""
        sizes = sorted(self.rates)
        return float(np.interp(hidden_size, sizes, [self.rates[size] for size in sizes]))

    def work(self, seconds: float, hidden_size: int) -> float:
        """Return the operations of a run."""
        return self.at(hidden_size) * max(seconds - self.overhead, 0.2 * seconds)


class Backend(Protocol):
    """What computes, on this machine and in this process of a team."""

    @property
    def team(self) -> Team:
        """The processes of the run, of which this is one."""

    def measure(self, config: RunConfig, vocab_size: int) -> tuple[RunConfig, Throughput]:
        """Return the configuration with its precision, and how fast it learns here."""

    def build(self, config: RunConfig, vocab_size: int, rows: int) -> Learner:
        """Return a fresh learner of batches of so many rows."""
