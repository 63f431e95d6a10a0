"""The budget of a run in time and steps, and its learning rate."""

import math
import time
from dataclasses import dataclass
from typing import Self

from burble.config import DEFAULT_MINUTES, TrainingConfig


@dataclass(frozen=True)
class Budget:
    """The end of a run: after some time, some steps, or too many validations without progress.

    The first limit that is reached ends the run. None means no limit.
    """

    seconds: float | None
    steps: int | None
    patience: int | None = None

    @classmethod
    def from_config(cls, config: TrainingConfig, steps_per_epoch: int) -> Self:
        """Return the configured budget, with epochs as steps; `DEFAULT_MINUTES` if none is set."""
        steps = [] if config.steps is None else [config.steps]
        if config.epochs is not None:
            steps.append(math.ceil(config.epochs * steps_per_epoch))
        minutes = config.minutes
        if minutes is None and not steps:
            minutes = DEFAULT_MINUTES
        seconds = None if minutes is None else minutes * 60
        return cls(seconds, min(steps, default=None), config.patience)

    def progress(self, steps: int, seconds: float) -> float:
        """Return the share of the budget that is used, from 0 to 1."""
        by_time = 0.0 if self.seconds is None else seconds / self.seconds
        by_steps = 0.0 if self.steps is None else steps / self.steps
        return min(1.0, max(by_time, by_steps))

    def is_used_up(self, progress: float, stale: int) -> bool:
        """Return whether the run must end. stale: validations since the best one."""
        return progress >= 1 or (self.patience is not None and stale >= self.patience)


class Clock:
    """Measure how long a run takes, including the time before it was resumed.

    before: seconds that the earlier parts took. started: a value of `time.monotonic()`.
    """

    def __init__(self, before: float = 0.0, started: float | None = None) -> None:
        self._before = before
        self._started = time.monotonic() if started is None else started

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._started


def learning_rate(config: TrainingConfig, step: int, progress: float) -> float:
    """Return the learning rate of a step, after warm-up and decay."""
    warmup = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    decay = 1.0 - progress if config.schedule == "linear" else 1.0
    return config.learning_rate * warmup * decay
