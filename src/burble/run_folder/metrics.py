"""The figures of a run, and reading them from its log."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from burble.errors import UsageError
from burble.folder_names import METRICS_NAME
from burble.mapping import from_saved
from burble.plain_files import NOT_OURS, read_plain
from burble.system_errors import MISSING, read_error

# A run logs 1,000 lines of 250 bytes, and 1,000 more for each tenfold of its length.
_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class StepMetrics:
    """The mean figures of the steps since the last ones logged. Rate and norm are the latest."""

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
    """The figures of a validation. They are None if no text is held out."""

    step: int
    seconds: float
    progress: float
    val_bits_per_char: float | None
    val_accuracy: float | None
    best: bool


@dataclass(frozen=True)
class Metrics:
    """The log of a run."""

    steps: list[StepMetrics]
    validations: list[ValidationMetrics]

    @property
    def measured(self) -> list[ValidationMetrics]:
        """The validations that have figures."""
        return [reading for reading in self.validations if reading.val_bits_per_char is not None]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the log in the folder of a run. Raises `UsageError` if there is none."""
        path = folder / METRICS_NAME
        try:
            lines = read_log(folder)
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
        read = [parse_line(line, str(path)) for line in lines]
        return cls(
            [one for one in read if isinstance(one, StepMetrics)],
            [one for one in read if isinstance(one, ValidationMetrics)],
        )


def read_thinned(folder: Path, most: int) -> list[StepMetrics | ValidationMetrics]:
    """Read at most `most` lines of the log, evenly spaced, the last one included.

    Raises `UsageError` if the file is not such a log.
    """
    if not (folder / METRICS_NAME).exists():
        return []
    try:
        lines = read_log(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"{METRICS_NAME} is not the log of a run: {error}.") from error
    stride = -(-len(lines) // most) or 1
    return [parse_line(line, METRICS_NAME) for line in lines[::-1][::stride][::-1]]


def read_log(folder: Path) -> list[Any]:
    """Return the lines of a run's log as plain values. Raises `OSError` or `ValueError`.

    Lines with a `kind` come from a later burble and are skipped: this version writes none.
    """
    # A last line without an end is still being written, or its run was killed while writing.
    whole = read_plain(folder / METRICS_NAME, _MAX_BYTES).decode("utf-8").rpartition("\n")[0]
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except RecursionError as error:
        raise ValueError("a line is nested too deep") from error
    return [line for line in lines if not isinstance(line, dict) or "kind" not in line]


def parse_line(line: object, where: str) -> StepMetrics | ValidationMetrics:
    """Turn a line of the log into figures. `where` names the file in error messages."""
    if isinstance(line, dict) and "val_bits_per_char" in line:
        return from_saved(ValidationMetrics, line, where)
    return from_saved(StepMetrics, line, where)
