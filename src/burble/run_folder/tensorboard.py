"""Write the curves of a run for TensorBoard."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from burble.errors import MissingExtraError
from burble.run_folder.observer import Observer
from burble.system_errors import guard_write

if TYPE_CHECKING:
    from pathlib import Path

    from burble.run_folder.metrics import StepMetrics, ValidationMetrics
    from burble.run_folder.observer import RunFacts

_CURVES = ("train_bits_per_char", "accuracy", "learning_rate", "grad_norm")


class TensorBoard(Observer):
    """Write an event file into `folder` and flush it after every event.

    TensorBoard's own writer uses a thread, which would report a full disk too late.
    """

    def __init__(self, folder: Path) -> None:
        try:
            from tensorboard.compat.proto.event_pb2 import Event
            from tensorboard.compat.proto.summary_pb2 import Summary
            from tensorboard.plugins.text.metadata import create_summary_metadata
            from tensorboard.summary.writer.record_writer import RecordWriter
        except ImportError as error:
            raise MissingExtraError("--tensorboard", "tensorboard") from error
        self._folder = folder
        self._event, self._summary, self._records = Event, Summary, RecordWriter
        self._text = create_summary_metadata("", "")
        self._writer: Any = None

    def started(self, facts: RunFacts) -> None:  # noqa: ARG002 - it needs no facts
        """Open the event file. Before the start, the folder may belong to an older run."""
        # TensorBoard looks for "tfevents" and reads the files of a folder in order of their names.
        path = self._folder / f"events.out.tfevents.{int(time.time()):010}.{os.getpid()}"
        with guard_write(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._writer = self._records(path.open("xb"))
        self._write(file_version="brain.Event:2")

    def stepped(self, metrics: StepMetrics) -> None:
        values = [{"tag": name, "simple_value": getattr(metrics, name)} for name in _CURVES]
        self._write(step=metrics.step, summary=self._summary(value=values))

    def validated(self, metrics: ValidationMetrics) -> None:
        bits = metrics.val_bits_per_char
        if bits is not None:
            value = {"tag": "val_bits_per_char", "simple_value": bits}
            self._write(step=metrics.step, summary=self._summary(value=[value]))

    def sampled(self, step: int, text: str) -> None:
        shown = f"```\n{text}\n```".encode()  # TensorBoard shows Markdown: keep the line ends
        value = {
            "tag": "sample",
            "metadata": self._text,
            "tensor": {"dtype": "DT_STRING", "string_val": [shown], "tensor_shape": {}},
        }
        self._write(step=step, summary=self._summary(value=[value]))

    def finished(self) -> None:
        if self._writer is None:  # the run ended before training started
            return
        with guard_write(self._folder):
            self._writer.close()

    def _write(self, **fields: Any) -> None:
        event = self._event(wall_time=time.time(), **fields)
        with guard_write(self._folder):
            self._writer.write(event.SerializeToString())
            self._writer.flush()
