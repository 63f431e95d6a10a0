"""Counter-based random numbers: Philox4x64-10 returns four words for a key and a counter.

Each word depends on its key and counter alone, so neither the order of drawing nor a library can
change it. Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011).
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

Words = np.ndarray[Any, np.dtype[np.uint64]]

WORDS = 4
"""Words in a block, the output of one counter."""

_MASK = (1 << 64) - 1
_MULTIPLIERS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
_WEYL = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)
_ROUNDS = 10


class Use(IntEnum):
    """The last word of a counter, one for each use, so that no two uses share random numbers."""

    WRITING_AND_DROPOUT = 0
    INITIAL_WEIGHTS = 1
    STREAM = 2
    SHUFFLE = 3


def philox4x64(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, ...]:
    """Return four random 64-bit words for a 256-bit counter and a 128-bit key."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        low, high = _MULTIPLIERS[0] * c0, _MULTIPLIERS[1] * c2
        c0, c1, c2, c3 = (high >> 64) ^ c1 ^ k0, high & _MASK, (low >> 64) ^ c3 ^ k1, low & _MASK
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return c0, c1, c2, c3


def draw_words(
    count: int, key: tuple[int, int], place: tuple[int, int, int], first_block: int = 0
) -> Words:
    """Return random words, (count,), of the counters (first_block, *place), (first_block + 1,
    *place) and so on, four words each.
    """
    counter = sum(word << 64 * i for i, word in enumerate((first_block, *place)))
    # NumPy increments the counter before it draws.
    before = (counter - 1) % (1 << 256)
    drawn: Words = np.random.Philox(counter=before, key=key[0] | key[1] << 64).random_raw(count)
    return drawn


def integer_below(word: int, limit: int) -> int:
    """Map a random word to an integer from 0 to `limit` - 1: the upper half of their product.

    Each is equally likely, to within `limit` / 2⁶⁴.
    """
    return word * limit >> 64
