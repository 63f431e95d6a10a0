"""The figures of a run, and its log of them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from burble.errors import UsageError
from burble.folder_names import METRICS_NAME
from burble.mapping import from_saved
from burble.plain_files import NOT_OURS, read_plain
from burble.system_errors import MISSING, read_error

# A run logs a thousand lines of 250 bytes, and a thousand for each time it gets ten times longer.
_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class StepMetrics:
    """The mean over the steps since the last one told."""

    step: int
    seconds: float
    progress: float
    train_bits_per_char: float
    accuracy: float
    learning_rate: float
    grad_norm: float
    chars_per_second: float
    epoch: float


@dataclass(frozen=True)
class ValidationMetrics:
    """A reading of the held-out text; the figures are None where nothing is held out."""

    step: int
    seconds: float
    progress: float
    val_bits_per_char: float | None
    val_accuracy: float | None
    best: bool


@dataclass(frozen=True)
class Metrics:
    steps: list[StepMetrics]
    validations: list[ValidationMetrics]

    @property
    def measured(self) -> list[ValidationMetrics]:
        return [reading for reading in self.validations if reading.val_bits_per_char is not None]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """From the log in the folder of a run. Raises `UsageError` where there is no such log."""
        path = folder / METRICS_NAME
        try:
            lines = logged(folder)
        except OSError as error:
            if error.errno not in MISSING | NOT_OURS:
                raise read_error(path, error) from error
            raise UsageError(
                f"There is no run in {folder}: {path} cannot be read ({error.strerror}). Name the "
                "folder that `burble train` made."
            ) from error
        except ValueError as error:
            raise UsageError(
                f"{path} is not the log of a run: {error}. Use an unbroken copy, or train again."
            ) from error
        read = [as_metrics(line, str(path)) for line in lines]
        return cls(
            [one for one in read if isinstance(one, StepMetrics)],
            [one for one in read if isinstance(one, ValidationMetrics)],
        )


def read_thinned(folder: Path, most: int) -> list[StepMetrics | ValidationMetrics]:
    """Read at most `most` lines of the log, evenly spaced, and the last. Raises `UsageError`."""
    if not (folder / METRICS_NAME).exists():
        return []
    try:
        lines = logged(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"{METRICS_NAME} is not the log of a run: {error}.") from error
    stride = -(-len(lines) // most) or 1
    return [as_metrics(line, METRICS_NAME) for line in lines[::-1][::stride][::-1]]


def logged(folder: Path) -> list[Any]:
    """Read the log of a run, line by line. Raises `OSError` or `ValueError`.

    Lines that name a `kind` are of a later burble, and left out: those of today have none.
    """
    # A line without an end is being written, or its run was killed in the middle of it.
    whole = read_plain(folder / METRICS_NAME, _MAX_BYTES).decode("utf-8").rpartition("\n")[0]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except RecursionError as error:
        raise ValueError("a line is nested too deep") from error
    return [line for line in lines if not isinstance(line, dict) or "kind" not in line]


def as_metrics(line: object, where: str) -> StepMetrics | ValidationMetrics:
    if isinstance(line, dict) and "val_bits_per_char" in line:
        return from_saved(ValidationMetrics, line, where)
    return from_saved(StepMetrics, line, where)
