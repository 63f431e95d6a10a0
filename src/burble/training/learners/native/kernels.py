"""Which of the kernels for learning is used here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from burble.native.library import KERNEL_VARIABLE, learner_kernel_names

if TYPE_CHECKING:
    import ctypes


def choose_kernel(opened: ctypes.CDLL) -> str:
    """Return the one that `BURBLE_KERNEL` names, or the best.

    A name that only writing has a kernel for, such as numpy, is for writing alone: what is learned
    is the same with every kernel.
    """
    available = learner_kernel_names(opened)
    asked = os.environ.get(KERNEL_VARIABLE)
    return asked if asked in available else available[0]
