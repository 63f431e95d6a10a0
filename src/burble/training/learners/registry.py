"""Where a run finds what computes its steps. This alone knows the packages of the learners."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from burble.errors import MissingExtraError
from burble.threads import settled_threads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from burble.model_file import ModelFile
    from burble.run_folder.observer import Observer
    from burble.tokenizers.base import Ids
    from burble.training.learner import Backend
    from burble.training.learners.torch.gradients import FlowOfRun


def open_backend(device: str) -> AbstractContextManager[Backend]:
    """Open what computes on this device. Raises `MissingExtraError` without torch."""
    with _needing_torch():
        from burble.training.learners.torch.backend import open_torch
    return open_torch(device)


def gradient_flow(file: ModelFile, ids: Ids) -> FlowOfRun:
    """Measure how the gradient fades on its way back through held-out ids, (tokens,), in the
    network that the model once was and in the one that it became.
    """
    with _needing_torch():
        from burble.training.learners.torch.gradients import flow_of_run
    return flow_of_run(file, ids)


def open_tensorboard(folder: Path) -> Observer:
    """Return what writes the run's curves for TensorBoard. Raises `MissingExtraError`."""
    from burble.training.learners.torch.tensorboard import TensorBoard

    return TensorBoard(folder)


@contextmanager
def _needing_torch() -> Iterator[None]:
    try:
        with settled_threads():
            yield
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("Training", "train") from error
