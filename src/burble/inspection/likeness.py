"""Where else does it feel like this? The stretches of a text at which the model is in a state
nearest to that in a marked span.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burble.errors import TextError
from burble.inspection.reading import read_blocks, read_whole

if TYPE_CHECKING:
    from burble.engine.step_model import StepModel
    from burble.inspection.cells import Float64
    from burble.inspection.reading import Block
    from burble.tokenizers.base import Ids

# Nearer to each other than this, two finds would be the same place, told twice.
_APART = 40


@dataclass(frozen=True)
class Likeness:
    """A stretch of a text, as long as the span, and how near the model's state is there."""

    start: int
    similarity: float
    """Mean cosine to the span's mean state, both standardised; 1 is the same direction."""


def nearest(model: StepModel, ids: Ids, prompt: Ids, span: int, count: int) -> list[Likeness]:
    """The `count` stretches of ids, (tokens,), nearest to the last `span` tokens of prompt,
    (tokens,), at least 40 tokens apart. Raises `TextError` where ids are fewer than the span.
    """
    if len(ids) < span:
        raise TextError(
            f"The text is shorter than the marked span: {len(ids):,} and {span:,} characters. "
            "Give more text."
        )
    mean, spread = _moments(model, ids)
    marked = (_top(read_whole(model, prompt))[-span:] - mean) / spread
    target = marked.mean(axis=0)
    similarity = np.empty(len(ids))
    for block in read_blocks(model, ids):
        similarity[block.places] = _cosine((_top(block) - mean) / spread, target)
    total = np.concatenate([[0.0], similarity.cumsum()])
    return _peaks((total[span:] - total[:-span]) / span, count, max(span, _APART))


def _top(block: Block) -> Float64:
    """The top layer's outputs, (places, hidden)."""
    return block.states[:, -1, 0].astype(np.float64)


def _moments(model: StepModel, ids: Ids) -> tuple[Float64, Float64]:
    """Mean and standard deviation of the top layer's outputs, (hidden,) each."""
    total = squares = np.zeros(model.network.hidden_size)
    for block in read_blocks(model, ids):
        total = total + _top(block).sum(axis=0)
        squares = squares + np.square(_top(block)).sum(axis=0)
    mean = total / len(ids)
    spread = np.sqrt(np.maximum(squares / len(ids) - np.square(mean), 1e-12))
    return mean, spread


def _cosine(states: Float64, target: Float64) -> Float64:
    lengths = np.linalg.norm(states, axis=1) * np.linalg.norm(target)
    cosines: Float64 = (states @ target) / np.maximum(lengths, 1e-12)
    return cosines


def _peaks(similarity: Float64, count: int, apart: int) -> list[Likeness]:
    left = similarity.copy()
    found: list[Likeness] = []
    while len(found) < count and np.isfinite(left).any():
        start = int(left.argmax())
        found.append(Likeness(start, float(left[start])))
        left[max(0, start - apart + 1) : start + apart] = -np.inf
    return found
