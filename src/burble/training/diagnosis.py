"""What became of a run, in plain words, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from burble.metrics import METRICS_NAME, Metrics

if TYPE_CHECKING:
    from pathlib import Path

    from burble.metrics import ValidationMetrics

# A share of the bits; a run that gains or loses less than this stands still.
_STILL = 0.005


@dataclass(frozen=True)
class History:
    """The validations of a run as its log has them, those without a held-out text left out."""

    validations: list[ValidationMetrics]

    @classmethod
    def read(cls, folder: Path) -> History:
        """From the log in the folder of a run; of a run without its log nothing is known."""
        if not (folder / METRICS_NAME).exists():
            return cls([])
        read = Metrics.read(folder).validations
        return cls([reading for reading in read if reading.val_bits_per_char is not None])


def diagnose(history: History, ngram_bits: float | None = None) -> str | None:
    """One or two sentences; None where nothing was held out or hardly anything was learned.

    ngram_bits: what an n-gram model makes of the same held-out text, where that is known.
    """
    if len(history.validations) < 3:
        return None
    return f"{_verdict(history)} {_compared(_bits(_best(history)), ngram_bits)}".strip()


def _verdict(history: History) -> str:
    best, last = _best(history), history.validations[-1]
    if _bits(last) > (1 + _STILL) * _bits(best):
        return (
            f"It was best after {best.seconds:.0f} s and has learned the text by heart since. "
            "Give it more text, more --dropout, or fewer minutes."
        )
    if _gain(history) > _STILL:
        return "It was still getting better at the end: twice the minutes would help."
    return "It has learned what a network of this size can from this text."


def _gain(history: History) -> float:
    """By what share the held-out figure fell in the last quarter of the run."""
    start = history.validations[-1].progress * 0.75
    before = min((_bits(v) for v in history.validations if v.progress <= start), default=0.0)
    return 1 - _bits(_best(history)) / before if before > 0 else 0.0


def _best(history: History) -> ValidationMetrics:
    return min(history.validations, key=_bits)


def _bits(validation: ValidationMetrics) -> float:
    bits = validation.val_bits_per_char
    return 0.0 if bits is None else bits


def _compared(bits: float, ngram_bits: float | None) -> str:
    if bits == 0 or ngram_bits is None:
        return ""
    if bits < ngram_bits:
        more = ngram_bits / bits - 1
        return f"An n-gram model of the same text needs {ngram_bits:.3f} bits, {more:.0%} more."
    return (
        f"An n-gram model of the same text needs only {ngram_bits:.3f} bits: this run was too "
        "short, or the network too small."
    )
