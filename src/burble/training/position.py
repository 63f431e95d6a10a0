"""`Position`: how far a run has come, in numbers."""

from dataclasses import dataclass, replace
from typing import Self

from burble.training.validation import Reading

# After this many rescues, each of which halves the learning rate, another one does not help.
MAX_RESCUES = 3


@dataclass(frozen=True)
class Position:
    """How far a run has come."""

    step: int = 0
    seconds: float = 0.0
    chars_seen: int = 0
    best_bits: float | None = None
    stale: int = 0  # validations since the best one
    validation_batches: int | None = None  # batches that each validation reads; None before one
    rate_scale: float = 1.0  # factor of the learning rate, halved at each rescue
    rescues: int = 0
    metrics_bytes: int = 0  # size of `metrics.jsonl`
    samples_bytes: int = 0  # size of `samples.txt`

    def after_step(self, num_characters: int) -> Self:
        """Return the position after a step on this many characters."""
        return replace(self, step=self.step + 1, chars_seen=self.chars_seen + num_characters)

    def after_validation(self, reading: Reading, seconds: float) -> Self:
        """Return the position after a validation. Without a held-out text, each one is the best."""
        bits = reading.bits
        best = bits is None or self.best_bits is None or bits < self.best_bits
        return replace(
            self,
            seconds=seconds,
            best_bits=bits if best else self.best_bits,
            stale=0 if best else self.stale + 1,
            validation_batches=reading.num_batches,
        )

    def after_rescue(self) -> Self:
        """Return the position with half the learning rate and one more rescue."""
        return replace(self, rate_scale=self.rate_scale / 2, rescues=self.rescues + 1)
