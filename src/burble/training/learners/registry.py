"""Where a run finds what computes its steps. This alone knows the packages of the learners."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from burble.errors import MissingExtraError
from burble.threads import settle_threads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from burble.training.learner import Backend


def open_backend(device: str) -> AbstractContextManager[Backend]:
    """Open what computes on this device. Raises `MissingExtraError` without torch."""
    with _needing_torch():
        from burble.training.learners.torch.backend import open_torch
    return open_torch(device)


@contextmanager
def _needing_torch() -> Iterator[None]:
    settle_threads()
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("Training", "train") from error
