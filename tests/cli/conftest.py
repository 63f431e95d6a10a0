"""One trained model for all tests of the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.training.runs import train_tiny

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with text.txt and the finished run of it in run/."""
    folder = tmp_path_factory.mktemp("trained")
    train_tiny(folder, sentences=400, steps=400, dropout=0.0, learning_rate=0.02)
    return folder
