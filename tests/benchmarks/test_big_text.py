"""The memory of a run is measured as its own, and what is measured is written."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.big_text import peak_megabytes, seconds_to_first_step, write_text
from burble.config import RunConfig
from burble.run_toml import to_toml

if TYPE_CHECKING:
    from pathlib import Path


def test_the_peak_is_that_of_the_command_and_not_of_this_process() -> None:
    held = np.ones(60_000_000, np.float32)
    small, _ = peak_megabytes([sys.executable, "-c", "pass"])
    large, _ = peak_megabytes([sys.executable, "-c", "held = bytearray(b'x') * 100_000_000"])
    assert held.nbytes == 240e6
    assert small < 40
    assert 100 < large < 140


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_pages_of_a_mapped_file_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "mapped").write_bytes(b"x" * 50_000_000)
    read = (
        "import mmap, sys, time\n"
        "file = open(sys.argv[1], 'rb')\n"
        "pages = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)\n"
        "held = bytearray(b'x') * 30_000_000\n"
        "assert sum(pages[::4096])\n"
        "time.sleep(1)\n"
    )
    peak, own = peak_megabytes([sys.executable, "-c", read, str(tmp_path / "mapped")])
    assert peak > 80
    assert own is not None
    assert 30 < own < 50


def test_a_command_that_fails_ends_the_measurement() -> None:
    with pytest.raises(SystemExit, match="no such text"):
        peak_megabytes([sys.executable, "-c", "import sys; sys.exit('no such text')"])


def test_a_text_is_as_long_as_it_shall_be(tmp_path: Path) -> None:
    write_text(tmp_path / "text.txt", 1)
    text = (tmp_path / "text.txt").read_text("utf-8")
    assert 1e6 <= len(text.encode()) < 1.2e6
    assert all(len(line.split(" ")) == 10 for line in text.splitlines())


def test_the_first_step_is_found_in_the_log(tmp_path: Path) -> None:
    config = RunConfig().with_options({"batch_size": 4, "seq_len": 8})
    (tmp_path / "run.toml").write_text(to_toml(config))
    figures = {"progress": 0.1, "train_bits_per_char": 4.0, "accuracy": 0.1, "learning_rate": 0.1}
    line = figures | {"step": 10, "seconds": 3.0, "chars_per_second": 160.0, "grad_norm": 1.0}
    (tmp_path / "metrics.jsonl").write_text(json.dumps(line | {"epoch": 0.1}) + "\n")
    assert seconds_to_first_step(tmp_path) == pytest.approx(1.0)


def test_the_command_writes_data_and_a_page(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.big_text", "--megabytes", "1", "--minutes", "0.3"]
    done = subprocess.run(
        [*command, "--write", str(tmp_path)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (report,) = json.loads((tmp_path / "memory.json").read_text("utf-8")).values()
    (one,) = report["results"]
    assert 1 <= one["megabytes"] < 1.2
    # The aim of a run on so little text.
    assert 20 < one["peak_megabytes"] < 200
    assert 0 < one["seconds_to_first_step"] < 18
    assert f"| {one['peak_megabytes']:.0f} | {one['own_megabytes'] or 0:.0f} |" in (
        tmp_path / "memory.md"
    ).read_text("utf-8")
