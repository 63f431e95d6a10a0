"""Real processes, killed: whatever the moment, a model is left that loads, and the run goes on."""

from __future__ import annotations

import multiprocessing
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from burble.folder_names import MANIFEST, MODEL_NAME
from burble.model_file import ModelFile
from burble.training import checkpoint, store, validation
from tests.training.runs import resume_tiny, train_tiny, write_text

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess
    from pathlib import Path

KILLS = 50
# More steps than there is time for; a checkpoint every hundred, so that many kills hit one.
STEPS = 1_000_000

# Its server has all modules imported already, so that a child starts in milliseconds.
forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload(
    ["burble.run_hooks", "burble.training.learners.native.backend", "tests.training.runs"]
)


def begin(folder: Path) -> None:
    validation.MILESTONES = STEPS // 100
    train_tiny(folder, steps=STEPS, threads=1, patience=1_000_000)


def go_on(folder: Path) -> None:
    validation.MILESTONES = STEPS // 100
    resume_tiny(folder)


def begin_with_rare_milestones(folder: Path) -> None:
    store._SAVE_SECONDS = 0.05
    train_tiny(folder, steps=STEPS, threads=1)


def written(path: Path) -> int:
    """When; 0 where it never was."""
    return path.stat().st_mtime_ns if path.exists() else 0


def wait_until_written(
    path: Path, process: ForkServerProcess, since: int = 0, seconds: float = 60
) -> None:
    end = time.monotonic() + seconds
    while written(path) <= since:
        assert process.is_alive(), "the run ended before it left a model"
        assert time.monotonic() < end, f"{path} was not written in {seconds} s"
        time.sleep(0.005)


def test_fifty_kills_at_random_moments_each_leave_a_model_that_loads(tmp_path: Path) -> None:
    draw = random.Random(0)  # noqa: S311 - not a secret
    manifest = tmp_path / "run" / "last" / MANIFEST
    steps = []
    for kill in range(KILLS):
        process = forkserver.Process(target=go_on if kill else begin, args=(tmp_path,))
        # Most come while it starts, or shortly after. However slow the machine is, some come late.
        since = written(manifest) if kill % 10 == 0 else 0
        process.start()
        wait_until_written(manifest, process, since)
        process.join(draw.uniform(0, 0.4))
        assert process.is_alive()
        process.kill()
        process.join()
        ModelFile.load(tmp_path / "run")
        steps.append(checkpoint.read_manifest(tmp_path / "run" / "last").position.step)
    assert steps == sorted(steps)
    assert steps[-1] > 0


def test_between_two_milestones_the_state_is_saved_now_and_then(tmp_path: Path) -> None:
    last = tmp_path / "run" / "last"
    process = forkserver.Process(target=begin_with_rare_milestones, args=(tmp_path,))
    process.start()
    wait_until_written(last / MANIFEST, process)
    wait_until_written(last / MANIFEST, process, written(last / MANIFEST))
    process.kill()
    process.join()
    # The next milestone would be at this step.
    assert 0 < checkpoint.read_manifest(last).position.step < STEPS // validation.MILESTONES


def test_a_killed_run_leaves_no_litter_once_it_has_gone_on(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=20)
    last = tmp_path / "run" / "last"
    # What a kill between two renames leaves behind.
    (last / "state-7-1.safetensors").write_bytes(b"old")
    resume_tiny(tmp_path, steps=40)
    assert len(list(last.iterdir())) == 2


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_saves_and_tells_how_to_go_on(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    run = tmp_path / "run"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "burble", "train", write_text(tmp_path), "-o", run),
            *("--steps", str(STEPS), "--hidden-size", "16"),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 60
    while not (run / MODEL_NAME).exists() and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.3)
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == code
    assert f"burble train --resume {run}" in told
    assert "Traceback" not in told
    saved = checkpoint.read_manifest(run / "last").position
    assert f"Stopped at step {saved.step};" in told
