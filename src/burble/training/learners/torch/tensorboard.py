"""The run's curves in TensorBoard, for those who ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from burble.errors import MissingExtraError
from burble.run_folder.observer import Observer
from burble.system_errors import guard_write

if TYPE_CHECKING:
    from pathlib import Path

    from burble.run_folder.metrics import StepMetrics, ValidationMetrics
    from burble.run_folder.observer import RunFacts


class TensorBoard(Observer):
    """Writes event files into `folder`."""

    def __init__(self, folder: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("--tensorboard", "tensorboard") from error
        self._folder = folder
        self._open = SummaryWriter
        self._writer: Any = None

    def started(self, facts: RunFacts) -> None:  # noqa: ARG002 - it needs no facts
        """Open the event file, now that the folder is the run's."""
        with guard_write(self._folder):
            self._writer = self._open(str(self._folder))

    def stepped(self, metrics: StepMetrics) -> None:
        with guard_write(self._folder):
            for name in ("train_bits_per_char", "accuracy", "learning_rate", "grad_norm"):
                self._writer.add_scalar(name, getattr(metrics, name), metrics.step)

    def validated(self, metrics: ValidationMetrics) -> None:
        bits = metrics.val_bits_per_char
        if bits is not None:
            with guard_write(self._folder):
                self._writer.add_scalar("val_bits_per_char", bits, metrics.step)

    def sampled(self, step: int, text: str) -> None:
        with guard_write(self._folder):
            self._writer.add_text("sample", f"```\n{text}\n```", step)

    def finished(self) -> None:
        if self._writer is None:  # the run ended before it began
            return
        with guard_write(self._folder):
            self._writer.close()
