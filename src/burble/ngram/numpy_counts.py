"""`NumpyCounts`: counts in NumPy, as a reference and for when the C library is missing."""

from __future__ import annotations

from typing import Any

import numpy as np

from burble.ngram.discounts import CLASSES, discount_all
from burble.ngram.ids import check_range
from burble.tokenizers.base import Ids

Float64 = np.ndarray[Any, np.dtype[np.float64]]

Int64 = np.ndarray[Any, np.dtype[np.int64]]

# Two counts of an n-gram: different tokens before it, occurrences.
_KINDS, _TIMES = 0, 1


class NumpyCounts:
    """Counts of a text in NumPy: for each context length, all of its n-grams."""

    def __init__(self, ids: Ids, vocab_size: int, order: int) -> None:
        self.vocab_size = vocab_size
        self.order = order
        tokens = ids.astype(np.int64)
        grams = _Grams(np.zeros(len(tokens), np.int64), tokens, vocab_size)
        levels: list[_Level] = []
        for length in range(order + 1):
            longer = _Grams(grams.of_places, tokens[length + 1 :], vocab_size)
            levels.append(_Level(grams, longer, vocab_size))
            grams = longer
        self._levels = levels
        self.discounts = discount_all(
            np.array([level.counts_of_counts() for level in levels], np.int64).reshape(-1, 2, 4)
        )
        for level, discounts in zip(levels, self.discounts, strict=True):
            level.set_discounts(discounts)

    def probabilities(self, ids: Ids) -> Float64:
        last: Float64 = self.by_order(ids)[-1]
        return last

    def by_order(self, ids: Ids) -> Float64:
        tokens = check_range(ids, self.vocab_size).astype(np.int64)
        rows = np.full((self.order + 2, len(ids)), 1 / self.vocab_size)
        shorter = rows[0].copy()
        contexts = np.zeros(len(ids), np.int64)
        for length, level in enumerate(self._levels):
            grams = level.find(contexts, tokens)
            rows[length + 1] = level.estimate(_TIMES, contexts, grams, shorter)
            shorter = level.estimate(_KINDS, contexts, grams, shorter)
            # The n-gram that ends at one place is the context of the next.
            contexts = np.concatenate(([-1], grams[:-1]))[: len(ids)]
        return rows


class _Grams:
    """The distinct n-grams of one length: the number of a context and the token after it."""

    def __init__(self, contexts: Int64, tokens: Int64, vocab_size: int) -> None:
        """contexts: the number of the context before each token. It may be longer than tokens."""
        self.keys, self.first, inverse, self.times = np.unique(
            contexts[: len(tokens)] * vocab_size + tokens,
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        self.of_places: Int64 = inverse.reshape(-1)  # number of the n-gram at each place

    def count_kinds(self, longer: _Grams) -> Int64:
        """Count the different tokens before each n-gram, the text's beginning being one."""
        kinds = np.bincount(self.of_places[longer.first + 1], minlength=len(self.keys))
        kinds[self.of_places[:1]] += 1
        return kinds


class _Level:
    """The n-grams with contexts of one length, and both of their counts."""

    def __init__(self, grams: _Grams, longer: _Grams, vocab_size: int) -> None:
        self.vocab_size = vocab_size
        self._keys = grams.keys
        self._counts = np.stack([grams.count_kinds(longer), grams.times])
        self._contexts = grams.keys // vocab_size
        self._size = int(self._contexts[-1]) + 1 if len(self._contexts) else 0
        self._totals = np.array(
            [np.bincount(self._contexts, counts, self._size) for counts in self._counts]
        )

    def counts_of_counts(self) -> list[Int64]:
        return [np.bincount(np.minimum(counts, 5), minlength=6)[1:5] for counts in self._counts]

    def set_discounts(self, discounts: Float64) -> None:
        self._discounts = discounts
        taken = np.zeros(self._totals.shape)
        for way, counts in enumerate(np.minimum(self._counts, CLASSES)):
            for place, discount in enumerate(discounts[way]):
                of = np.bincount(self._contexts[counts == place + 1], minlength=self._size)
                taken[way] += discount * of
        self._rests = np.divide(taken, self._totals, out=taken, where=self._totals > 0)

    def find(self, contexts: Int64, tokens: Int64) -> Int64:
        if len(self._keys) == 0:
            return np.full(len(tokens), -1, np.int64)
        wanted = contexts * self.vocab_size + tokens
        places = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where((contexts >= 0) & (self._keys[places] == wanted), places, -1)

    def estimate(self, way: int, contexts: Int64, grams: Int64, shorter: Float64) -> Float64:
        """Return the probability of each n-gram, (tokens,).

        contexts, grams: numbers of contexts and n-grams, -1 if never seen. shorter: the
        probabilities given by contexts that are one token shorter.
        """
        if self._size == 0:
            return shorter
        inside = np.clip(contexts, 0, self._size - 1)
        totals = np.where(contexts == inside, self._totals[way][inside], 0)
        counts = np.where(grams >= 0, self._counts[way][grams], 0)
        taken = self._discounts[way][np.clip(counts, 1, CLASSES) - 1]
        own = np.where(counts > 0, counts - taken, 0.0) / np.maximum(totals, 1)
        return np.where(totals > 0, own + self._rests[way][inside] * shorter, shorter)
