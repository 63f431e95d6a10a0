"""Find the torch device of a run."""

from __future__ import annotations

import torch

from burble.errors import UsageError, brief

_SHOWN = 140
_USE = "Use cpu, or cuda where there is a GPU."


def find_device(name: str) -> torch.device:
    """Return the device with this name. Raises `UsageError` if it cannot be used."""
    try:
        device = torch.device(name)
    except RuntimeError as error:  # torch's own message lists some twenty devices
        shown = brief(repr(name), _SHOWN)
        raise UsageError(
            f"The device {shown} cannot be used: there is none of that name. {_USE}"
        ) from error
    try:
        # Try what training needs: "meta" tensors have no values, other devices no generator.
        torch.zeros(1, device=device).item()
        torch.Generator(device)
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = brief(f"{name!r} cannot be used: {error}", _SHOWN)
        raise UsageError(f"The device {reason}. {_USE}") from error
    return device
