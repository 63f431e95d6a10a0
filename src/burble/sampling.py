"""Choose the next token from logits: filters, in the order of `SamplingConfig`, then a draw."""

import math
from typing import Any

import numpy as np

from burble.arithmetic import Float32, scaled_exp
from burble.config import SamplingConfig
from burble.philox import philox4x64

Integers = np.ndarray[Any, np.dtype[np.integer[Any]]]
Int64 = np.ndarray[Any, np.dtype[np.int64]]

# How many tokens back the repetition penalty looks. Over a whole text it would punish every letter.
PENALTY_TOKENS = 64

# The likeliest token has weight 2³⁰, so a token 10⁹ times less likely is never drawn.
WEIGHT_BITS = 30

_MASK = (1 << 64) - 1


def uniform(seed: int, stream: int, position: int) -> float:
    """Return the random number in [0, 1) for a position of a stream, in steps of 2⁻⁵³."""
    word = philox4x64((position, 0, 0, 0), (seed & _MASK, stream & _MASK))[0]
    return (word >> 11) * 2.0**-53


def choose(logits: Float32, recent: Integers, config: SamplingConfig, uniform_draw: float) -> int:
    """Return the next token.

    logits: (vocab,). recent: the tokens before it, newest last. uniform_draw: in [0, 1).
    """
    scores = _penalize(logits, recent, np.float32(config.repetition_penalty))
    if np.float32(config.temperature) == 0:
        return int(np.argmax(scores))
    cumulative = np.cumsum(weigh(scores, config))
    # Always below the total, because the draw is below 1 and the total below 2⁵³.
    place = math.floor(uniform_draw * float(cumulative[-1]))
    return int(np.searchsorted(cumulative, place, side="right"))


def weigh(scores: Float32, config: SamplingConfig) -> Int64:
    """Return the weight of each token in the draw, (vocab,), after all filters.

    Weights are integers, so that their sum is the same in any order.
    """
    with np.errstate(over="ignore"):
        tempered = (scores - scores.max()) / np.float32(config.temperature)
    weights = scaled_exp(tempered, WEIGHT_BITS).astype(np.int64)
    if config.top_k is not None or config.top_p < 1.0:
        order = np.argsort(-weights, kind="stable")
        weights[order[config.top_k or len(order) :]] = 0
        ordered = weights[order]
        before = np.cumsum(ordered) - ordered
        weights[order[before >= config.top_p * float(weights.sum())]] = 0
    weights[weights < config.min_p * float(1 << WEIGHT_BITS)] = 0
    return weights


def _penalize(scores: Float32, recent: Integers, penalty: np.float32) -> Float32:
    if penalty == 1:
        return scores
    scores = scores.copy()
    seen = recent[-PENALTY_TOKENS:]
    scores[seen] = np.where(scores[seen] > 0, scores[seen] / penalty, scores[seen] * penalty)
    return scores
