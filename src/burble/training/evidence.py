"""The figures of a finished run that its diagnosis is based on."""

import math
from dataclasses import dataclass, field

from burble.run_folder.metrics import Metrics, ValidationMetrics


@dataclass(frozen=True)
class Facts:
    """Facts about a run that are not in its log."""

    steps: int
    held_out: int  # characters of the held-out part that are scored
    vocab_size: int
    sealed: int = 0  # characters of the sealed part that are scored
    repeated: float = 0.0  # share of the held-out text that is in the training part word for word
    counts_bits: float | None = None  # bits of n-gram counts on the same text, if known
    minutes: float | None = None  # time budget; None if only steps or epochs limit the run
    rescues: int = 0  # how often it diverged and went back with half the learning rate


@dataclass(frozen=True)
class Evidence:
    """The facts and the log of a run, and figures derived from them."""

    facts: Facts
    history: Metrics
    validations: list[ValidationMetrics] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "validations", self.history.measured)

    @property
    def begins_late(self) -> bool:
        """Whether the start of the log is missing, for example deleted before a resume."""
        return bool(self.history.validations) and self.history.validations[0].step > 0

    @property
    def first(self) -> float:
        """The held-out bits before the first step. If the log lacks them, those of guessing."""
        return self.guessing if self.begins_late else _bits(self.validations[0])

    @property
    def best(self) -> ValidationMetrics:
        return min(self.validations, key=_bits)

    @property
    def best_bits(self) -> float:
        return _bits(self.best)

    @property
    def last(self) -> ValidationMetrics:
        return self.validations[-1]

    @property
    def last_bits(self) -> float:
        return _bits(self.last)

    @property
    def peak(self) -> ValidationMetrics:
        return max(self.validations, key=_bits)

    @property
    def peak_bits(self) -> float:
        return _bits(self.peak)

    @property
    def guessing(self) -> float:
        return math.log2(max(self.facts.vocab_size, 1))

    @property
    def seconds(self) -> float:
        return self.history.validations[-1].seconds if self.history.validations else 0.0

    @property
    def setup_seconds(self) -> float:
        has_start = self.history.validations and not self.begins_late
        return self.history.validations[0].seconds if has_start else 0.0

    @property
    def budget_seconds(self) -> float:
        return math.inf if self.facts.minutes is None else 60 * self.facts.minutes

    @property
    def gain(self) -> float:
        """The share by which the held-out figure fell in the last quarter of the steps."""
        start = 0.75 * self.last.step
        earlier = [_bits(reading) for reading in self.validations if reading.step <= start]
        before = min(earlier, default=self.first)
        return 1 - self.last_bits / before if before > 0 else 0.0

    def train_bits(self, step: int) -> float | None:
        """Return the last training figure up to a step, or None."""
        until = [one.train_bits_per_char for one in self.history.steps if one.step <= step]
        return until[-1] if until else None

    @property
    def train_ratio(self) -> float | None:
        """The last training figure, as a multiple of the one at the best validation."""
        before, after = self.train_bits(self.best.step), self.train_bits(self.last.step)
        return after / before if before and after is not None else None

    @property
    def counts_share(self) -> float:
        """The bits of the n-gram counts as a share of the run's, infinite if unknown."""
        counts = self.facts.counts_bits
        if counts is None or not self.validations or not self.best_bits:
            return math.inf
        return counts / self.best_bits


def _bits(validation: ValidationMetrics) -> float:
    bits = validation.val_bits_per_char
    return 0.0 if bits is None else bits
