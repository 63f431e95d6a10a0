"""An interpolated n-gram model of tokens: the baseline that a network has to beat.

Each order's estimate is mixed with the next lower one's by Witten and Bell's rule (1991, method C):
p(c | context) = (n(context, c) + t(context) · p(c | shorter context)) / (n(context) + t(context)),
n counts occurrences and t the distinct tokens that followed; below order 0 all are equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from burble.tokenizers.base import Ids

DEFAULT_ORDER = 6

# Counting takes about 40 bytes a token and order; this many tokens stay under a gigabyte.
MAX_TOKENS = 20_000_000

_HASH = np.uint64(0x9E3779B97F4A7C15)

UInt64 = np.ndarray[Any, np.dtype[np.uint64]]
Float64 = np.ndarray[Any, np.dtype[np.float64]]


class NgramModel:
    """Counts of a training text, ready to score another; contexts of up to `order` tokens."""

    def __init__(self, ids: Ids, vocab_size: int, order: int = DEFAULT_ORDER) -> None:
        ids = np.asarray(ids[-MAX_TOKENS:])
        self.vocab_size = vocab_size
        self.order = order
        self._tables = [_Counts(ids, length) for length in range(order + 1)]

    def probabilities(self, ids: Ids) -> Float64:
        """Probability of each id after those before it, (tokens,)."""
        ids = np.asarray(ids)
        estimate = np.full(len(ids), 1 / self.vocab_size)
        for length, table in enumerate(self._tables):
            estimate[length:] = table.mix(ids, estimate[length:])
        return estimate


class _Counts:
    """How often each context of one length, and each context with its next token, occurs."""

    def __init__(self, ids: Ids, length: int) -> None:
        self.length = length
        contexts = _keys(ids, length)[: max(0, len(ids) - length)]
        pairs = _with_next(contexts, ids[length:])
        self._pairs, first, self._pair_counts = np.unique(
            pairs, return_index=True, return_counts=True
        )
        self._contexts, self._context_counts = np.unique(contexts, return_counts=True)
        # Each distinct pair is one distinct follower of its context.
        followers = np.searchsorted(self._contexts, contexts[first])
        self._followers = np.bincount(followers, minlength=len(self._contexts))

    def mix(self, ids: Ids, shorter: Float64) -> Float64:
        """The estimates for ids[length:], given those of the next shorter context."""
        contexts = _keys(ids, self.length)[: max(0, len(ids) - self.length)]
        n_pair = _look_up(self._pairs, self._pair_counts, _with_next(contexts, ids[self.length :]))
        n_context = _look_up(self._contexts, self._context_counts, contexts)
        followers = _look_up(self._contexts, self._followers, contexts)
        seen = np.maximum(n_context + followers, 1)
        return np.where(n_context > 0, (n_pair + followers * shorter) / seen, shorter)


def _keys(ids: Ids, length: int) -> UInt64:
    """A 64-bit hash of the `length` ids from each place on; one in 10⁷ texts would collide."""
    count = max(0, len(ids) - length + 1)
    keys = np.zeros(count, dtype=np.uint64)
    for offset in range(length):
        keys = _with_next(keys, ids[offset : offset + count])
    return keys


def _with_next(keys: UInt64, ids: Ids) -> UInt64:
    mixed = (keys + ids.astype(np.uint64) + np.uint64(1)) * _HASH
    return mixed ^ (mixed >> np.uint64(31))


def _look_up(keys: UInt64, counts: Any, wanted: UInt64) -> Float64:
    if len(keys) == 0:
        return np.zeros(len(wanted))
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, counts[places], 0).astype(np.float64)
