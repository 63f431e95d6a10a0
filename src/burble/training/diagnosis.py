"""What became of a run, in plain words, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from burble.mapping import from_mapping
from burble.training.observer import StepMetrics, ValidationMetrics
from burble.training.run_folder import RunFolder

if TYPE_CHECKING:
    from pathlib import Path

# Between the last two quarters of a run: less than this is standing still.
_STILL = 0.005


@dataclass(frozen=True)
class History:
    """The figures of a run as its log has them."""

    validations: list[ValidationMetrics]
    steps: list[StepMetrics]

    @classmethod
    def read(cls, folder: Path) -> History:
        """From the log in the folder of a run."""
        lines = [json.loads(line) for line in RunFolder(folder).metrics.read_text().splitlines()]
        return cls(
            [
                from_mapping(ValidationMetrics, line, "metrics")
                for line in lines
                if line.get("val_bits_per_char") is not None
            ],
            [
                from_mapping(StepMetrics, line, "metrics")
                for line in lines
                if "train_bits_per_char" in line
            ],
        )


def diagnose(history: History, ngram_bits: float | None = None) -> str | None:
    """One or two sentences; None where nothing was held out or hardly anything was learned.

    ngram_bits: what an n-gram model makes of the same held-out text, where that is known.
    """
    if len(history.validations) < 3:
        return None
    verdict = _verdict(history)
    return f"{verdict} {_compared(_best(history), ngram_bits)}".strip()


def _verdict(history: History) -> str:
    best, last = _best(history), history.validations[-1]
    # Step size falls to zero at the end, where every run improves; so look at the middle, too.
    if _is_worse(last, best):
        return (
            f"It was best after {best.seconds:.0f} s and has learned the text by heart since. "
            "Give it more text, more --dropout, or fewer minutes."
        )
    if _gain(history) > _STILL:
        return "It was still getting better at the end: twice the minutes would help."
    return "It has learned what a network of this size can from this text."


def _gain(history: History) -> float:
    """By what share the held-out figure fell in the last quarter of the run."""
    best = _best(history).val_bits_per_char or 0.0
    start = history.validations[-1].progress * 0.75
    before = [v.val_bits_per_char or 0.0 for v in history.validations if v.progress <= start]
    return 1 - best / min(before) if before and min(before) > 0 else 0.0


def _best(history: History) -> ValidationMetrics:
    return min(history.validations, key=lambda v: v.val_bits_per_char or 0.0)


def _is_worse(last: ValidationMetrics, best: ValidationMetrics) -> bool:
    return (last.val_bits_per_char or 0.0) > (1 + _STILL) * (best.val_bits_per_char or 0.0)


def _compared(best: ValidationMetrics, ngram_bits: float | None) -> str:
    bits = best.val_bits_per_char
    if not bits or ngram_bits is None:
        return ""
    if bits < ngram_bits:
        more = ngram_bits / bits - 1
        return f"An n-gram model of the same text needs {ngram_bits:.3f} bits, {more:.0%} more."
    return (
        f"An n-gram model of the same text needs only {ngram_bits:.3f} bits: this run was too "
        "short, or the network too small."
    )
