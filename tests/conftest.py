"""Fixtures that more than one folder of tests uses."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from burble.threads import set_thread_defaults

CORPORA = Path(__file__).parents[2] / "shared" / "corpora"


def corpus(name: str) -> Path:
    """A real text; the test skips, with the reason, where it is absent."""
    path = CORPORA / name
    if not path.exists():
        pytest.skip(f"{path} is not there: real texts are kept beside the repository")
    return path


@pytest.fixture
def alice() -> Path:
    return corpus("alice.txt")


@pytest.fixture
def tinyshakespeare() -> Path:
    return corpus("tinyshakespeare.txt")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of modules that begin with `torch = pytest.importorskip("torch")`, and skip
    those that are marked where torch is not installed.
    """
    has_torch = importlib.util.find_spec("torch") is not None
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item.module, "torch"):
            item.add_marker(pytest.mark.torch)
        if not has_torch and item.get_closest_marker("torch"):
            item.add_marker(pytest.mark.skip(reason="torch is an extra"))


def pytest_configure() -> None:
    # As the command line does; before NumPy and torch are imported.
    set_thread_defaults()
