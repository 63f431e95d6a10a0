"""From outputs to logits, losses and their gradients, as in kernel/head.c."""

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

# Terms of a sum of float32 that are added up before they enter one in float64.
TERMS = 64


@dataclass(frozen=True)
class HeadFigures:
    """The loss of a batch, and the gradient of its logits."""

    loss: float
    correct: int
    gradient: Float32
    """(positions, vocab); zero where no target counts."""


def run_head(outputs: Float32, weights: Arrays, batch: Batch, add: AddProduct) -> HeadFigures:
    """Score the targets that count. outputs: (positions, hidden)."""
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
    """Sum along the vocabulary, (positions, vocab): blocks in float32, then these in float64."""
    positions, vocab = e.shape
    blocks = np.zeros((positions, -(-vocab // TERMS), TERMS), np.float32)
    blocks.reshape(positions, -1)[:, :vocab] = e
    sums = np.add.accumulate(blocks, axis=2)[..., -1]
    total: Float64 = np.add.accumulate(sums.astype(np.float64), axis=1)[:, -1]
    return total


def add_up(numbers: Float64) -> float:
    """Sum one number after the other; NumPy's `sum` has an order of its own."""
    return float(np.add.accumulate(numbers)[-1])
