"""Which of the kernels for learning is used here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from burble.native.library import KERNEL_VARIABLE

if TYPE_CHECKING:
    import ctypes


def choose_kernel(opened: ctypes.CDLL) -> str:
    """Return the one that `BURBLE_KERNEL` names, or the best.

    A name that only writing has a kernel for, such as numpy, is for writing alone: what is learned
    is the same with every kernel.
    """
    available = kernel_names(opened)
    asked = os.environ.get(KERNEL_VARIABLE)
    return asked if asked in available else available[0]


def kernel_names(opened: ctypes.CDLL) -> list[str]:
    """Return the kernels that this machine can learn with, best first."""
    names: list[str] = []
    while (name := opened.burble_learner_kernel(len(names))) is not None:
        names.append(name.decode())
    return names
