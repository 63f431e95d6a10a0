"""Real processes under torchrun: two learn what one learns from the same batches."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from burble.data.batch import Batch
from burble.errors import UsageError
from burble.training import checkpoint
from burble.training.team import Team
from tests.training.runs import TINY, saved_state, write_text

if TYPE_CHECKING:
    from pathlib import Path

TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node"]
OPTIONS = TINY | {"threads": 1, "steps": 60, "learning_rate": 0.01}
STREAM = {"batching": "stream"}
# 14 windows: of the third batch of an epoch the second process has only padding.
WINDOWS = {"batching": "windows", "stride": 400, "cell": "gru", "locked_dropout": "no"}


def command(processes: int, *args: Any) -> list[str]:
    launcher = [*TORCHRUN, str(processes)] if processes > 1 else []
    return [sys.executable, *launcher, "-m", "tests.training.team_process", *map(str, args)]


def flags(options: dict[str, Any]) -> list[str]:
    words: list[str] = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        words += [f"--no-{flag[2:]}"] if value == "no" else [flag, str(value)]
    return words


def start(folder: Path, processes: int, *args: Any, **environment: str) -> subprocess.Popen[str]:
    (folder / "fingerprints").mkdir(exist_ok=True)
    environment |= {"FINGERPRINTS": str(folder / "fingerprints")}
    return subprocess.Popen(
        command(processes, "train", *args),
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start_run(
    folder: Path, processes: int, options: dict[str, Any], **environment: str
) -> subprocess.Popen[str]:
    folder.mkdir()
    text = write_text(folder)
    # A preset of nothing, so that no plan is made.
    words = [text, "-o", folder / "run", "--config", write_defaults(folder)]
    return start(folder, processes, *words, *flags(OPTIONS | options), **environment)


def write_defaults(folder: Path) -> Path:
    path = folder / "defaults.toml"
    path.write_text("")
    return path


def through(process: subprocess.Popen[str]) -> str:
    _, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    return told


def log_of(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "run" / "metrics.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def figures(folder: Path, kind: str) -> list[tuple[int, float]]:
    """The curve of one kind of loss."""
    return [(line["step"], line[kind]) for line in log_of(folder) if kind in line]


def tensors(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    return saved_state(folder / "run").tensors


def assert_close(one: Path, other: Path) -> None:
    curves = [figures(folder, "val_bits_per_char") for folder in (one, other)]
    np.testing.assert_allclose(*curves, rtol=1e-4)
    for name, tensor in tensors(one).items():
        np.testing.assert_allclose(tensor, tensors(other)[name], atol=2e-4, err_msg=name)


def assert_same(one: Path, other: Path) -> None:
    assert tensors(one).keys() == tensors(other).keys()
    for name, tensor in tensors(one).items():
        np.testing.assert_array_equal(tensor, tensors(other)[name], name)


@pytest.mark.parametrize("options", [STREAM, WINDOWS], ids=["stream", "windows"])
def test_two_processes_learn_what_one_learns(tmp_path: Path, options: dict[str, Any]) -> None:
    options = {**options, "dropout": 0.3, "input_dropout": 0.3}
    one, two = tmp_path / "one", tmp_path / "two"
    through(start_run(one, 1, options))
    told = through(start_run(two, 2, options))
    curves = [figures(folder, "train_bits_per_char") for folder in (one, two)]
    assert len(curves[0]) == OPTIONS["steps"]
    np.testing.assert_allclose(*curves, rtol=1e-4)
    assert_close(one, two)
    # Both processes hold the same weights, bit for bit, and only one of them speaks and writes.
    fingerprints = {path.read_text() for path in (two / "fingerprints").iterdir()}
    assert len(list((two / "fingerprints").iterdir())) == 2
    assert len(fingerprints) == 1
    assert told.count("step 60 ") == 1
    assert (two / "run" / "samples.txt").read_text().count("--- step 60 ---") == 1


def test_two_processes_stopped_and_resumed_end_like_two_never_stopped(tmp_path: Path) -> None:
    whole, cut, by_one = tmp_path / "whole", tmp_path / "cut", tmp_path / "by_one"
    through(start_run(whole, 2, {"steps": 300}))
    stopped = start_run(cut, 2, {"steps": 300})
    wait_for_lines(cut, 60)
    stopped.send_signal(signal.SIGINT)
    _, told = stopped.communicate(timeout=60)
    assert told.count("Everything is saved") == 1
    assert 0 < checkpoint.read_manifest(cut / "run" / "last").position.step < 300
    shutil.copytree(cut, by_one)
    through(start(cut, 2, "--resume", cut / "run"))
    assert_same(whole, cut)
    assert len({path.read_text() for path in (cut / "fingerprints").iterdir()}) == 1
    through(start(by_one, 1, "--resume", by_one / "run"))
    assert_close(whole, by_one)


def test_two_processes_replace_a_run(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    through(start_run(folder, 2, {"steps": 5}))
    words = [folder / "text.txt", "-o", folder / "run", "--config", folder / "defaults.toml"]
    through(start(folder, 2, *words, *flags(OPTIONS | {"steps": 7}), "--overwrite"))
    assert checkpoint.read_manifest(folder / "run" / "last").position.step == 7


def wait_for_lines(folder: Path, count: int) -> None:
    end = time.monotonic() + 60
    path = folder / "run" / "metrics.jsonl"
    while not path.exists() or path.read_text().count("\n") < count:
        assert time.monotonic() < end
        time.sleep(0.02)


def test_numbers_that_are_not_finite_are_taken_back_together(tmp_path: Path) -> None:
    process = start_run(tmp_path / "run", 2, {"learning_rate": 1e38, "warmup_steps": 0})
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1  # torchrun's, whatever the processes'
    assert told.count("of the learning rate.\n") == 3
    assert told.count("burble: Training diverged") == 1
    assert "exitcode  : 5" in told


@pytest.mark.parametrize("rank", ["0", "1"])
def test_when_one_process_breaks_all_end(tmp_path: Path, rank: str) -> None:
    process = start_run(tmp_path / "run", 2, {"steps": 1_000_000}, BROKEN_RANK=rank)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "broken for the test" in told
    assert told.count("This is a bug in burble") == 1


def test_rows_that_cannot_be_shared_are_one_message_and_leave_no_folder(tmp_path: Path) -> None:
    process = start_run(tmp_path / "run", 2, {"batch_size": 5})
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told.count("2 processes cannot share batches of 5 rows equally") == 1
    assert "exitcode  : 2" in told
    assert not (tmp_path / "run" / "run").exists()


def test_fewer_rows_than_processes_cannot_be_shared() -> None:
    team = Team()
    team.size = 4
    with pytest.raises(UsageError, match="multiple of 4"):
        team.check_rows(2)
    team.check_rows(8)


def test_the_shares_of_a_batch_are_the_batch() -> None:
    numbers = np.arange(24).reshape(3, 8)
    batch = Batch(numbers, numbers + 1, numbers % 5 > 0, np.arange(8) < 3)
    parts = []
    for rank in range(4):
        team = Team()
        team.size, team.rank = 4, rank
        parts.append(team.shard(batch))
    np.testing.assert_array_equal(np.concatenate([part.inputs for part in parts], 1), numbers)
    np.testing.assert_array_equal(np.concatenate([part.reset for part in parts]), batch.reset)
    assert sum(part.num_targets for part in parts) == batch.num_targets
