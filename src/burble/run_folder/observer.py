"""What a run tells while it goes on, and who may listen."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from burble.config import RunConfig
from burble.data.prepared import PreparedText
from burble.run_folder.metrics import StepMetrics, ValidationMetrics


@dataclass(frozen=True)
class RunFacts:
    config: RunConfig
    folder: Path
    text: PreparedText
    num_parameters: int
    rows: int  # rows in a batch; fewer than asked for where the text is short
    steps_per_epoch: int
    note: str  # how the text is cut into batches; empty where there is nothing to tell
    resumed_at: int | None  # the step that a resumed run goes on from


class Observer:
    """Hears of everything; the methods do nothing until overridden."""

    def started(self, facts: RunFacts) -> None:
        """Learning begins."""

    def stepped(self, metrics: StepMetrics) -> None:
        """Some steps were made."""

    def validated(self, metrics: ValidationMetrics) -> None:
        """The held-out text was read."""

    def sampled(self, step: int, text: str) -> None:
        """The model of this moment wrote `text`."""

    def message(self, text: str) -> None:
        """Something a person should know."""

    def finished(self) -> None:
        """The run is over, whatever the reason."""


class Observers(Observer):
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
