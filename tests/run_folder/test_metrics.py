"""The log of a run, as it is read."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import pytest

from burble.errors import UsageError
from burble.folder_names import METRICS_NAME
from burble.run_folder.metrics import Metrics, StepMetrics, ValidationMetrics

if TYPE_CHECKING:
    from pathlib import Path

STEP = StepMetrics(3, 1.5, 0.1, 4.2, 0.3, 0.01, 0.5, 900.0, 0.2)
READING = ValidationMetrics(4, 1.6, 0.2, 4.1, 0.31, best=True)
NOTHING_HELD_OUT = ValidationMetrics(5, 1.7, 0.3, None, None, best=True)
LINES = [json.dumps(dataclasses.asdict(one)) for one in (STEP, READING, NOTHING_HELD_OUT)]


def log(folder: Path, text: str) -> Path:
    (folder / METRICS_NAME).write_text(text, encoding="utf-8")
    return folder


def test_a_log_is_read_as_it_was_written(tmp_path: Path) -> None:
    found = Metrics.read(log(tmp_path, "\n".join(LINES) + "\n"))
    assert found == Metrics([STEP], [READING, NOTHING_HELD_OUT])


def test_a_figure_of_a_later_version_is_left_out(tmp_path: Path) -> None:
    later = [json.dumps({**json.loads(line), "later": 1}) for line in LINES]
    assert Metrics.read(log(tmp_path, "\n".join(later) + "\n")).steps == [STEP]


def test_a_line_of_a_later_kind_is_left_out(tmp_path: Path) -> None:
    lines = ['{"kind": "memory", "step": 3}', *LINES]
    assert Metrics.read(log(tmp_path, "\n".join(lines) + "\n")).steps == [STEP]


def test_a_line_that_a_killed_run_left_unfinished_is_not_there(tmp_path: Path) -> None:
    found = Metrics.read(log(tmp_path, "\n".join(LINES) + '\n{"step": 6, "sec'))
    assert found.validations == [READING, NOTHING_HELD_OUT]


def test_a_log_of_nothing_is_empty(tmp_path: Path) -> None:
    assert Metrics.read(log(tmp_path, "")) == Metrics([], [])


@pytest.mark.parametrize(
    "text",
    [
        "no JSON\n",
        "[]\n",
        '{"step": 3}\n',
        '{"loss": 3}\n',
        "\x00\n",
        pytest.param("[" * 100_000 + "\n", id="nested too deep"),
    ],
)
def test_what_is_no_log_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=METRICS_NAME):
        Metrics.read(log(tmp_path, text))


def test_a_folder_without_a_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no run in"):
        Metrics.read(tmp_path)
