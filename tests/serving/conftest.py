"""One server for all tests that do not change it: a model of characters, and one of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.models import random_model
from tests.serving.server import burble_serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.serving.server import Server


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with letters.safetensors and bytes.safetensors."""
    folder = tmp_path_factory.mktemp("models")
    random_model(num_layers=2, hidden_size=32, head_scale=3).save(folder / "letters.safetensors")
    random_model(vocabulary=None, hidden_size=32).save(folder / "bytes.safetensors")
    return folder


@pytest.fixture(scope="session")
def server(models: Path) -> Iterator[Server]:
    with burble_serve(models / "letters.safetensors", models / "bytes.safetensors") as running:
        yield running
