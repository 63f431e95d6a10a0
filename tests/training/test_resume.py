"""A run cut anywhere and resumed ends with the same weights, bit for bit, as one never cut."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from burble.errors import TrainingInterruptedError, UsageError
from burble.model_file import ModelFile
from burble.training import checkpoint
from tests.training.runs import needs_bfloat16, resume_tiny, saved_state, train_tiny

if TYPE_CHECKING:
    from pathlib import Path

KINDS: list[Any] = [
    {"batching": "stream", "cell": "lstm", "num_layers": 2, "residual": True},
    {"batching": "windows", "cell": "gru", "input": "one-hot", "stride": 7},
    {"batching": "sentences", "cell": "rnn", "input": "scalar", "locked_dropout": False},
    {"batching": "stream", "tokenizer": "byte", "steps": None, "epochs": 1.5},
    pytest.param({"batching": "stream", "precision": "bfloat16"}, marks=needs_bfloat16),
    {"batching": "stream", "precision": "bfloat16", "cell": "gru"},
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


@pytest.mark.parametrize("options", KINDS, ids=lambda options: options["batching"])
def test_a_run_cut_at_several_places_ends_like_one_never_cut(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    options = {"steps": 400, **options}
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    seconds = train_tiny(whole, **options).seconds
    cuts = run_with_cuts(cut, seconds / 3, options)
    assert cuts
    assert_same_run(whole, cut)


def test_a_finished_run_resumed_stays_as_it_is(tmp_path: Path) -> None:
    first = train_tiny(tmp_path)
    again = resume_tiny(tmp_path)
    assert again.steps == first.steps
    assert again.val_bits_per_char == first.val_bits_per_char


def test_a_resumed_run_may_change_its_precision_and_keeps_its_network(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=10, cell="gru", precision="bfloat16")
    assert resume_tiny(tmp_path, steps=20, precision="float32").steps == 20
    with pytest.raises(UsageError, match="in float32 or in bfloat16"):
        resume_tiny(tmp_path, precision="auto")
    with pytest.raises(UsageError, match="hidden_size cannot be changed"):
        resume_tiny(tmp_path, hidden_size=32)
