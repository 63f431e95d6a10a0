"""Where a run computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from burble.errors import UsageError, brief

if TYPE_CHECKING:
    from burble.config import RunConfig


def settle_device(config: RunConfig) -> RunConfig:
    """The configuration with its device decided."""
    if config.training.device != "auto":
        return config
    return config.with_options({"device": _best()})


def find_device(name: str) -> torch.device:
    """The device of this name. Raises `UsageError` where it cannot be used."""
    try:
        device = torch.device(name)
        # "meta" makes tensors, but they hold no numbers; others lack a generator, or all of it.
        torch.zeros(1, device=device).item()
        torch.Generator(device)
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = brief(f"{name!r} cannot be used: {error}")
        raise UsageError(f"The device {reason}") from error
    return device


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
