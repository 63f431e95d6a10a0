"""The registry of learners. No other module knows their packages."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from burble.errors import MissingExtraError
from burble.native.library import find_library, library
from burble.threads import thread_defaults
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
"""Each package has a module `backend` with a function `open_backend(device)`."""


def choose_learner(asked: TrainingConfig) -> Choice:
    """Choose the learner and the device of a run on this machine.

    Raises `OptionError` if native is asked for and cannot do the rest.
    """
    return choose(
        asked,
        Surroundings(
            has_library=library() is not None,
            has_torch=has_torch(),
            # Starting the driver of a GPU takes a moment, so do it only if needed.
            has_gpu=asked.device == "auto" and has_nvidia_gpu(),
            has_cuda_torch=has_cuda_torch(),
            in_team="RANK" in os.environ,
        ),
    )


def describe_lack(choice: Choice) -> list[str]:
    """Return messages about what would make training faster on this machine."""
    lacks = []
    if choice.leaves_gpu_idle:
        lacks.append(f"Your GPU is not used: {how_to_use_gpu()}")
    problem = find_library().problem
    if problem is not None and choice.device == "cpu":
        lacks.append(problem)
        if choice.learner == "torch":
            lacks.append("This run is trained with torch, which is installed.")
    return lacks


def find_resume_options(recorded: TrainingConfig, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options to change when a run is resumed on this machine."""
    return choose_resume_options(recorded, changes, lacks_torch=not has_torch())


def open_backend(choice: Choice) -> AbstractContextManager[Backend]:
    """Open the backend of a learner. Raises `MissingExtraError` if torch is not installed."""
    try:
        with thread_defaults():
            module = importlib.import_module(f"{_PACKAGES[choice.learner]}.backend")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("Training with torch", "torch") from error
    backend: AbstractContextManager[Backend] = module.open_backend(choice.device)
    return backend
