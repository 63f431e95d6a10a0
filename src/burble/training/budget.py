"""How long a run may take, and the step size at each moment of it."""

import math
import time
from dataclasses import dataclass
from typing import Self

from burble.config import DEFAULT_MINUTES, TrainingConfig


@dataclass(frozen=True)
class Budget:
    """Minutes, steps, or both; whichever ends first counts. Patience may end it before."""

    seconds: float | None
    steps: int | None
    patience: int | None = None

    @classmethod
    def from_config(cls, config: TrainingConfig, steps_per_epoch: int) -> Self:
        """Epochs are counted in steps; with no budget at all it is `DEFAULT_MINUTES`."""
        steps = [] if config.steps is None else [config.steps]
        if config.epochs is not None:
            steps.append(math.ceil(config.epochs * steps_per_epoch))
        minutes = config.minutes
        if minutes is None and not steps:
            minutes = DEFAULT_MINUTES
        seconds = None if minutes is None else minutes * 60
        return cls(seconds, min(steps, default=None), config.patience)

    def progress(self, steps: int, seconds: float) -> float:
        by_time = 0.0 if self.seconds is None else seconds / self.seconds
        by_steps = 0.0 if self.steps is None else steps / self.steps
        return min(1.0, max(by_time, by_steps))

    def is_used_up(self, progress: float, stale: int) -> bool:
        return progress >= 1 or (self.patience is not None and stale >= self.patience)


class Clock:
    """Seconds a run has taken, over all its parts; `started` is on `time.monotonic`."""

    def __init__(self, before: float = 0.0, started: float | None = None) -> None:
        self._before = before
        self._started = time.monotonic() if started is None else started

    def seconds(self) -> float:
        return self._before + time.monotonic() - self._started


def learning_rate(config: TrainingConfig, step: int, progress: float) -> float:
    warmup = min(1.0, (step + 1) / config.warmup_steps) if config.warmup_steps else 1.0
    decay = 1.0 - progress if config.schedule == "linear" else 1.0
    return config.learning_rate * warmup * decay
