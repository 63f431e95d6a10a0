"""What a run has left in its folder, read with care: it may be broken, or not a run's at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, TypeVar

from burble.config import CONFIG_NAME
from burble.errors import UsageError
from burble.metrics import METRICS_NAME, SAMPLES_NAME, as_metrics, logged
from burble.plain_files import find_odd, open_plain
from burble.run_lock import holder

if TYPE_CHECKING:
    from pathlib import Path

    from burble.metrics import StepMetrics, ValidationMetrics

# What a page gets to see of a long run.
_MAX_POINTS = 400
_MAX_SAMPLES = 6000

T = TypeVar("T")


def is_run(folder: Path) -> bool:
    """Return whether `folder` is a run, with nothing in it that leads elsewhere or would be waited
    for.
    """
    # A run that has just begun is locked, and still written in a folder within.
    if folder.is_symlink() or not (
        os.path.lexists(folder / CONFIG_NAME) or holder(folder) is not None
    ):
        return False
    try:
        return find_odd(folder) is None
    except OSError:  # it is gone, or is not for us to read
        return False


def age(path: Path) -> float:
    """How old it is, compared with others; what is gone is oldest."""
    try:
        return -path.stat().st_mtime
    except OSError:
        return float("inf")


def read_metrics(folder: Path) -> list[StepMetrics | ValidationMetrics]:
    """What was logged: every so many-th line, and the last. Raises `UsageError`."""
    path = folder / METRICS_NAME
    if not path.exists():
        return []
    try:
        lines = logged(folder)
    except (OSError, ValueError) as error:
        raise UsageError(f"{METRICS_NAME} is not the log of a run: {error}.") from error
    return [as_metrics(line, METRICS_NAME) for line in _thinned(lines)]


def _thinned(lines: list[T]) -> list[T]:
    stride = -(-len(lines) // _MAX_POINTS) or 1
    return lines[::-1][::stride][::-1]


def read_samples(folder: Path) -> str:
    """The end of what it wrote while it learned."""
    try:
        with open_plain(folder / SAMPLES_NAME) as file:
            # A character has four bytes at most.
            file.seek(max(0, file.seek(0, os.SEEK_END) - 4 * _MAX_SAMPLES))
            return file.read().decode("utf-8", "replace")[-_MAX_SAMPLES:]
    except OSError:  # it has written nothing yet
        return ""
