"""From logits to a choice: the filters, their one order, and random numbers by counter.

The order is that of `SamplingConfig`: repetition penalty, temperature, top-k, top-p, min-p, draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burble.config import SamplingConfig

Floats = np.ndarray[tuple[int, ...], np.dtype[np.floating[Any]]]

# How far back the repetition penalty looks, in tokens; longer, and every letter is punished.
PENALTY_TOKENS = 64

_MASK = (1 << 64) - 1
# Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11.
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_ROUNDS = 10


def philox4x64(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, ...]:
    """Four random 64-bit words for a 256-bit counter and a 128-bit key (Philox4x64-10)."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        low, high = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (high >> 64) ^ c1 ^ k0, high & _MASK, (low >> 64) ^ c3 ^ k1, low & _MASK
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return c0, c1, c2, c3


def uniform(seed: int, stream: int, position: int) -> float:
    """The number in [0, 1) that belongs to this place of this stream, in steps of 2⁻⁵³."""
    word = philox4x64((position, 0, 0, 0), (seed & _MASK, stream & _MASK))[0]
    return (word >> 11) * 2.0**-53


def choose(
    logits: Floats, recent: Sequence[int], config: SamplingConfig, uniform_draw: float
) -> int:
    """The next token.

    logits: (vocab,); recent: the tokens before this one, newest last; uniform_draw: in [0, 1),
    unused when greedy. Ties go to the lowest id.
    """
    scores = _penalized(logits.astype(np.float64), recent, config.repetition_penalty)
    if config.temperature == 0:
        return int(np.argmax(scores))
    cumulative = np.cumsum(probabilities(scores, config))
    place = int(np.searchsorted(cumulative, uniform_draw * cumulative[-1], side="right"))
    # Only NaN, which absurd weights can make, leads past the end.
    return min(place, int(np.searchsorted(cumulative, cumulative[-1])))


def probabilities(scores: Floats, config: SamplingConfig) -> Floats:
    """Weights of all tokens after temperature and filters, (vocab,), not normalised."""
    weights = np.exp(_tempered(scores, config.temperature))
    order = np.argsort(-weights, kind="stable")
    if config.top_k is not None:
        weights[order[config.top_k :]] = 0.0
    if config.top_p < 1.0:
        before = np.cumsum(weights[order]) - weights[order]
        weights[order[before >= config.top_p * weights.sum()]] = 0.0
    weights[weights < config.min_p * weights.max()] = 0.0
    return weights


def _penalized(scores: Floats, recent: Sequence[int], penalty: float) -> Floats:
    if penalty != 1.0:
        seen = np.asarray(recent[-PENALTY_TOKENS:], dtype=np.int64)
        scores[seen] = np.where(scores[seen] > 0, scores[seen] / penalty, scores[seen] * penalty)
    return scores


def _tempered(scores: Floats, temperature: float) -> Floats:
    # The likeliest is moved to 0 first: a tiny temperature then gives -inf, never inf or NaN.
    with np.errstate(over="ignore"):
        tempered: Floats = (scores - scores.max()) / temperature
    return tempered
