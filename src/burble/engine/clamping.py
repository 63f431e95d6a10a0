"""A model some of whose units are held: whatever it reads, they give out the same number."""

from collections.abc import Sequence
from dataclasses import dataclass

from burble.arithmetic import Float32
from burble.engine.cells import Values
from burble.engine.numpy_model import NumpyModel, Precision
from burble.model_file import ModelFile


@dataclass(frozen=True)
class Clamp:
    """One unit, counted from 0 as its layer is, and the number it gives out."""

    layer: int
    unit: int
    value: float


class ClampedModel(NumpyModel):
    """Nothing but a unit's output is seen by the rest of the network: this takes it out whole."""

    def __init__(
        self, model: ModelFile, holds: Sequence[Clamp], precision: Precision = "int8"
    ) -> None:
        super().__init__(model, precision)
        self._holds = holds

    def _look(self, layer: int, from_input: Float32, state: Values) -> Values:
        values = super()._look(layer, from_input, state)
        for hold in self._holds:
            if hold.layer == layer:
                values[self._cell.output][:, hold.unit] = hold.value
        return values
