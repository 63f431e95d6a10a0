"""The layout of a saved state: its tensors, their shapes, and the range of their numbers."""

import math
from dataclasses import dataclass

import numpy as np

from burble.cells import CELLS
from burble.config import RunConfig
from burble.model_file import MAX_WEIGHT
from burble.training.learner import Arrays

Shapes = dict[str, tuple[int, ...]]

# The state of AdamW for each parameter after the first step, by torch's names.
ADAM_MOMENTS = ("step", "exp_avg", "exp_avg_sq")

# Adam counts its steps in float32, which cannot count beyond this number.
_MAX_STEP = 2.0**24

# The lowest and the highest number in a tensor, by the beginning of its name.
_RANGES = {
    "optimizer.step.": (0.0, _MAX_STEP),
    "optimizer.exp_avg.": (-math.inf, math.inf),
    "optimizer.exp_avg_sq.": (0.0, math.inf),
}
_WEIGHTS = (-MAX_WEIGHT, MAX_WEIGHT)


@dataclass(frozen=True)
class Layout:
    """The tensors in the saved state of a run."""

    config: RunConfig
    vocab_size: int
    rows: int  # rows in a training batch; each carries a state

    def shapes(self, step: int) -> Shapes:
        """Return the shape of each tensor after `step` steps. Adam has none before the first."""
        weights = self.config.network.tensor_shapes(self.vocab_size)
        shapes = {f"network.{name}": shape for name, shape in weights.items()}
        if self.config.training.averaging > 0:
            shapes |= {f"average.{name}": shape for name, shape in weights.items()}
        for key in ADAM_MOMENTS if step else ():
            shapes |= {
                f"optimizer.{key}.{name}": () if key == "step" else shape
                for name, shape in weights.items()
            }
        return shapes | self._carried_shapes()

    def _carried_shapes(self) -> Shapes:
        network = self.config.network
        return {
            f"carried.{depth}.{place}": (1, self.rows, network.hidden_size)
            for depth in range(network.num_layers)
            for place in range(len(CELLS[network.cell].states))
        }


def check_numbers(tensors: Arrays) -> None:
    """Raise `ValueError` for numbers that are NaN, infinite, or out of their range."""
    for name, tensor in tensors.items():
        ranges = (found for start, found in _RANGES.items() if name.startswith(start))
        low, high = next(ranges, _WEIGHTS)
        with np.errstate(invalid="ignore"):
            is_sound = bool((np.isfinite(tensor) & (tensor >= low) & (tensor <= high)).all())
        if not is_sound:
            raise ValueError(f"{name} contains NaN or numbers out of range")
