"""Find the torch device of a run."""

from __future__ import annotations

import torch

from burble.errors import UsageError, brief


def find_device(name: str) -> torch.device:
    """Return the device with this name. Raises `UsageError` if it cannot be used."""
    try:
        device = torch.device(name)
        # Try what training needs: "meta" tensors have no values, other devices no generator.
        torch.zeros(1, device=device).item()
        torch.Generator(device)
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = brief(f"{name!r} cannot be used: {error}")
        raise UsageError(f"The device {reason}") from error
    return device
