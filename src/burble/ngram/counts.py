"""Count a text: in C where the library is there, else with NumPy."""

from typing import Any, Protocol

import numpy as np

from burble.native.library import library, warn_without_library
from burble.ngram.ids import check_range
from burble.ngram.native_counts import NativeCounts
from burble.ngram.numpy_counts import NumpyCounts
from burble.tokenizers.base import Ids

Float64 = np.ndarray[Any, np.dtype[np.float64]]

MAX_ORDER = 31

# 10 million bytes of source code take 11 s of a processor and half a gigabyte in C, with the choice
# of an order; with NumPy 2 million take 7 s and a gigabyte.
MAX_TOKENS = 10_000_000
MAX_TOKENS_NUMPY = 2_000_000


class Counts(Protocol):
    """How often which token follows which others, and what that makes of another text."""

    vocab_size: int
    order: int  # contexts have up to this many tokens; -1: nothing is counted, all tokens are equal

    def probabilities(self, ids: Ids) -> Float64:
        """Return how probable each of ids is after those before it, (tokens,)."""

    def by_order(self, ids: Ids) -> Float64:
        """Return the same for all orders from -1 to `order`, (orders, tokens)."""


def count(ids: Ids, vocab_size: int, order: int) -> Counts:
    """Count ids, (tokens,), each below `vocab_size`; the last `max_tokens()` of them.

    Below the longest context, what counts is how many different tokens stand before an n-gram, as
    Kneser and Ney (1995) have it.
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
    return MAX_TOKENS if library() else MAX_TOKENS_NUMPY
