"""How many processors a process may use."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from burble import threads

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("quota", "expected"),
    [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("10000000 100000", None)],
)
def test_a_quota_bounds_what_the_affinity_gives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, expected: int | None
) -> None:
    file = tmp_path / "cpu.max"
    file.write_text(f"{quota}\n")
    monkeypatch.setattr(threads, "_QUOTA", file)
    assert threads.usable_processors() == (expected or len(os.sched_getaffinity(0)))


def test_without_a_quota_the_affinity_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "_QUOTA", tmp_path / "none")
    assert threads.usable_processors() == len(os.sched_getaffinity(0))
