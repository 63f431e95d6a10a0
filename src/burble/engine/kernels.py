"""Which kernel runs a model here, and why."""

import os
import warnings
from dataclasses import dataclass

from burble.engine.native import NativeModel
from burble.engine.numpy_model import NumpyModel, Precision
from burble.engine.step_model import StepModel
from burble.errors import UsageError
from burble.model_file import ModelFile
from burble.native.library import (
    KERNEL_VARIABLE,
    find_library,
    kernel_names,
    library,
    warn_without_library,
)

# What int8 may cost, in bits per character on held-out text.
MAX_INT8_COST = 0.005


class PrecisionWarning(UserWarning):
    """A model runs in float32, because int8 would cost it too much."""


@dataclass(frozen=True)
class KernelChoice:
    name: str
    available: tuple[str, ...]  # best first; `numpy` is always there, and last

    @property
    def is_built(self) -> bool:
        return len(self.available) > 1


def choose_kernel() -> KernelChoice:
    """Return the best kernel, or the one that `BURBLE_KERNEL` names. Raises `UsageError`."""
    opened = library()
    available = (*(kernel_names(opened) if opened else ()), "numpy")
    asked = os.environ.get(KERNEL_VARIABLE)
    if asked and asked not in available:
        problem = find_library().problem
        raise UsageError(
            f"{KERNEL_VARIABLE} must be one of those that can run here, {', '.join(available)}; "
            f"found {asked!r}." + (f" {problem}" if problem else "")
        )
    return KernelChoice(asked or available[0], available)


def open_model(
    file: ModelFile, precision: Precision | None = None, threads: int | None = None
) -> StepModel:
    """Open the model; where None, in the precision that it bears, and on all processors."""
    precision = precision or _bearable_precision(file)
    kernel = choose_kernel().name
    opened = library()
    if opened is None and not os.environ.get(KERNEL_VARIABLE):
        warn_without_library()
    if precision == "float32" or kernel == "numpy" or opened is None:
        return NumpyModel(file, precision)
    return NativeModel(file, kernel, opened, threads)


def bears_int8(file: ModelFile) -> bool:
    """Whether int8 costs the model little enough, as far as it was measured."""
    cost = file.provenance.int8_cost_bits
    return cost is None or cost <= MAX_INT8_COST


def _bearable_precision(file: ModelFile) -> Precision:
    if bears_int8(file):
        return "int8"
    warnings.warn(
        f"In int8 this model would lose {file.provenance.int8_cost_bits:.4f} bits per character, "
        f"more than {MAX_INT8_COST}; it runs in float32, which is slower, and whose texts may "
        "differ from machine to machine.",
        PrecisionWarning,
        stacklevel=3,
    )
    return "float32"
