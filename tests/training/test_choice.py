from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from burble.config import RunConfig
from burble.errors import OptionError
from burble.run_folder.observer import Observer
from burble.run_hooks import open_run
from burble.run_toml import read_config
from burble.training.learners import devices, registry
from burble.training.learners.choice import Choice, Surroundings, choose, choose_resume_options
from burble.training.request import RunRequest
from tests.training.both_learners import needs_native, needs_torch
from tests.training.runs import TINY, train_tiny, write_text

if TYPE_CHECKING:
    from pathlib import Path

    from burble.config import TrainingConfig

LAPTOP = Surroundings(
    has_library=True, has_torch=True, has_gpu=False, has_cuda_torch=False, in_team=False
)
SERVER = replace(LAPTOP, has_gpu=True, has_cuda_torch=True)
NATIVE, TORCH, CUDA = Choice("native", "cpu"), Choice("torch", "cpu"), Choice("torch", "cuda")


def asked(**options: Any) -> TrainingConfig:
    return RunConfig().with_options(options).training


@pytest.mark.parametrize(
    ("options", "around", "wanted"),
    [
        ({}, LAPTOP, NATIVE),
        ({}, SERVER, CUDA),
        ({"precision": "float32"}, LAPTOP, NATIVE),
        ({"precision": "bfloat16"}, LAPTOP, TORCH),
        ({"device": "cpu"}, SERVER, NATIVE),
        ({"device": "cuda:1"}, LAPTOP, Choice("torch", "cuda:1")),
        ({"device": "mps"}, LAPTOP, Choice("torch", "mps")),
        ({"learner": "torch"}, LAPTOP, TORCH),
        ({"learner": "torch"}, SERVER, CUDA),
        ({"learner": "torch", "device": "cpu"}, SERVER, TORCH),
        ({"learner": "native"}, SERVER, NATIVE),
        ({}, replace(LAPTOP, in_team=True), TORCH),
        ({}, replace(SERVER, in_team=True), CUDA),
        ({}, replace(LAPTOP, has_library=False), TORCH),
        ({}, replace(LAPTOP, has_library=False, has_torch=False), NATIVE),
        ({}, replace(LAPTOP, has_cuda_torch=True), NATIVE),
        # A GPU, and no torch that can use it.
        ({}, replace(LAPTOP, has_gpu=True), replace(NATIVE, leaves_gpu_idle=True)),
        ({"learner": "torch"}, replace(LAPTOP, has_gpu=True), replace(TORCH, leaves_gpu_idle=True)),
        ({"device": "cpu"}, replace(LAPTOP, has_gpu=True), NATIVE),
    ],
)
def test_the_choice_follows_from_what_is_asked_and_there(
    options: dict[str, Any], around: Surroundings, wanted: Choice
) -> None:
    assert choose(asked(**options), around) == wanted


@pytest.mark.parametrize(
    ("options", "around", "words"),
    [
        ({}, replace(LAPTOP, in_team=True), "native trains in one process"),
        ({"device": "cuda"}, SERVER, "computes on the processor only; found the device 'cuda'"),
        ({"precision": "bfloat16"}, LAPTOP, "native computes in float32 only; found bfloat16"),
    ],
)
def test_what_native_cannot_do_is_refused(
    options: dict[str, Any], around: Surroundings, words: str
) -> None:
    with pytest.raises(OptionError, match=words):
        choose(asked(learner="native", **options), around)


def test_a_process_of_torchrun_takes_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    assert registry.choose_learner(asked(device="cpu")) == TORCH


def test_the_driver_is_asked_only_where_a_gpu_could_be_chosen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[str] = []

    def has_nvidia_gpu() -> bool:
        found.append("asked")
        return True

    monkeypatch.setattr(registry, "has_nvidia_gpu", has_nvidia_gpu)
    monkeypatch.setattr(registry, "has_cuda_torch", lambda: True)
    assert registry.choose_learner(asked(device="cpu")).device == "cpu"
    assert found == []
    assert registry.choose_learner(asked()) == CUDA
    assert found == ["asked"]


class Notes(Observer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    def message(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def idle_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a GPU, and a torch for processors."""
    monkeypatch.setattr(registry, "has_nvidia_gpu", lambda: True)
    monkeypatch.setattr(registry, "has_cuda_torch", lambda: False)


@pytest.mark.usefixtures("idle_gpu")
def test_a_gpu_that_is_left_idle_is_told_once(tmp_path: Path) -> None:
    notes = Notes()
    request = RunRequest({**TINY, "sources": (str(write_text(tmp_path)),), "steps": 2})
    open_run(tmp_path / "plan", [notes]).plan(request)
    assert [line for line in notes.lines if "GPU" in line] == [
        f"Your GPU is not used: {devices.how_to_use_gpu()}"
    ]
    notes.lines.clear()
    train_tiny(tmp_path, [notes], steps=2)
    assert sum("GPU" in line for line in notes.lines) == 1


@pytest.mark.usefixtures("idle_gpu")
def test_one_who_asks_for_the_processor_hears_nothing_of_it(tmp_path: Path) -> None:
    notes = Notes()
    train_tiny(tmp_path, [notes], steps=2, device="cpu")
    assert not any("GPU" in line for line in notes.lines)


def test_what_brings_the_gpu_to_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "has_torch", lambda: False)
    assert "needs torch. Install it: " in devices.how_to_use_gpu()
    assert "torch>=" in devices.how_to_use_gpu()
    monkeypatch.setattr(devices, "has_torch", lambda: True)
    assert "computes on processors only" in devices.how_to_use_gpu()


def test_a_run_keeps_what_was_chosen(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=2)
    chosen = registry.choose_learner(asked(**TINY))
    saved = read_config(tmp_path / "run/run.toml").training
    assert (saved.learner, saved.device) == (chosen.learner, chosen.device)


ON_GPU = {"learner": "torch", "device": "cuda", "precision": "bfloat16"}


@pytest.mark.parametrize(
    ("recorded", "changes", "lacks_torch", "follows"),
    [
        ({"learner": "native", "device": "cpu"}, {}, False, {}),
        ({"learner": "native", "device": "cpu"}, {}, True, {}),
        (ON_GPU, {"precision": "float32"}, False, {"precision": "float32"}),
        (ON_GPU, {"learner": "torch"}, True, {"learner": "torch"}),
        (
            ON_GPU,
            {"learner": "native"},
            False,
            {"learner": "native", "device": "auto", "precision": "float32"},
        ),
        (ON_GPU, {}, True, {"learner": "native", "device": "auto", "precision": "float32"}),
        # Begun when none was recorded: by torch.
        ({"device": "cpu"}, {}, False, {}),
        (
            {"device": "cpu"},
            {},
            True,
            {"learner": "native", "device": "auto", "precision": "float32"},
        ),
        # What is asked for stays, and is refused where it is chosen.
        (
            ON_GPU,
            {"learner": "native", "precision": "bfloat16"},
            False,
            {"learner": "native", "device": "auto", "precision": "bfloat16"},
        ),
        (
            {"learner": "native", "device": "cpu"},
            {"learner": "torch", "steps": 9},
            False,
            {"learner": "torch", "device": "auto", "steps": 9},
        ),
    ],
)
def test_another_learner_takes_what_it_needs_with_it(
    recorded: dict[str, Any],
    changes: dict[str, Any],
    follows: dict[str, Any],
    *,
    lacks_torch: bool,
) -> None:
    assert choose_resume_options(asked(**recorded), changes, lacks_torch=lacks_torch) == follows


def resume(run: Path, **changes: Any) -> tuple[int, list[str]]:
    """Resume; return the steps and what is told before them."""
    notes = Notes()
    return open_run(run, [notes]).resume(changes).steps, notes.lines


@needs_native
@needs_torch
@pytest.mark.torch
@pytest.mark.parametrize(
    ("first", "then", "before", "after"),
    [
        ("torch", {"learner": "native"}, "torch in float32", "native in float32"),
        ("native", {"learner": "torch"}, "native in float32", "torch in float32"),
        ("bfloat16", {"learner": "native"}, "torch in bfloat16", "native in float32"),
        ("bfloat16", {"precision": "float32"}, "torch in bfloat16", "torch in float32"),
    ],
)
def test_that_something_else_continues_a_run_is_told_once(
    tmp_path: Path, first: str, then: dict[str, Any], before: str, after: str
) -> None:
    options: dict[str, Any] = {"learner": first}
    if first == "bfloat16":
        options = {"learner": "torch", "precision": first, "cell": "gru"}
    train_tiny(tmp_path, steps=5, device="cpu", **options)
    steps, lines = resume(tmp_path / "run", steps=9, **then)
    assert steps == 9
    [line] = lines
    assert line.startswith(f"This run was trained by {before} and continues with {after}.")
    assert "will differ" in line
    saved = read_config(tmp_path / "run/run.toml").training
    assert f"{saved.learner} in {saved.precision}" == after
    assert resume(tmp_path / "run", steps=10) == (10, [])


@needs_native
@needs_torch
@pytest.mark.torch
def test_a_run_of_torch_continues_where_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_tiny(tmp_path, steps=5, learner="torch", device="cpu")
    monkeypatch.setattr(registry, "has_torch", lambda: False)
    steps, lines = resume(tmp_path / "run", steps=9)
    assert steps == 9
    [line] = lines
    assert line.startswith("This run was trained by torch in float32 and continues")
    assert read_config(tmp_path / "run/run.toml").training.learner == "native"


@needs_native
@needs_torch
@pytest.mark.torch
def test_another_learner_before_the_first_step_is_no_change(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=1, learner="torch", device="cpu")
    shutil.rmtree(tmp_path / "run/last")
    (tmp_path / "run/model.safetensors").unlink()
    (tmp_path / "run/metrics.jsonl").unlink()
    assert resume(tmp_path / "run", learner="native") == (1, [])
