"""Choose a kernel of the native learner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burble.native.library import find_asked_kernel, kernel_names, learner_kernel_names

if TYPE_CHECKING:
    import ctypes


def choose_kernel(opened: ctypes.CDLL) -> str:
    """Return the kernel that `BURBLE_KERNEL` names, or the fastest one for this processor.

    The variable may also name a kernel that only the engine has, such as numpy. That does not
    matter here: training gives the same result with every kernel. Raises `UsageError` for a name
    that is neither.
    """
    available = learner_kernel_names(opened)
    known = dict.fromkeys((*available, *kernel_names(opened), "numpy"))
    asked = find_asked_kernel(known)
    return asked if asked in available else available[0]
