"""On processors that have no bfloat16, as most laptops' have none."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from tests.cli.command import assert_refused, burble_process, said
from tests.training.runs import write_text

if TYPE_CHECKING:
    from pathlib import Path

# What oneDNN, which computes torch's LSTM, may use of an x86 processor.
OLD = {"ONEDNN_MAX_CPU_ISA": "AVX2"}

pytestmark = pytest.mark.skipif(
    platform.machine() not in {"x86_64", "AMD64"}, reason="only x86 can be made to look older"
)


def test_without_a_word_about_precision_it_learns(tmp_path: Path) -> None:
    text, run = write_text(tmp_path), tmp_path / "run"
    learned = burble_process("train", text, "-o", run, "--steps", "3", "--json", **OLD)
    assert learned.returncode == 0, said(learned)
    assert json.loads(learned.stdout)["steps"] == 3
    assert 'precision = "float32"' in (run / "run.toml").read_text()


def test_where_bfloat16_is_asked_for_it_says_that_there_is_none(tmp_path: Path) -> None:
    text, run = write_text(tmp_path), tmp_path / "run"
    learned = burble_process("train", text, "-o", run, "--precision", "bfloat16", **OLD)
    assert_refused(learned, 2, "lstm cells in bfloat16", "--precision float32")
    assert not run.exists()
