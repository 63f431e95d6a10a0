"""Steps of learning side by side: what is measured, and the command as it is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.training import CASES, write
from benchmarks.training_step import OTHERS, Case, competitor, measure, measure_beside
from burble.capacity import num_weights

if TYPE_CHECKING:
    from pathlib import Path

SMALL = Case(num_layers=1, hidden_size=16, rows=4, vocab_size=20)

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


def training(folder: Path, *args: str) -> dict[str, Any]:
    """Measure small cases as a user would; the report of this machine."""
    quick = "--rounds 1 --turn 0.01 --beside 1x16:4 --beside-turn 0.05 --threads 1"
    command = [sys.executable, "-m", "benchmarks.training", *quick.split(), *args]
    done = subprocess.run(
        [*command, "--write", str(folder)], check=False, capture_output=True, text=True, timeout=250
    )
    assert done.returncode == 0, done.stderr
    (report,) = json.loads((folder / "training.json").read_text("utf-8")).values()
    return dict(report)


def test_cases_are_read_from_their_names() -> None:
    assert Case.read("2x512:64") == Case(2, 512, 64, 65)
    assert Case.read("1x256:16:5000") == Case(1, 256, 16, 5000)
    assert len(set(map(Case.read, CASES))) == len(CASES)


def test_the_command_writes_data_and_a_page(tmp_path: Path) -> None:
    report = training(tmp_path, "--cases", "1x16:4", "2x16:4:300")
    assert [(one["network"], one["vocab_size"]) for one in report["results"]] == [
        ("1×16", 65),
        ("2×16", 300),
    ]
    for one in report["results"]:
        assert one["share"] == pytest.approx(one["gflops"] / one["peak_gflops"])
    assert [one["threads"] for one in report["beside"]] == [None, 1]
    page = (tmp_path / "training.md").read_text("utf-8")
    assert "| 1×16 | 4 | 65 | 1 |" in page
    assert "| 2×16 | 4 | 300 | 1 |" in page
    assert "| its own |" in page


def test_another_machine_keeps_its_results(tmp_path: Path) -> None:
    report = training(tmp_path, "--cases", "1x16:4")
    machine = report["machine"] | {"processor": "Another"}
    write(report | {"machine": machine}, tmp_path)
    write(report, tmp_path)
    kept = json.loads((tmp_path / "training.json").read_text("utf-8"))
    assert len(kept) == 2
    assert sum("Another" in name for name in kept) == 1
    assert (tmp_path / "training.md").read_text("utf-8").count("\n## ") == 2


def test_without_others_burble_is_measured_alone() -> None:
    found = measure(SMALL, threads=1, rounds=1, turn=0.01, others=[])
    assert found.others_ms == {}
    assert found.times_faster is None
    assert found.native_ms > 0


@needs_torch
def test_the_quicker_of_the_others_counts() -> None:
    found = measure(SMALL, threads=1, rounds=1, turn=0.01, others=list(OTHERS))
    quickest = min(found.others_ms.values())
    assert found.others_ms.keys() == OTHERS.keys()
    assert found.times_faster == pytest.approx(quickest / found.native_ms)


@needs_torch
def test_the_plain_loop_learns_its_batch() -> None:
    step: Any = OTHERS["plain"](SMALL, 1)
    first = step()
    for _ in range(50):
        last = step()
    assert last < 0.95 * first


def test_operations_are_those_of_all_positions() -> None:
    network = SMALL.config.network
    products = num_weights(network, SMALL.vocab_size) - SMALL.vocab_size * network.embedding_size
    biases = 4 * SMALL.hidden_size + SMALL.vocab_size
    assert SMALL.operations == 6 * (products - biases) * SMALL.rows * 32


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processors cannot be chosen")
def test_a_competitor_is_busy_until_it_ends() -> None:
    before = os.times()
    with competitor():
        measure_beside(SMALL, threads=1, most=1, rounds=1, turn=0.3)
    spent = os.times().children_user - before.children_user
    # The time of processes that have ended: of this one, and of the one in measure_beside.
    assert spent > 0.2
