"""Where a run finds what computes its steps. This alone knows the packages of the learners."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from burble.errors import MissingExtraError
from burble.native.library import find_library, library
from burble.threads import settled_threads
from burble.training.learners.choice import Choice, Surroundings, choose, choose_resume_options
from burble.training.learners.devices import (
    has_cuda_torch,
    has_nvidia_gpu,
    has_torch,
    how_to_use_gpu,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from burble.config import TrainingConfig
    from burble.training.learner import Backend
    from burble.training.learners.choice import Learner

_PACKAGES: dict[Learner, str] = {
    "native": "burble.training.learners.native",
    "torch": "burble.training.learners.torch",
}
"""Each has a module `backend`, whose `open_backend` takes a device."""


def choose_learner(asked: TrainingConfig) -> Choice:
    """Return the learner and the device of a run on this machine."""
    return choose(
        asked,
        Surroundings(
            has_library=library() is not None,
            has_torch=has_torch(),
            # Waking the driver takes a moment where there is a GPU.
            has_gpu=asked.device == "auto" and has_nvidia_gpu(),
            has_cuda_torch=has_cuda_torch(),
            in_team="RANK" in os.environ,
        ),
    )


def describe_lack(choice: Choice) -> list[str]:
    """Return what would make learning quicker here, a sentence or two each."""
    lacks = []
    if choice.leaves_gpu_idle:
        lacks.append(f"A GPU is left idle: {how_to_use_gpu()}")
    problem = find_library().problem
    if problem is not None and choice.device == "cpu":
        lacks.append(problem)
    return lacks


def find_resume_options(recorded: TrainingConfig, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options to change where a run continues on this machine."""
    return choose_resume_options(recorded, changes, lacks_torch=not has_torch())


def open_backend(choice: Choice) -> AbstractContextManager[Backend]:
    """Open what computes. Raises `MissingExtraError` where torch shall and is not installed."""
    try:
        with settled_threads():
            module = importlib.import_module(f"{_PACKAGES[choice.learner]}.backend")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("Training with torch", "torch") from error
    backend: AbstractContextManager[Backend] = module.open_backend(choice.device)
    return backend
