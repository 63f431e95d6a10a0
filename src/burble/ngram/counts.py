"""Count the n-grams of a text: in C, or with NumPy if the C library is missing."""

from typing import Any, Protocol

import numpy as np

from burble.native.library import library, warn_without_library
from burble.ngram.ids import check_range
from burble.ngram.native_counts import NativeCounts
from burble.ngram.numpy_counts import NumpyCounts
from burble.tokenizers.base import Ids

Float64 = np.ndarray[Any, np.dtype[np.float64]]

MAX_ORDER = 31

# In C, 10 million bytes of source code take 11 s and half a gigabyte, including the choice of an
# order. With NumPy, 2 million take 7 s and a gigabyte.
MAX_TOKENS = 10_000_000
MAX_TOKENS_NUMPY = 2_000_000


class Counts(Protocol):
    """The n-gram counts of a text, which predict another text."""

    vocab_size: int
    order: int  # the longest context, in tokens; with -1 all tokens are equally likely

    def probabilities(self, ids: Ids) -> Float64:
        """Return the probability of each id after the ids before it, (tokens,)."""

    def by_order(self, ids: Ids) -> Float64:
        """Return the probabilities for every order from -1 to `order`, (orders, tokens)."""


def count(ids: Ids, vocab_size: int, order: int) -> Counts:
    """Count the last `max_tokens()` of ids, (tokens,), each below `vocab_size`.

    Below the longest context, count how many different tokens come before an n-gram (Kneser and
    Ney 1995). Raises `ValueError` for ids or an order out of range.
    """
    if not -1 <= order <= MAX_ORDER:
        raise ValueError(f"order must be from -1 to {MAX_ORDER}; found {order}")
    ids = check_range(ids[-max_tokens() :], vocab_size)
    opened = library()
    if opened is None:
        warn_without_library()
        return NumpyCounts(ids, vocab_size, order)
    return NativeCounts(opened, ids, vocab_size, order)


def max_tokens() -> int:
    """Return how many tokens are counted at most."""
    return MAX_TOKENS if library() else MAX_TOKENS_NUMPY
