from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from burble.errors import ResourceError
from burble.run_folder.metrics import StepMetrics, ValidationMetrics
from burble.run_folder.tensorboard import TensorBoard
from tests.disk import disk_of

if TYPE_CHECKING:
    from pathlib import Path

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is an extra"
)
tensor_util = pytest.importorskip("tensorboard.util.tensor_util")

FACTS: Any = None  # it asks for none
STEP = StepMetrics(
    step=10,
    seconds=1.0,
    progress=0.5,
    train_bits_per_char=2.5,
    accuracy=0.25,
    learning_rate=0.006,
    grad_norm=0.75,
    chars_per_second=1.0,
    epoch=0.1,
)


def validation(step: int, bits: float | None) -> ValidationMetrics:
    return ValidationMetrics(step, 1.0, 0.5, bits, None, best=True)


def read(folder: Path) -> Any:
    """What TensorBoard itself makes of the folder."""
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    return events


def test_tensorboard_reads_the_curves_and_the_samples(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path / "a" / "curves")
    board.started(FACTS)
    board.stepped(STEP)
    board.validated(validation(10, 3.5))
    board.validated(validation(20, None))
    board.validated(validation(30, 3.25))
    board.sampled(30, "déjà *vu*")
    board.finished()
    events = read(tmp_path / "a" / "curves")
    curves = {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }
    assert curves == {
        "train_bits_per_char": [(10, 2.5)],
        "accuracy": [(10, 0.25)],
        "learning_rate": [(10, pytest.approx(0.006))],
        "grad_norm": [(10, 0.75)],
        "val_bits_per_char": [(10, 3.5), (30, 3.25)],
    }
    (sample,) = events.Tensors("sample")
    assert sample.step == 30
    assert tensor_util.make_ndarray(sample.tensor_proto).item().decode() == "```\ndéjà *vu*\n```"
    assert events.file_version == 2.0
    assert list(events.PluginTagToContent("text")) == ["sample"]


def test_each_event_is_there_at_once(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    board.started(FACTS)
    board.validated(validation(10, 3.5))
    assert [event.value for event in read(tmp_path).Scalars("val_bits_per_char")] == [3.5]
    board.finished()


def test_a_resumed_run_goes_on_in_a_file_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process, step in ((11, 10), (12, 20)):
        monkeypatch.setattr(os, "getpid", lambda process=process: process)
        board = TensorBoard(tmp_path)
        board.started(FACTS)
        board.validated(validation(step, 3.5))
        board.finished()
    assert len(list(tmp_path.iterdir())) == 2
    assert [event.step for event in read(tmp_path).Scalars("val_bits_per_char")] == [10, 20]


def test_a_full_disk_is_told_at_the_event_that_did_not_fit(tmp_path: Path) -> None:
    with disk_of("64k", tmp_path / "disk") as disk:
        board = TensorBoard(disk)
        board.started(FACTS)
        with pytest.raises(ResourceError, match="The disk is full"):
            board.sampled(10, "x" * 100_000)
        board.finished()


def test_a_run_that_never_began_has_nothing_to_close(tmp_path: Path) -> None:
    TensorBoard(tmp_path / "curves").finished()
    assert not (tmp_path / "curves").exists()
