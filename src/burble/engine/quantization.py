"""Multiply in integers, whose sums are the same in any order and on any machine."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from burble.arithmetic import Float32

Int8 = np.ndarray[Any, np.dtype[np.int8]]

LIMIT = 127
# A row whose largest number is smaller counts as zeros: 127 / largest must stay finite.
TINY = np.float32(2.0**-100)
# Tables are computed once, so they can have 20 bits: float64 sums 16,384 such products exactly.
FINE_LIMIT = 2**19 - 1
# Sums of this many int8 products stay below 2²⁴, up to which float32 is exact for integers.
_EXACT_IN_FLOAT32 = (1 << 24) // LIMIT**2


def to_integers(x: Float32, limit: int = LIMIT) -> tuple[Float32, Float32]:
    """Scale each row of x to integers in ±limit, rounded half to even.

    Returns the integers, (rows, columns), and the scale of each row, (rows, 1): x ≈ integers ·
    scale.
    """
    largest: Float32 = np.abs(x).max(axis=1, keepdims=True)
    largest[largest < TINY] = 0
    inverse = np.divide(np.float32(limit), largest, out=np.zeros_like(largest), where=largest > 0)
    return np.rint(x * inverse), largest / np.float32(limit)


@dataclass(frozen=True)
class Int8Matrix:
    """A weight matrix, (outputs, inputs), in int8: row r is values[r] · scales[r]."""

    values: Int8
    scales: Float32

    @classmethod
    def of(cls, weights: Float32) -> Self:
        """Quantise float32 weights, (outputs, inputs)."""
        values, scales = to_integers(weights)
        return cls(values.astype(np.int8), scales[:, 0])


class Int8Product:
    """The product x → x·Wᵀ with both sides in int8. BLAS sums the integers, exactly."""

    def __init__(self, weights: Float32) -> None:
        matrix = Int8Matrix.of(weights)
        exact = np.float32 if weights.shape[1] <= _EXACT_IN_FLOAT32 else np.float64
        self._values = np.ascontiguousarray(matrix.values.T, exact)
        self._scales = matrix.scales

    def __call__(self, x: Float32) -> Float32:
        integers, scale = to_integers(x)
        sums = integers.astype(self._values.dtype, copy=False) @ self._values
        # Through int32, because a sum of floats can be -0.
        product: Float32 = sums.astype(np.int32).astype(np.float32) * (self._scales * scale)
        return product


class Float32Product:
    """The product x → x·Wᵀ in float32. Its last bits depend on the BLAS and on the batch."""

    def __init__(self, weights: Float32) -> None:
        self._weights = np.ascontiguousarray(weights.T)

    def __call__(self, x: Float32) -> Float32:
        product: Float32 = x @ self._weights
        return product


def fine_product(rows: Float32, weights: Float32) -> Float32:
    """Return rows·weightsᵀ, computed in 20-bit integers, whose sums float64 holds exactly."""
    left, left_scale = to_integers(rows, FINE_LIMIT)
    right, right_scale = to_integers(weights, FINE_LIMIT)
    sums = left.astype(np.float64) @ right.astype(np.float64).T
    scales = left_scale.astype(np.float64) * right_scale[:, 0].astype(np.float64)
    return (sums * scales).astype(np.float32)
