"""Choose the kernel and the precision that run a model on this machine."""

import os
import warnings
from dataclasses import dataclass

from burble.engine.native import NativeModel
from burble.engine.numpy_model import NumpyModel, Precision
from burble.engine.step_model import StepModel
from burble.model_file import ModelFile
from burble.native.library import (
    KERNEL_VARIABLE,
    find_asked_kernel,
    kernel_names,
    library,
    warn_without_library,
)

# How much worse int8 may make a model, in bits per character on held-out text.
MAX_INT8_COST = 0.005


class PrecisionWarning(UserWarning):
    """The model runs in float32, because int8 would make its predictions too much worse."""


@dataclass(frozen=True)
class KernelChoice:
    name: str
    available: tuple[str, ...]  # best first; the last is always `numpy`

    @property
    def is_built(self) -> bool:
        return len(self.available) > 1


def choose_kernel() -> KernelChoice:
    """Return the best kernel, or the one that `BURBLE_KERNEL` names. Raises `UsageError`."""
    opened = library()
    available = (*(kernel_names(opened) if opened else ()), "numpy")
    return KernelChoice(find_asked_kernel(available) or available[0], available)


def open_model(
    file: ModelFile, precision: Precision | None = None, threads: int | None = None
) -> StepModel:
    """Return an engine for the model.

    precision: None takes int8, or float32 with a `PrecisionWarning` if int8 costs too much.
    threads: None uses every processor.
    """
    precision = precision or _choose_precision(file)
    kernel = choose_kernel().name
    opened = library()
    if opened is None and not os.environ.get(KERNEL_VARIABLE):
        warn_without_library()
    if precision == "float32" or kernel == "numpy" or opened is None:
        return NumpyModel(file, precision)
    return NativeModel(file, kernel, opened, threads)


def bears_int8(file: ModelFile) -> bool:
    """Return whether int8 is good enough for the model; True if its cost was not measured."""
    cost = file.provenance.int8_cost_bits
    return cost is None or cost <= MAX_INT8_COST


def _choose_precision(file: ModelFile) -> Precision:
    if bears_int8(file):
        return "int8"
    warnings.warn(
        f"In int8 this model would lose {file.provenance.int8_cost_bits:.4f} bits per character, "
        f"more than {MAX_INT8_COST}, so it runs in float32. That is slower, and its texts may "
        "differ from machine to machine.",
        PrecisionWarning,
        stacklevel=3,
    )
    return "float32"
