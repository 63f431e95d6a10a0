"""Find the stretches of a text where a model's states are most similar to those in a span."""

from dataclasses import dataclass

import numpy as np

from burble.engine.step_model import StepModel
from burble.errors import TextError
from burble.inspection.units.cells import Float64
from burble.inspection.units.reading import Block, read_blocks, read_whole
from burble.tokenizers.base import Ids

# Matches closer together would show the same place twice.
_APART = 40


@dataclass(frozen=True)
class Match:
    """A stretch of a text, as long as the span, and how similar the model's states are in it."""

    start: int
    similarity: float  # mean cosine of the standardised states; 1 means equal


def find_similar(model: StepModel, ids: Ids, prompt: Ids, span: int, count: int) -> list[Match]:
    """Find the `count` stretches of ids most similar to the last `span` tokens of a prompt.

    ids, prompt: (tokens,). Matches are at least 40 tokens apart, the best first. Raises
    `TextError` if ids are fewer than the span.
    """
    if len(ids) < span:
        raise TextError(
            f"The text is shorter than the marked span: it has {len(ids):,} characters, the span "
            f"{span:,}. Give more text."
        )
    mean, spread = _moments(model, ids)
    marked = _directions(read_whole(model, prompt), mean, spread)[-span:]
    # One total for each start. A start before the text has a negative index, so it lands in the
    # extra places at the end, which are cut off.
    total = np.zeros(len(ids) + span)
    for block in read_blocks(model, ids):
        cosines = _directions(block, mean, spread) @ marked.T
        for offset in range(span):
            total[block.places - offset] += cosines[:, offset]
    return _peaks(total[: len(ids) - span + 1] / span, count, max(span, _APART))


def _top(block: Block) -> Float64:
    return block.outputs[:, -1].astype(np.float64)


def _moments(model: StepModel, ids: Ids) -> tuple[Float64, Float64]:
    total = squares = np.zeros(model.network.hidden_size)
    for block in read_blocks(model, ids):
        total = total + _top(block).sum(axis=0)
        squares = squares + np.square(_top(block)).sum(axis=0)
    mean = total / len(ids)
    spread = np.sqrt(np.maximum(squares / len(ids) - np.square(mean), 1e-12))
    return mean, spread


def _directions(block: Block, mean: Float64, spread: Float64) -> Float64:
    """Return the standardised outputs of the top layer as unit vectors, (places, hidden)."""
    standardised = (_top(block) - mean) / spread
    lengths = np.linalg.norm(standardised, axis=1, keepdims=True)
    directions: Float64 = standardised / np.maximum(lengths, 1e-12)
    return directions


def _peaks(similarity: Float64, count: int, apart: int) -> list[Match]:
    left = similarity.copy()
    found: list[Match] = []
    while len(found) < count and np.isfinite(left).any():
        start = int(left.argmax())
        found.append(Match(start, float(left[start])))
        left[max(0, start - apart + 1) : start + apart] = -np.inf
    return found
