"""How many threads are quickest just now."""

from __future__ import annotations

import statistics
from collections import deque

# Steps that a number of threads is tried for; their median leaves out the first, which fills the
# caches.
_TRIAL = 3

# What a step takes is the median of so many: one that something interrupts says nothing.
_RECENT = 9

# Steps between two trials of more threads. A failed one costs 3 slower steps of 43.
_PATIENCE = 40

# So much slower than before, somebody else needs the processors: fewer threads are tried.
_DISTURBED = 1.5

# Steps after a trial before the next one of fewer threads.
_CALM = 20


class Pace:
    """Chooses between `most`, half of that, a quarter, … and 1 thread, by the time of the steps.

    On a machine that others use, two threads that wait for each other may take longer than one. The
    results are the same with any number.
    """

    def __init__(self, most: int) -> None:
        self._choices = sorted({max(1, most >> shift) for shift in range(most.bit_length())})
        self._used = self._tried = len(self._choices) - 1
        self._trial: list[float] | None = []  # seconds of its steps; None between two trials
        self._recent: deque[float] = deque(maxlen=_RECENT)
        self._lowest = float("inf")
        self._since = 0

    @property
    def threads(self) -> int:
        """What to take for the next step."""
        return self._choices[self._tried]

    def record(self, seconds: float) -> None:
        """Count what the step with `threads` took."""
        if self._trial is None:
            self._watch(seconds)
            return
        self._trial.append(seconds)
        if len(self._trial) == _TRIAL:
            self._compare(self._trial)

    def _watch(self, seconds: float) -> None:
        self._recent.append(seconds)
        self._since += 1
        usual = statistics.median(self._recent)
        self._lowest = min(self._lowest, usual)
        if self._since >= _PATIENCE and self._used + 1 < len(self._choices):
            self._try(self._used + 1)
        elif self._since >= _CALM and usual > _DISTURBED * self._lowest:
            self._try(self._used - 1)

    def _try(self, place: int) -> None:
        """Try another choice; where there is none, what the steps take now is usual."""
        self._tried = min(max(place, 0), len(self._choices) - 1)
        if self._tried == self._used:
            self._end_trial()
        else:
            self._trial = []

    def _compare(self, trial: list[float]) -> None:
        """Take what was tried if it is quicker, and look further in the same direction."""
        if not self._recent:  # the first trial of all
            self._recent.extend(trial)
            self._try(self._used - 1)
        elif statistics.median(trial) < statistics.median(self._recent):
            direction = self._tried - self._used
            self._used = self._tried
            self._recent = deque(trial, maxlen=_RECENT)
            self._try(self._used + direction)
        else:
            self._tried = self._used
            self._end_trial()

    def _end_trial(self) -> None:
        self._trial = None
        self._since = 0
        self._lowest = statistics.median(self._recent)
