"""Which numbers dropout keeps, at one place of a step."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from burble.arithmetic import Float32
from burble.training.dropout import numpy_factors

Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Dropout:
    rate: float
    key: tuple[int, int]  # seed and step
    place: int  # 0 at the input, then the layers from 1 on

    def factors(self, numbers: Int64) -> Float32:
        """Return the factor of each of these numbers, in their shape."""
        return self._first(int(numbers.max()) + 1)[numbers]

    def mask(self, *shape: int) -> Float32:
        """Return the factors of an array's numbers."""
        return self._first(math.prod(shape)).reshape(shape)

    def _first(self, count: int) -> Float32:
        return numpy_factors(self.rate, self.key, self.place, count)
