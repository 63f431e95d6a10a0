"""`Pace`: find the fastest number of threads while training."""

from __future__ import annotations

import statistics
from collections import deque

# Steps of a trial. Their median ignores the first one, which fills the caches.
_TRIAL = 3

# The median of this many steps is the usual time, so that an interrupted step does not matter.
_RECENT = 9

# Steps between two trials of more threads. A failed trial costs 3 slower steps of 43.
_PATIENCE = 40

# If steps get slower by this factor, other programs use the processors: try fewer threads.
_DISTURBED = 1.5

# Steps after a trial before fewer threads are tried.
_CALM = 20


class Pace:
    """Choose between `most` threads, half of them, a quarter, … and 1, by timing the steps.

    On a busy machine, two threads that wait for each other can be slower than one. The number of
    threads does not change the results.
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
        """The number of threads for the next step."""
        return self._choices[self._tried]

    def record(self, seconds: float) -> None:
        """Record how long a step with `threads` took."""
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
        """Start a trial of another choice. If there is none, accept the current times as usual."""
        self._tried = min(max(place, 0), len(self._choices) - 1)
        if self._tried == self._used:
            self._end_trial()
        else:
            self._trial = []

    def _compare(self, trial: list[float]) -> None:
        """Keep the tried number if it is faster, and try the next one in the same direction."""
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
