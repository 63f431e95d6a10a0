"""Numbers that are not finite: never saved, mended where possible, never exit 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from burble.errors import DivergedError
from burble.model_file import ModelFile
from burble.run_folder.observer import Observer
from tests.training.runs import train_tiny

if TYPE_CHECKING:
    from pathlib import Path


# One update by this much makes weights that no network has; one by half of it does not.
FIRST_TOO_HIGH = 1.5e6


class Notes(Observer):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def message(self, text: str) -> None:
        self.messages.append(text)


def test_a_run_that_cannot_be_mended_ends_with_exit_code_5(tmp_path: Path) -> None:
    notes = Notes()
    with pytest.raises(DivergedError, match="diverged") as told:
        train_tiny(tmp_path, [notes], learning_rate=1e38, warmup_steps=0)
    assert told.value.exit_code == 5
    assert len(notes.messages) == 3
    assert "0.125 of the learning rate" in notes.messages[-1]
    # Loading checks that every weight is finite.
    ModelFile.load(tmp_path / "run")


def test_half_the_learning_rate_can_be_enough(tmp_path: Path) -> None:
    notes = Notes()
    result = train_tiny(
        tmp_path, [notes], learning_rate=FIRST_TOO_HIGH, warmup_steps=0, steps=1, dropout=0.0
    )
    assert len(notes.messages) == 1
    assert "goes back to step" in notes.messages[0]
    assert result.steps == 1
    ModelFile.load(tmp_path / "run")
