"""`Observer`: receives the events of a run."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from burble.config import RunConfig
from burble.data.prepared import PreparedText
from burble.run_folder.metrics import StepMetrics, ValidationMetrics


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run when training starts."""

    config: RunConfig
    folder: Path
    text: PreparedText
    num_parameters: int
    rows: int  # rows in a batch; fewer than configured if the text is short
    steps_per_epoch: int
    note: str  # what the user should know about how the text is cut; may be empty
    resumed_at: int | None  # the step that a resumed run continues from


class Observer:
    """Receive the events of a run. The methods do nothing; override those you need."""

    def started(self, facts: RunFacts) -> None:
        """Handle the start of training."""

    def stepped(self, metrics: StepMetrics) -> None:
        """Handle the figures of some steps."""

    def validated(self, metrics: ValidationMetrics) -> None:
        """Handle the figures of a validation."""

    def sampled(self, step: int, text: str) -> None:
        """Handle a sample that the model wrote at this step."""

    def message(self, text: str) -> None:
        """Handle a message to the user."""

    def finished(self) -> None:
        """Handle the end of training, whatever its reason."""


class Observers(Observer):
    """Pass every event on to several observers, in order."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self.observers = observers

    def started(self, facts: RunFacts) -> None:
        for observer in self.observers:
            observer.started(facts)

    def stepped(self, metrics: StepMetrics) -> None:
        for observer in self.observers:
            observer.stepped(metrics)

    def validated(self, metrics: ValidationMetrics) -> None:
        for observer in self.observers:
            observer.validated(metrics)

    def sampled(self, step: int, text: str) -> None:
        for observer in self.observers:
            observer.sampled(step, text)

    def message(self, text: str) -> None:
        for observer in self.observers:
            observer.message(text)

    def finished(self) -> None:
        for observer in self.observers:
            observer.finished()
