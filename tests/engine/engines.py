"""Every engine that can run here, for the tests of what all of them promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from burble.engine.native import NativeModel
from burble.engine.numpy_model import NumpyModel
from burble.native.library import kernel_names, library

if TYPE_CHECKING:
    from burble.engine.step_model import StepModel
    from burble.model_file import ModelFile

# More than one, so that rows are spread over threads also where there is only one processor.
THREADS = 3


def native_kernels() -> list[str]:
    """Best first; none where no compiler built them."""
    opened = library()
    return kernel_names(opened) if opened else []


ENGINES = ["numpy", *native_kernels()]

every_engine = pytest.mark.parametrize("kernel", ENGINES)


def open_engine(kernel: str, file: ModelFile, threads: int = THREADS) -> StepModel:
    """The model, running on this one of `ENGINES`, in int8."""
    opened = library()
    if kernel == "numpy" or opened is None:
        return NumpyModel(file)
    return NativeModel(file, kernel, opened, threads)
