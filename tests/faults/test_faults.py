"""A sample of the harnesses of this folder; the modules that it runs have the whole sets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import shim

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="calls are caught as Linux lets them be"),
    pytest.mark.skipif(shim.compiler() is None, reason="no C compiler (cc) to build shim.c"),
]


def wrong_in(module: str, out: Path, *args: str) -> list[object]:
    """Run a harness; return the cases that went wrong."""
    ended = subprocess.run(
        [sys.executable, "-m", f"tests.faults.{module}", *args, "--json", str(out)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert out.exists(), ended.stderr
    found = json.loads(out.read_text())
    assert found["cases"] > 0
    return list(found["wrong"])


def test_calls_that_fail_lose_nothing_and_are_reported(tmp_path: Path) -> None:
    scenarios = ("overwrite", "resume", "train", "export-hub-overwrite")
    assert wrong_in("every_call", tmp_path / "wrong.json", *scenarios, "--sample", "6") == []


def test_calls_that_read_and_fail_are_reported(tmp_path: Path) -> None:
    args = ("resume", "--calls", "looks", "--sample", "8")
    assert wrong_in("every_call", tmp_path / "wrong.json", *args) == []


def test_texts_that_cannot_be_looked_at_are_reported(tmp_path: Path) -> None:
    args = ("eval", "alice", "--calls", "looks", "--errors", "EIO")
    assert wrong_in("every_call", tmp_path / "wrong.json", *args) == []


def test_a_kill_at_a_call_loses_nothing(tmp_path: Path) -> None:
    args = ("overwrite", "train", "--errors", "KILL", "--sample", "8")
    assert wrong_in("every_call", tmp_path / "wrong.json", *args) == []


def test_of_two_trainings_in_one_folder_one_learns(tmp_path: Path) -> None:
    args = ("--pairs", "2", "--without-page")
    assert wrong_in("pairs", tmp_path / "wrong.json", *args) == []
