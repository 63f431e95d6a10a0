"""The factors of dropout at one place of a step."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from burble.arithmetic import Float32
from burble.training.dropout import numpy_factors

Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Dropout:
    """Dropout at one place of a step."""

    rate: float
    key: tuple[int, int]  # seed and step
    place: int  # 0 for the input, then 1 for the first layer, and so on

    def factors(self, numbers: Int64) -> Float32:
        """Return the factors with these numbers, in the shape of `numbers`."""
        return self._draw(int(numbers.max()) + 1)[numbers]

    def mask(self, *shape: int) -> Float32:
        """Return the factors of all elements of an array of this shape."""
        return self._draw(math.prod(shape)).reshape(shape)

    def _draw(self, count: int) -> Float32:
        return numpy_factors(self.rate, self.key, self.place, count)
