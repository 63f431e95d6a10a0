"""Clipping, AdamW and averaging, as in kernel/update.c."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from burble.training.learners.native.reference.head import add_up
from burble.training.learners.native.reference.layers import GROUP

if TYPE_CHECKING:
    from burble.arithmetic import Float32, Float64
    from burble.native.structures import Update
    from burble.training.learner import Arrays

# Smaller moments become zero. Otherwise they would stay subnormal, and those numbers are slow.
SMALLEST = np.float32(2.0**-100)


def norm_of(gradients: Arrays) -> float:
    """Return the norm of all gradients together, summed row by row and tensor by tensor."""
    return math.sqrt(add_up(np.concatenate([_square_rows(g) for g in gradients.values()])))


def _square_rows(gradient: Float32) -> Float64:
    """Return the sum of squares of each row: 16 interleaved chains, added half to half."""
    rows = np.atleast_2d(gradient)
    wide = np.zeros((len(rows), -(-rows.shape[1] // GROUP), GROUP))
    wide.reshape(len(rows), -1)[:, : rows.shape[1]] = rows
    chains = np.add.accumulate(wide * wide, axis=1)[:, -1]
    while chains.shape[1] > 1:
        half = chains.shape[1] // 2
        chains = chains[:, :half] + chains[:, half:]
    squares: Float64 = chains[:, 0]
    return squares


class AdamW:
    """The AdamW update of one step."""

    def __init__(self, by: Update, norm: float) -> None:
        clips = 0 < by.grad_clip < norm
        self._scale = np.float32(by.grad_clip / norm if clips else 1.0)
        self._keep = np.float32(1.0 - by.rate * by.weight_decay)
        self._rate = np.float32(by.rate / by.correction1)
        self._betas = np.float32(by.beta1), np.float32(by.beta2)
        self._rests = np.float32(1.0 - by.beta1), np.float32(1.0 - by.beta2)
        self._root = np.float32(1.0 / math.sqrt(by.correction2))
        self._epsilon = np.float32(by.epsilon)
        self._share = np.float32(by.share)

    def update(self, kinds: dict[str, Arrays]) -> None:
        """Update weights, moments and averages in place. Only matrices decay."""
        for name, weights in kinds["weights"].items():
            gradient = kinds["gradients"][name] * self._scale
            root = self._move(gradient, kinds["means"][name], kinds["squares"][name])
            kept = weights * self._keep if weights.ndim > 1 else weights
            weights[:] = kept - self._rate * kinds["means"][name] / root
            average = kinds["averages"][name]
            average += self._share * (weights - average)

    def _move(self, gradient: Float32, mean: Float32, square: Float32) -> Float32:
        """Update the moments in place, and return the divisor of the step."""
        mean[:] = mean * self._betas[0] + gradient * self._rests[0]
        square[:] = square * self._betas[1] + gradient * gradient * self._rests[1]
        mean[np.abs(mean) < SMALLEST] = 0
        square[square < SMALLEST] = 0
        root: Float32 = np.sqrt(square) * self._root + self._epsilon
        return root
