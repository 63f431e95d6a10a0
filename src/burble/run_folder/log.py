"""The logs of a run: its figures and its samples."""

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
    """Append the figures of a run to `metrics.jsonl` and its samples to `samples.txt`."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def sizes(self) -> tuple[int, int]:
        """Return the sizes of `metrics.jsonl` and `samples.txt` in bytes, for a checkpoint."""
        metrics, samples = (file.stat().st_size if file.exists() else 0 for file in self._files())
        return metrics, samples

    def cut(self, sizes: tuple[int, int]) -> None:
        """Remove what was logged after the checkpoint that had these sizes."""
        for file, size in zip(self._files(), sizes, strict=True):
            if file.exists():
                with guard_write(file), _open_log(file) as log:
                    # After a power cut the log can be shorter: do not fill it up with zeros.
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
        with guard_write(path), _open_log(path) as file:
            file.write(text)


def read_samples(folder: Path, most: int) -> str:
    """Return the last `most` characters of the samples of a run, or "" if there are none."""
    try:
        with open_plain(folder / SAMPLES_NAME) as file:
            # A character has at most four bytes.
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4 * most))
            return file.read().decode("utf-8", "replace")[-most:]
    except OSError:  # it has no samples yet
        return ""


def _open_log(path: Path) -> TextIO:
    try:
        return open_to_append(path)
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        raise UsageError(
            f"{path} cannot be written: {error.strerror}. Replace it by a copy of the file."
        ) from error
