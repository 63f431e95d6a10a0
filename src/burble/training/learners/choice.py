"""Choose the learner and the device of a run, from the options and the machine."""

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

    has_library: bool  # the native learner is fast only with the C library
    has_torch: bool
    has_gpu: bool
    has_cuda_torch: bool
    """Whether the installed torch can use the GPU."""

    in_team: bool
    """Whether torchrun started this process as one of several."""


@dataclass(frozen=True)
class Choice:
    """The learner of a run, and its device."""

    learner: Learner
    device: str
    leaves_gpu_idle: bool = False
    """Whether the run would use the GPU if a suitable torch were installed."""

    def options(self) -> dict[str, Any]:
        """Return the options that this choice sets."""
        return {"learner": self.learner, "device": self.device}


def choose(asked: TrainingConfig, around: Surroundings) -> Choice:
    """Choose what the options ask for. If they leave it open, prefer a GPU, then native.

    Raises `OptionError` if native is asked for and cannot do the rest.
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
    """Return the changes to a resumed run, completed by those that follow from them.

    A new learner chooses its device again, and native computes in float32. If torch trained the run
    and is not installed, native continues it.
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
    """Return which learner trained a run. Old runs did not record it: that was torch."""
    return "native" if recorded.learner == "native" else "torch"


def describe_change(recorded: TrainingConfig, now: TrainingConfig) -> str | None:
    """Return a message if another learner or precision continues the run, else None."""
    before, after = (f"{learner_of(one)} in {one.precision}" for one in (recorded, now))
    if before == after:
        return None
    return (
        f"This run was trained by {before} and continues with {after}. Its weights will differ "
        "slightly from those of a run without this change."
    )


def _check_native(asked: TrainingConfig, around: Surroundings) -> None:
    if around.in_team:
        raise OptionError(
            "native trains in one process, and torchrun starts several. Use torch.", "learner"
        )
    if asked.device not in {"auto", "cpu"}:
        raise OptionError(
            f"native computes on the processor only; found the device {asked.device!r}. Use torch.",
            "learner",
        )
    if asked.precision == "bfloat16":
        raise OptionError("native computes in float32 only; found bfloat16. Use torch.", "learner")
