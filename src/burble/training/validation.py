"""Validate on the held-out text: when, and on how much of it."""

import itertools
import math
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from burble.data.batch import Batch, Batching
from burble.score import NOTHING, Score
from burble.tokenizers.base import Tokenizer
from burble.training.budget import Budget
from burble.training.learner import Learner
from burble.training.team import Team

# How many validations a run makes, evenly spaced over its budget.
MILESTONES = 20

# A timed run skips validations beyond this share of its time.
_SHARE = 0.02

# One validation of a timed run may take this share. If it takes longer, it reads less text.
_ONE_SHARE = 0.01

# These tokens fix a figure to about 0.03 bits.
_ENOUGH_TOKENS = 1 << 15

# A timed run reserves this many seconds for its end, beside those of the last validation.
_CLOSING_SECONDS = 0.3


@dataclass(frozen=True)
class Reading:
    """The result of a validation."""

    score: Score
    num_batches: int
    seconds: float

    @property
    def bits(self) -> float | None:
        return self.score.bits_per_char if self.score.num_characters else None

    @property
    def is_finite(self) -> bool:
        return self.bits is None or math.isfinite(self.bits)

    @property
    def accuracy(self) -> float | None:
        return self.score.accuracy if self.score.num_characters else None


class Validation:
    """Decides when to validate, and scores the held-out text."""

    def __init__(
        self, batching: Batching, tokenizer: Tokenizer, budget: Budget, team: Team
    ) -> None:
        self._batching = batching
        self._tokenizer = tokenizer
        self._budget = budget
        self._team = team
        self._passed = 0
        self._seconds = 0.0
        self.reserve = _CLOSING_SECONDS  # seconds that a timed run reserves for its end

    def skip_to(self, progress: float) -> None:
        """Regard all milestones up to this progress as passed."""
        self._passed = int(progress * MILESTONES)

    def is_due(self, progress: float) -> bool:
        """Return whether a milestone was reached since the last call."""
        before = self._passed
        self.skip_to(progress)
        return self._passed > before

    def is_affordable(self, progress: float, seconds: float) -> bool:
        """Return whether there is time to validate. There always is at the end of a run.

        seconds: how long the run has taken.
        """
        is_timed = self._budget.seconds is not None
        return not is_timed or progress >= 1 or self._seconds <= _SHARE * seconds

    def read(self, learner: Learner, num_batches: int | None) -> Reading:
        """Score the first `num_batches` of the held-out text; with None, as many as time allows."""
        reading = self._team.run_on_leader(lambda: self._read(learner, num_batches))
        self._seconds += reading.seconds
        self.reserve = reading.seconds + _CLOSING_SECONDS
        return reading

    def _read(self, learner: Learner, num_batches: int | None) -> Reading:
        started, score, count = time.monotonic(), NOTHING, 0
        for batch, figures in learner.score(self._batches(num_batches)):
            count += 1
            score += figures.score(batch, self._tokenizer)
        return Reading(score, count, time.monotonic() - started)

    def _batches(self, num_batches: int | None) -> Iterable[Batch]:
        batches = self._batching.validation()
        if num_batches is not None:
            return itertools.islice(batches, num_batches)
        if self._budget.seconds is not None:
            return _limit_time(batches, _ONE_SHARE * self._budget.seconds)
        return batches


def _limit_time(batches: Iterable[Batch], seconds: float) -> Iterator[Batch]:
    """Yield batches until the time is over, but at least enough for a useful figure."""
    started, num_read = time.monotonic(), 0
    for batch in batches:
        if num_read >= _ENOUGH_TOKENS and time.monotonic() - started > seconds:
            return
        yield batch
        num_read += batch.inputs.size
