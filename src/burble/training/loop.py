"""The training loop: step, and at each milestone validate, keep the best, save and sample."""

from dataclasses import dataclass

from burble.config import TrainingConfig
from burble.data.batch import Batching
from burble.errors import TrainingInterruptedError
from burble.training.budget import Budget, learning_rate
from burble.training.checkpoint import Checkpoint
from burble.training.learner import Learner
from burble.training.position import Position
from burble.training.recent import RecentFigures
from burble.training.rescue import Rescue
from burble.training.store import Store
from burble.training.validation import Validation
from burble.training.watch import Watch


@dataclass
class Loop:
    """The training loop and its parts."""

    training: TrainingConfig
    batching: Batching
    learner: Learner
    budget: Budget
    validation: Validation
    recent: RecentFigures
    rescue: Rescue
    store: Store
    watch: Watch
    position: Position

    def run(self) -> Position:
        """Train until the budget is used up, and return the last position.

        Raises `TrainingInterruptedError` after a signal, `DivergedError` if training diverges for
        good.
        """
        if self.rescue.good is None:
            self._milestone()
        while not self.budget.is_used_up(self._progress(), self.position.stale):
            self._step()
            self.watch.sync()
            self._pass_milestones()
            if self.store.is_due(self.position, self.watch.seconds) and self.learner.is_sound():
                self._milestone() if self.store.is_aside else self._save()
            self._stop_if_asked()
        return self.position

    def restore(self, saved: Checkpoint) -> None:
        """Continue from a checkpoint."""
        self.learner.restore(saved.tensors, saved.position.step)
        self.position = saved.position
        self.validation.skip_to(self._progress())
        self.recent.clear()

    def _progress(self) -> float:
        seconds = self.watch.seconds + self.validation.reserve
        return self.budget.progress(self.position.step, seconds)

    def _step(self) -> None:
        before = self.position
        batch = self.batching.batch(before.step)
        rate = learning_rate(self.training, before.step, self._progress()) * before.rate_scale
        figures = self.learner.step(batch, rate, rate / self.training.learning_rate)
        if not figures.is_finite:
            self._go_back(f"the loss was {figures.loss:g}, the gradient's norm {figures.norm:g}")
            return
        self.position = before.after_step(self.recent.add(batch, figures, rate))
        self.recent.show_if_due(self.position.step, self._progress())

    def _pass_milestones(self) -> None:
        progress = self._progress()
        if not self.validation.is_due(progress):
            return
        if self.validation.is_affordable(progress, self.watch.seconds):
            self._milestone()
        elif self.learner.is_sound():
            self.store.show_sample(self.position, self.learner)
            self.watch.sync()

    def _milestone(self) -> None:
        # Log a training figure with every held-out figure, so that they can be compared.
        self.recent.show(self.position.step, self._progress())
        reading = self.validation.read(self.learner, self.position.validation_batches)
        if not (reading.is_finite and self.learner.is_sound()):
            self._go_back("the weights or the held-out loss became too large or undefined")
            return
        self.watch.sync()
        self.position = self.position.after_validation(reading, self.watch.seconds)
        self.store.publish(self.position, reading, self._progress(), self.learner)
        self.rescue.good = self._save()
        if self.position.step > 0:
            self.store.replace_old()
        self.recent.clear()

    def _save(self) -> Checkpoint:
        self.watch.sync()
        saved = self.store.save(self.position, self.watch.seconds, self.learner)
        self.position = saved.position
        self.watch.sync()
        return saved

    def _stop_if_asked(self) -> None:
        if self.watch.signal is not None:
            # If the weights are not sound, keep the state that was saved before.
            if not self.store.is_aside and self.learner.is_sound():
                self._save()
            problem = f"Stopped at step {self.position.step}."
            left = self.store.describe_resuming()
            raise TrainingInterruptedError(problem, left, self.watch.signal)

    def _go_back(self, reason: str) -> None:
        self.restore(self.rescue.take_back(self.position, reason))
