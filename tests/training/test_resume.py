"""A run cut anywhere and resumed ends with the same weights, bit for bit, as one never cut."""

from __future__ import annotations

import os
import random
import signal
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from burble.errors import TrainingInterruptedError, UsageError
from burble.model_file import ModelFile
from burble.training import checkpoint
from burble.training.loop import Loop
from tests.training.both_learners import needs_native, needs_torch
from tests.training.runs import needs_bfloat16, resume_tiny, saved_state, train_tiny

if TYPE_CHECKING:
    from pathlib import Path

KINDS: dict[str, dict[str, Any]] = {
    "stream": {"cell": "lstm", "num_layers": 2, "residual": True},
    "windows": {"batching": "windows", "cell": "gru", "input": "one-hot", "stride": 7},
    "sentences": {
        "batching": "sentences",
        "cell": "rnn",
        "input": "scalar",
        "locked_dropout": False,
        "averaging": 0.0,
    },
    "bytes": {"tokenizer": "byte", "steps": None, "epochs": 0.2, "input_dropout": 0.2},
    "deep": {"cell": "gru", "num_layers": 3, "dropout": 0.0, "schedule": "constant"},
}
BY_TORCH: dict[str, Any] = {"learner": "torch", "device": "cpu"}
TORCH: list[Any] = [
    pytest.param(options, marks=[needs_torch, pytest.mark.torch, *marks], id=name)
    for name, options, marks in (
        ("torch", BY_TORCH | KINDS["stream"], ()),
        ("torch-bfloat16", BY_TORCH | {"precision": "bfloat16"}, [needs_bfloat16]),
        ("torch-gru-bfloat16", BY_TORCH | {"precision": "bfloat16", "cell": "gru"}, ()),
    )
]
NATIVE: list[Any] = [
    pytest.param({"learner": "native"} | options, marks=needs_native, id=name)
    for name, options in KINDS.items()
]


def assert_same_run(one: Path, other: Path) -> None:
    before, after = (saved_state(folder / "run") for folder in (one, other))
    assert before.position.step == after.position.step
    assert set(before.tensors) == set(after.tensors)
    for name, tensor in before.tensors.items():
        np.testing.assert_array_equal(tensor, after.tensors[name], name)
    best, also_best = (ModelFile.load(folder / "run") for folder in (one, other))
    for name, weights in best.weights.items():
        np.testing.assert_array_equal(weights, also_best.weights[name])


def interrupt_after(seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def run_with_cuts(folder: Path, seconds: float, options: dict[str, Any]) -> list[int]:
    """Interrupt again and again until the run is through; returns the steps of the cuts."""
    cuts: list[int] = []
    while True:
        timer = interrupt_after(seconds)
        try:
            if cuts:
                resume_tiny(folder)
            else:
                train_tiny(folder, **options)
        except (TrainingInterruptedError, KeyboardInterrupt):
            # The second where a run is through but for its closing figures.
            cuts.append(checkpoint.read_manifest(folder / "run" / "last").position.step)
        else:
            return cuts
        finally:
            timer.cancel()
            timer.join()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Where a run is never cut, and where it is."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    whole.mkdir()
    cut.mkdir()
    return whole, cut


@pytest.mark.parametrize("options", [NATIVE[0], TORCH[0]])
def test_a_run_cut_at_several_moments_ends_like_one_never_cut(
    folders: tuple[Path, Path], options: dict[str, Any]
) -> None:
    options = {"steps": 1500 if options["learner"] == "native" else 200, **options}
    whole, cut = folders
    seconds = train_tiny(whole, **options).seconds
    cuts = run_with_cuts(cut, seconds / 3, options)
    assert cuts
    assert_same_run(whole, cut)


@pytest.mark.parametrize("options", [*NATIVE, *TORCH[1:]])
def test_a_run_cut_after_any_of_its_steps_ends_like_one_never_cut(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    options = {"steps": 90, **options}
    whole, cut = folders
    steps = train_tiny(whole, **options).steps
    count = 9 if options["learner"] == "native" else 2
    cuts = sorted(random.Random(str(options)).sample(range(1, steps), k=count))  # noqa: S311
    make_step = Loop._step

    def step_and_stop(loop: Loop) -> None:
        make_step(loop)
        if loop.position.step in cuts:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Loop, "_step", step_and_stop)
    for number, step in enumerate(cuts):
        with pytest.raises(TrainingInterruptedError, match=rf"Stopped at step {step}\."):
            resume_tiny(cut) if number else train_tiny(cut, **options)
    assert resume_tiny(cut).steps == steps
    assert_same_run(whole, cut)


def test_a_finished_run_resumed_stays_as_it_is(tmp_path: Path) -> None:
    first = train_tiny(tmp_path)
    again = resume_tiny(tmp_path)
    assert again.steps == first.steps
    assert again.val_bits_per_char == first.val_bits_per_char


def test_a_resumed_run_keeps_its_network(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=10)
    with pytest.raises(UsageError, match="in float32 or in bfloat16"):
        resume_tiny(tmp_path, precision="auto")
    with pytest.raises(UsageError, match="hidden_size cannot be changed"):
        resume_tiny(tmp_path, hidden_size=32)
