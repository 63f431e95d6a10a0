"""Run a model with some units clamped: whatever they read, they output a fixed number."""

from collections.abc import Sequence
from dataclasses import dataclass

from burble.arithmetic import Float32
from burble.engine.cells import Values
from burble.engine.numpy_model import NumpyModel, Precision
from burble.model_file import ModelFile


@dataclass(frozen=True)
class Clamp:
    """A unit to clamp, and the number that it outputs. Layers and units count from 0."""

    layer: int
    unit: int
    value: float


class ClampedModel(NumpyModel):
    """A `NumpyModel` with clamped units.

    The rest of the network sees a unit by its output alone, so clamping that removes the unit's
    whole influence.
    """

    def __init__(
        self, model: ModelFile, holds: Sequence[Clamp], precision: Precision = "int8"
    ) -> None:
        super().__init__(model, precision)
        self._holds = holds

    def _run_cell(self, layer: int, from_input: Float32, state: Values) -> Values:
        values = super()._run_cell(layer, from_input, state)
        for hold in self._holds:
            if hold.layer == layer:
                values[self._cell.output][:, hold.unit] = hold.value
        return values
