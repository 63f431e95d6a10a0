"""Where a run computes."""

from __future__ import annotations

import torch

from burble.errors import UsageError, brief

_SHOWN = 140  # torch lists every device that there may be


def find_device(name: str) -> torch.device:
    """Return the device of this name. Raises `UsageError` where it cannot be used."""
    try:
        device = torch.device(name)
        # "meta" makes tensors, but they hold no numbers; others lack a generator, or all of it.
        torch.zeros(1, device=device).item()
        torch.Generator(device)
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = brief(f"{name!r} cannot be used: {error}", _SHOWN)
        raise UsageError(f"The device {reason}. Use cpu, or cuda where there is a GPU.") from error
    return device
