"""Collect the figures of steps and show them now and then."""

from burble.data.batch import Batch
from burble.run_folder.metrics import StepMetrics
from burble.run_folder.observer import Observer
from burble.score import NOTHING
from burble.tokenizers.base import Tokenizer
from burble.training.budget import Clock
from burble.training.learner import StepFigures

_LOG_SECONDS = 0.5


class RecentFigures:
    """The figures of the steps since they were last shown."""

    def __init__(
        self, observer: Observer, clock: Clock, tokenizer: Tokenizer, steps_per_epoch: int
    ) -> None:
        self._observer = observer
        self._tokenizer = tokenizer
        self._clock = clock
        self._steps_per_epoch = steps_per_epoch
        self.clear()

    def clear(self) -> None:
        """Forget the steps so far."""
        self._score = NOTHING
        self._rate = self._norm = 0.0
        self._since = self._clock.seconds()

    def add(self, batch: Batch, figures: StepFigures, rate: float) -> int:
        """Add a step, and return how many characters it trained on."""
        score = figures.score(batch, self._tokenizer)
        self._score += score
        self._rate, self._norm = rate, figures.norm
        return score.num_characters

    def show_if_due(self, step: int, progress: float) -> None:
        """Show the figures if it is time: twice a second, and less often in a long run.

        So a run of hours logs a few thousand lines.
        """
        seconds = self._clock.seconds()
        if seconds - self._since >= max(_LOG_SECONDS, seconds / 1000):
            self.show(step, progress)

    def show(self, step: int, progress: float) -> None:
        """Show the figures if there were any steps, and clear them."""
        if not self._score.num_characters:
            return
        seconds = self._clock.seconds()
        self._observer.stepped(
            StepMetrics(
                step=step,
                seconds=seconds,
                progress=progress,
                train_bits_per_char=self._score.bits_per_char,
                accuracy=self._score.accuracy,
                learning_rate=self._rate,
                grad_norm=self._norm,
                chars_per_second=self._score.num_characters / max(seconds - self._since, 1e-9),
                epoch=step / self._steps_per_epoch,
            )
        )
        self.clear()
