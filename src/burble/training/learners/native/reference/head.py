"""Compute logits, losses and their gradients, as in kernel/head.c."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burble.arithmetic import Float32, Float64, exp, log

if TYPE_CHECKING:
    from burble.data.batch import Batch
    from burble.training.learner import Arrays
    from burble.training.learners.native.reference.products import AddProduct

# This many terms are added in float32 before the result is added to a sum in float64.
TERMS = 64


@dataclass(frozen=True)
class HeadFigures:
    """The loss of a batch, and the gradient of its logits."""

    loss: float
    correct: int
    gradient: Float32
    """(positions, vocab). It is zero where the target is masked."""


def run_head(outputs: Float32, weights: Arrays, batch: Batch, add: AddProduct) -> HeadFigures:
    """Score the targets that are not masked. outputs: (positions, hidden)."""
    vocab, counts = len(weights["head.bias"]), batch.mask.reshape(-1)
    gradient = np.zeros((counts.size, vocab), np.float32)
    if batch.num_targets == 0:
        return HeadFigures(math.nan, 0, gradient)
    targets, places = batch.targets.reshape(-1)[counts], np.arange(batch.num_targets)
    z = add(weights["head.bias"], outputs[counts], weights["head.weight"].T)
    aimed, largest = z[places, targets], z.max(axis=1)
    e = exp(z - largest[:, None])
    total = sum_terms(e)
    losses = log(total) - (aimed.astype(np.float64) - largest)
    factor = (1.0 / (total * batch.num_targets)).astype(np.float32)
    e *= factor[:, None]
    e[places, targets] -= np.float32(1.0 / batch.num_targets)
    gradient[counts] = e
    loss = add_up(losses) / batch.num_targets
    return HeadFigures(loss, int((z.argmax(axis=1) == targets).sum()), gradient)


def sum_terms(e: Float32) -> Float64:
    """Sum e, (positions, vocab), over the vocabulary: blocks in float32, then those in float64."""
    positions, vocab = e.shape
    blocks = np.zeros((positions, -(-vocab // TERMS), TERMS), np.float32)
    blocks.reshape(positions, -1)[:, :vocab] = e
    sums = np.add.accumulate(blocks, axis=2)[..., -1]
    total: Float64 = np.add.accumulate(sums.astype(np.float64), axis=1)[:, -1]
    return total


def add_up(numbers: Float64) -> float:
    """Add the numbers in their order. NumPy's `sum` uses another order."""
    return float(np.add.accumulate(numbers)[-1])
