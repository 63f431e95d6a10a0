"""How many threads are quickest just now."""

from __future__ import annotations

# Steps that each number of threads is tried for: the first one fills the caches.
_TRIAL = 3

# Steps between two trials of more threads, while fewer are quicker.
_PATIENCE = 40

# So much slower than at its best, somebody else needs the processors: fewer threads are tried.
_DISTURBED = 1.3

# What a step's time counts for against those before it.
_NEWS = 0.2


class Pace:
    """Chooses between 1, 2, 4, … and `most` threads, by the time that steps take.

    On a machine that others use, two threads that wait for each other may take longer than one. The
    results are the same with any number.
    """

    def __init__(self, most: int) -> None:
        halves = [most >> shift for shift in range(most.bit_length())]
        self._choices = sorted({max(1, half) for half in halves})
        self._seconds = dict.fromkeys(self._choices, float("inf"))
        self._lowest = dict(self._seconds)
        self._best = most
        self._trials = [choice for choice in reversed(self._choices) for _ in range(_TRIAL)]
        self._since = 0

    @property
    def threads(self) -> int:
        """What to take for the next step."""
        return self._trials[0] if self._trials else self._best

    def tell(self, seconds: float) -> None:
        """Count what the step with `threads` took."""
        threads = self.threads
        if self._trials:
            self._tell_trial(threads, seconds)
            return
        self._since += 1
        self._seconds[threads] += _NEWS * (seconds - self._seconds[threads])
        self._lowest[threads] = min(self._lowest[threads], self._seconds[threads])
        self._try_others(threads)

    def _tell_trial(self, threads: int, seconds: float) -> None:
        self._seconds[threads] = min(self._seconds[threads], seconds)
        del self._trials[0]
        if not self._trials:
            self._best = min(self._choices, key=lambda choice: self._seconds[choice])
            self._since = 0
            self._lowest[self._best] = min(self._lowest[self._best], self._seconds[self._best])

    def _try_others(self, threads: int) -> None:
        place = self._choices.index(threads)
        is_slow = self._seconds[threads] > _DISTURBED * self._lowest[threads]
        if self._since % _PATIENCE == 0 and place + 1 < len(self._choices):
            self._try(self._choices[place + 1])
        elif is_slow and self._since >= _TRIAL and place > 0:
            self._try(self._choices[place - 1])

    def _try(self, threads: int) -> None:
        self._seconds[threads] = float("inf")
        self._trials = [threads] * _TRIAL
