"""The folder of a run that came from anybody: it goes on, or is refused with one message, and
nothing outside of it is opened or changed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tracemalloc
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from burble.api import load
from burble.errors import BurbleError, ModelFileError, TextError, UsageError
from burble.folder_names import MANIFEST
from burble.model_file import ModelFile
from burble.run_folder.metrics import Metrics
from burble.training import checkpoint
from tests.models import random_model
from tests.training.runs import resume_tiny, train_tiny

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CASES = 150
SECRET = "what only the owner may read"  # noqa: S105 - it is none


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learned")
    train_tiny(folder, steps=20, sample_length=3)
    return folder


@pytest.fixture
def folder(learned: Path, tmp_path: Path) -> Path:
    """A run of its own for each test, beside a file that nothing may change."""
    shutil.copytree(learned / "run", tmp_path / "run")
    (tmp_path / "secret").write_text(SECRET)
    return tmp_path


def contents(run: Path) -> dict[str, bytes]:
    found = sorted(path for path in run.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(run)): path.read_bytes() for path in found}


def refusal(folder: Path, error: type[BurbleError] = ModelFileError) -> str:
    """The one message; the folder is as it was."""
    before = contents(folder / "run")
    with pytest.raises(error) as caught:
        resume_tiny(folder, steps=30)
    assert contents(folder / "run") == before
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_mutated_runs_go_on_or_are_refused() -> None:
    command = [sys.executable, "-m", "tests.training.mutate_states", str(CASES), "--seed", "11"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    counts = {what: int(count) for count, what in re.findall(r"(\d+)  (\w+ \w+)", done.stdout)}
    assert counts["went on"] > CASES // 20
    assert counts["refused 4"] > CASES // 20


# The state.


def change_state(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    state = next((folder / "run" / "last").glob("state-*"))
    tensors = load_file(state)
    change(tensors)
    save_file(tensors, state)


@pytest.mark.parametrize("moment", ["exp_avg", "exp_avg_sq", "step"])
@pytest.mark.parametrize("shape", [(1,), (1000, 100)])
def test_moments_of_another_shape_never_reach_the_optimizer(
    folder: Path, moment: str, shape: tuple[int, ...]
) -> None:
    name = f"optimizer.{moment}.layers.0.weight_hh"
    change_state(folder, lambda tensors: tensors.update({name: np.zeros(shape, np.float32)}))
    assert f"{name} must be F32 of shape" in refusal(folder)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.bool_])
def test_moments_of_another_type_never_reach_the_optimizer(
    folder: Path, dtype: type[np.generic]
) -> None:
    name = "optimizer.exp_avg.head.bias"
    change_state(folder, lambda tensors: tensors.update({name: tensors[name].astype(dtype)}))
    assert f"{name} must be F32" in refusal(folder)


@pytest.mark.parametrize(
    "name", ["network.head.bias", "average.head.bias", "carried.0.1", "optimizer.step.head.bias"]
)
def test_a_state_that_lacks_something_is_refused(folder: Path, name: str) -> None:
    change_state(folder, lambda tensors: tensors.pop(name))
    message = refusal(folder)
    assert f"it lacks {name}" in message
    assert "train again" in message


@pytest.mark.parametrize("kept", [None, 0, 1000])
def test_a_state_that_is_gone_or_cut_short_is_refused_and_the_model_stays(
    folder: Path, kept: int | None
) -> None:
    state = next((folder / "run" / "last").glob("state-*"))
    state.unlink() if kept is None else state.write_bytes(state.read_bytes()[:kept])
    assert "cannot be resumed" in refusal(folder)
    ModelFile.load(folder / "run")


def test_a_state_with_something_more_is_refused(folder: Path) -> None:
    change_state(folder, lambda tensors: tensors.update({"more\x1b[2J": np.zeros(2, np.float32)}))
    assert "it has tensors that it should not: more" in refusal(folder)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("network.head.weight", np.nan),
        ("network.head.weight", 1e16),
        ("average.head.bias", -np.inf),
        ("carried.0.0", np.nan),
        ("optimizer.exp_avg.head.bias", np.inf),
        ("optimizer.exp_avg_sq.head.bias", -1e-9),
        ("optimizer.exp_avg_sq.head.bias", np.nan),
        ("optimizer.step.head.bias", -1.0),
        ("optimizer.step.head.bias", 1e9),
    ],
)
def test_numbers_that_no_run_has_are_refused(folder: Path, name: str, number: float) -> None:
    change_state(folder, lambda tensors: tensors[name].reshape(-1).__setitem__(0, number))
    assert f"{name} contains NaN or numbers out of range" in refusal(folder)


def test_a_state_of_holes_is_refused_before_anything_is_allocated(folder: Path) -> None:
    os.truncate(next((folder / "run" / "last").glob("state-*")), 1 << 40)
    before = (folder / "run" / "run.toml").stat().st_mtime_ns
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match="bytes of tensors"):
            resume_tiny(folder)
        assert tracemalloc.get_traced_memory()[1] < 1 << 22
    finally:
        tracemalloc.stop()
    assert (folder / "run" / "run.toml").stat().st_mtime_ns == before


def change_manifest(folder: Path, **values: Any) -> None:
    path = folder / "run" / "last" / MANIFEST
    manifest = json.loads(path.read_bytes())
    position = {name: value for name, value in values.items() if name != "file"}
    manifest["position"] |= position
    manifest |= {"file": values["file"]} if "file" in values else {}
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "values",
    [
        {"step": -1},
        {"step": 10**13},
        {"step": 10**400},
        {"step": 0},  # then there are no moments yet
        {"step": True},
        {"seconds": float("nan")},
        {"seconds": -1.0},
        {"seconds": 1e300},
        {"chars_seen": -1},
        {"best_bits": float("inf")},
        {"best_bits": -1.0},
        {"stale": -1},
        {"validation_batches": -1},
        {"validation_batches": 2**63},
        {"rate_scale": 0.0},
        {"rate_scale": 2.0},
        {"rescues": 9},
        {"rescues": 1},
        {"metrics_bytes": -1},
        {"metrics_bytes": 2**70},
        {"file": "../../secret"},
        {"file": "/dev/zero"},
        {"file": "state-1-1.safetensors/../../run.toml"},
        {"file": 3},
        {"file": ""},
    ],
    ids=repr,
)
def test_a_position_that_no_run_has_is_refused(folder: Path, values: dict[str, Any]) -> None:
    change_manifest(folder, **values)
    assert "cannot be resumed" in refusal(folder)


def test_a_manifest_of_a_later_version_is_read_or_refused_by_its_number(folder: Path) -> None:
    change_manifest(folder, later=1)
    assert checkpoint.read_manifest(folder / "run" / "last").position.step == 20
    path = folder / "run" / "last" / MANIFEST
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))
    assert "format 2; this burble reads format 1. Install a newer burble." in refusal(folder)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"file": "a", "file": "b"}', b"", b"\xff"])
def test_a_manifest_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    (folder / "run" / "last" / MANIFEST).write_bytes(content)
    assert "cannot be resumed" in refusal(folder)


def test_a_log_that_is_shorter_than_its_checkpoint_is_not_filled_up(folder: Path) -> None:
    change_manifest(folder, metrics_bytes=1 << 40, samples_bytes=1 << 62)
    resume_tiny(folder)
    for name in ("metrics.jsonl", "samples.txt"):
        assert (folder / "run" / name).stat().st_size < 1 << 20


# What is beside the state.


def test_a_model_of_another_run_is_refused(folder: Path) -> None:
    random_model(vocabulary="abc").save(folder / "run" / "model.safetensors")
    assert "is not of this run" in refusal(folder)


def test_ids_that_no_token_has_are_refused(folder: Path) -> None:
    ids = folder / "run" / "data" / "ids.bin"
    ids.write_bytes(b"\xff" + ids.read_bytes()[1:])
    assert "id 255 is beyond" in refusal(folder, TextError)


def test_a_text_that_the_model_did_not_learn_from_is_not_written_from(folder: Path) -> None:
    random_model(vocabulary="abc").save(folder / "run" / "model.safetensors")
    with pytest.raises(TextError, match="their tokens differ"):
        load(folder / "run").random_prompt(5, seed=0)


# What leads out of the folder, or would be waited for.

PARTS = ["run.toml", "model.safetensors", "metrics.jsonl", "samples.txt", "data", "last"]
DEEPER = ["data/ids.bin", "data/data.json", "last/manifest.json"]
NEW = [".burble-lock", ".burble-new", ".burble-ready", "tensorboard", ".burble-new/samples.txt"]


def replace(path: Path) -> None:
    """Make room for something else in the place of `path`."""
    path.parent.mkdir(exist_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)


@pytest.mark.parametrize("name", [*PARTS, *DEEPER, *NEW])
def test_a_link_is_named_and_not_followed(folder: Path, name: str) -> None:
    path = folder / "run" / name
    kept = folder / "kept"
    shutil.copytree(folder / "run", kept)
    (kept / ".burble-new").mkdir(exist_ok=True)
    before = contents(kept)
    replace(path)
    path.symlink_to(kept / name if (kept / name).exists() else folder / "secret")
    assert str(path) in refusal(folder, UsageError)
    assert contents(kept) == before


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", [*PARTS, *DEEPER, *NEW])
def test_a_pipe_is_named_and_not_waited_for(folder: Path, name: str) -> None:
    path = folder / "run" / name
    replace(path)
    os.mkfifo(path)
    assert str(path) in refusal(folder, UsageError)


@pytest.mark.parametrize("name", ["metrics.jsonl", "samples.txt", ".burble-lock"])
def test_a_file_with_a_second_name_is_not_written_to(folder: Path, name: str) -> None:
    replace(folder / "run" / name)
    (folder / "run" / name).hardlink_to(folder / "secret")
    assert name in refusal(folder, UsageError)
    assert (folder / "secret").read_text() == SECRET


def test_a_folder_that_is_a_link_itself_is_a_run(folder: Path) -> None:
    (folder / "run").rename(folder / "elsewhere")
    (folder / "run").symlink_to("elsewhere")
    assert resume_tiny(folder, steps=25).steps == 25


def test_links_that_are_none_of_burbles_are_left_alone(folder: Path) -> None:
    (folder / "run" / "notes.txt").symlink_to(folder / "secret")
    assert resume_tiny(folder, steps=25).steps == 25
    assert (folder / "secret").read_text() == SECRET


@pytest.mark.timeout(60)
def test_a_plot_waits_for_no_pipe(folder: Path) -> None:
    replace(folder / "run" / "metrics.jsonl")
    os.mkfifo(folder / "run" / "metrics.jsonl")
    with pytest.raises(UsageError, match="it is not a regular file"):
        Metrics.read(folder / "run")


# What a stranger's configuration makes burble look at.

TOML = {
    "names of many parts": ".".join(["a"] * 20_000) + " = 1",
    "hidden names of many parts": '"""\n""""", ' + ".".join(["a"] * 20_000) + " = 1",
    "lists in lists": "a = " + "[" * 5000,
    "a number without end": "[training]\nsteps = 0x" + "f" * 9000,
    "no text": "\udcff",
    "too long": "#" * (2 << 20),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("text", TOML.values(), ids=TOML.keys())
def test_a_hostile_configuration_is_one_message(folder: Path, text: str) -> None:
    (folder / "run" / "run.toml").write_text(text, errors="surrogateescape")
    assert "run.toml" in refusal(folder, UsageError)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("source", ["/", "/**/*", "/*/*/*", "/dev/zero", "PIPE", "/proc/kmsg"])
def test_sources_of_any_kind_hold_nobody_up(folder: Path, source: str) -> None:
    os.mkfifo(folder / "pipe")
    source = source.replace("PIPE", str(folder / "pipe"))
    config = folder / "run" / "run.toml"
    config.write_text(re.sub("sources = .*", f'sources = ["{source}"]', config.read_text()))
    assert resume_tiny(folder, steps=25).steps == 25
