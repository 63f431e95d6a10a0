"""`NativeCounts`: counts in C, through ctypes."""

import ctypes
from typing import Any

import numpy as np

from burble.ngram.discounts import discount_all
from burble.ngram.ids import check_range
from burble.tokenizers.base import Ids

Float64 = np.ndarray[Any, np.dtype[np.float64]]

# Two counts of an n-gram, as in counts.h: different tokens before it, occurrences.
_WAYS = 2


class NativeCounts:
    """Counts of a text in C. They equal those of `NumpyCounts` bit for bit."""

    def __init__(self, opened: ctypes.CDLL, ids: Ids, vocab_size: int, order: int) -> None:
        self.vocab_size = vocab_size
        self.order = order
        self._library = opened
        self._ids = np.ascontiguousarray(ids, np.uint32)
        handle: int | None = opened.burble_count(
            self._ids.ctypes.data, len(self._ids), vocab_size, order
        )
        if handle is None:
            raise MemoryError("the counts do not fit into memory")
        self._handle = handle
        counts_of_counts = np.zeros((order + 1, _WAYS, 4), np.int64)
        for length, of_length in enumerate(counts_of_counts):
            opened.burble_counts_of_counts(handle, length, of_length.ctypes.data)
        self.discounts = discount_all(counts_of_counts)
        opened.burble_set_discounts(handle, self.discounts.ctypes.data)

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            self._library.burble_free_counts(self._handle)

    def probabilities(self, ids: Ids) -> Float64:
        return self._predict(ids, np.empty(len(ids)), every=False)

    def by_order(self, ids: Ids) -> Float64:
        return self._predict(ids, np.empty((self.order + 2, len(ids))), every=True)

    def _predict(self, ids: Ids, out: Float64, *, every: bool) -> Float64:
        given = np.ascontiguousarray(check_range(ids, self.vocab_size), np.uint32)
        self._library.burble_predict(
            self._handle, given.ctypes.data, len(given), every, out.ctypes.data
        )
        return out
