"""Which learner computes a run, and where: one decision, from what is asked and what is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from burble.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burble.config import TrainingConfig

Learner = Literal["native", "torch"]


@dataclass(frozen=True)
class Surroundings:
    """What a run can use on this machine."""

    has_library: bool  # burble's own learner is quick only with it
    has_torch: bool
    has_gpu: bool
    has_cuda_torch: bool
    """Whether a torch that computes on such a GPU is installed."""

    in_team: bool
    """Whether torchrun started this process as one of several."""


@dataclass(frozen=True)
class Choice:
    """The learner of a run, and its device."""

    learner: Learner
    device: str
    leaves_gpu_idle: bool = False
    """Whether it would have taken the GPU that is there, had it a torch for it."""

    def options(self) -> dict[str, Any]:
        """Return the options of a run that it decides."""
        return {"learner": self.learner, "device": self.device}


def choose(asked: TrainingConfig, around: Surroundings) -> Choice:
    """Return what was asked for; where that is left open, a GPU first, then the native learner.

    Raises `OptionError` where the native learner cannot do what is asked for.
    """
    if asked.learner == "native":
        _check_native(asked, around)
        return Choice("native", "cpu")
    may_use_gpu = asked.device == "auto" and around.has_gpu
    device = asked.device
    if device == "auto":
        device = "cuda" if may_use_gpu and around.has_cuda_torch else "cpu"
    needs_torch = (
        asked.learner == "torch"
        or around.in_team
        or device != "cpu"
        or asked.precision == "bfloat16"
        or (around.has_torch and not around.has_library)
    )
    return Choice("torch" if needs_torch else "native", device, may_use_gpu and device == "cpu")


def choose_resume_options(
    recorded: TrainingConfig, changes: Mapping[str, Any], *, lacks_torch: bool
) -> dict[str, Any]:
    """Return the changes to a run that continues, and those that follow from them.

    Another learner finds a device anew, and native computes in float32. Where torch trained the
    run and is not installed, native takes over.
    """
    was = learner_of(recorded)
    if lacks_torch and was == "torch" and "learner" not in changes:
        changes = {"learner": "native", **changes}
    now = changes.get("learner", was)
    if now == was:
        return dict(changes)
    follows = {"device": "auto", "precision": "float32"} if now == "native" else {"device": "auto"}
    return {**follows, **changes}


def learner_of(recorded: TrainingConfig) -> Learner:
    """Return which learner trained a run; before there were two of them, none was recorded."""
    return "native" if recorded.learner == "native" else "torch"


def describe_change(recorded: TrainingConfig, now: TrainingConfig) -> str | None:
    """Return that another learner or precision continues a run; None where it is the same."""
    before, after = (f"{learner_of(one)} in {one.precision}" for one in (recorded, now))
    if before == after:
        return None
    return (
        f"{before} trained this run so far, and {after} continues it. The weights will not be "
        "exactly those of a run without this change."
    )


def _check_native(asked: TrainingConfig, around: Surroundings) -> None:
    if around.in_team:
        raise OptionError(
            "native learns in one process, and torchrun starts several. Use torch.", "learner"
        )
    if asked.device not in {"auto", "cpu"}:
        raise OptionError(
            f"native computes on the processor; found the device {asked.device!r}. Use torch.",
            "learner",
        )
    if asked.precision == "bfloat16":
        raise OptionError("native computes in float32; found bfloat16. Use torch.", "learner")
