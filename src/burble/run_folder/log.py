"""The logs of a run: its figures and what it wrote, line by line."""

import dataclasses
import json
import os
from pathlib import Path
from typing import TextIO

from burble.errors import UsageError
from burble.folder_names import SAMPLES_NAME
from burble.plain_files import NOT_OURS, open_plain, open_to_append
from burble.run_folder.folder import RunFolder
from burble.run_folder.metrics import StepMetrics, ValidationMetrics
from burble.run_folder.observer import Observer
from burble.system_errors import guard_write


class RunLog(Observer):
    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def sizes(self) -> tuple[int, int]:
        """Bytes in `metrics.jsonl` and in `samples.txt`; a checkpoint keeps them."""
        metrics, samples = (file.stat().st_size if file.exists() else 0 for file in self._files())
        return metrics, samples

    def cut(self, sizes: tuple[int, int]) -> None:
        """Forget what was logged after the checkpoint that is resumed from."""
        for file, size in zip(self._files(), sizes, strict=True):
            if file.exists():
                with guard_write(file), _appending(file) as log:
                    # A log that a power cut left shorter than its checkpoint is not filled up.
                    log.truncate(min(size, log.tell()))

    def stepped(self, metrics: StepMetrics) -> None:
        self._append(self._folder.metrics, json.dumps(dataclasses.asdict(metrics)) + "\n")

    def validated(self, metrics: ValidationMetrics) -> None:
        self._append(self._folder.metrics, json.dumps(dataclasses.asdict(metrics)) + "\n")

    def sampled(self, step: int, text: str) -> None:
        self._append(self._folder.samples, f"--- step {step} ---\n{text}\n\n")

    def _files(self) -> tuple[Path, Path]:
        return self._folder.metrics, self._folder.samples

    def _append(self, path: Path, text: str) -> None:
        with guard_write(path), _appending(path) as file:
            file.write(text)


def read_samples(folder: Path, most: int) -> str:
    try:
        with open_plain(folder / SAMPLES_NAME) as file:
            # A character has four bytes at most.
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4 * most))
            return file.read().decode("utf-8", "replace")[-most:]
    except OSError:  # it has written nothing yet
        return ""


def _appending(path: Path) -> TextIO:
    try:
        return open_to_append(path)
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        raise UsageError(
            f"{path} is not written to: {error.strerror}. Put a copy of the file in its place."
        ) from error
