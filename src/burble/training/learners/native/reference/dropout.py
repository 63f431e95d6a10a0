"""Which numbers dropout keeps, as in kernel/dropout.c: drawn from Philox4x64-10."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.sampling import PHILOX_MULTIPLIERS, PHILOX_ROUNDS, PHILOX_WEYL

if TYPE_CHECKING:
    from burble.arithmetic import Float32

Int64 = np.ndarray[Any, np.dtype[np.int64]]
Words = np.ndarray[Any, np.dtype[np.uint64]]

# Each block of four 64-bit words is eight numbers, the lower half of a word before its upper.
_NUMBERS = 8

_HALF = np.uint64(32)
_LOW = np.uint64(2**32 - 1)
_WORD = 2**64 - 1


@dataclass(frozen=True)
class Dropout:
    """What the numbers at one place are multiplied with: 0, or 1 / (1 - rate)."""

    rate: float
    key: tuple[int, int]
    """Seed and step."""

    place: int
    """0 at the input, then the layers from 1 on."""

    def factors(self, numbers: Int64) -> Float32:
        """Return the factor of each of these numbers, in their shape."""
        blocks, inverse = np.unique(numbers // _NUMBERS, return_inverse=True)
        words = philox(blocks.astype(np.uint64), self.place, self.key)
        halves = np.stack([words & _LOW, words >> _HALF], axis=-1).reshape(len(blocks), _NUMBERS)
        drawn = halves[inverse.reshape(numbers.shape), numbers % _NUMBERS]
        kept = np.float32(1 / (1 - self.rate))
        return np.where(drawn < np.uint64(self.rate * 2**32), np.float32(0), kept)

    def mask(self, *shape: int) -> Float32:
        """Return the factors of an array's numbers."""
        return self.factors(np.arange(int(np.prod(shape))).reshape(shape))


def philox(counts: Words, place: int, key: tuple[int, int]) -> Words:
    """Return the four words of each counter (count, place, 0, 0): (counts, 4)."""
    c0, c1 = counts, np.full_like(counts, place)
    c2, c3 = np.zeros_like(counts), np.zeros_like(counts)
    k0, k1 = key
    for _ in range(PHILOX_ROUNDS):
        low0, high0 = _multiply(c0, PHILOX_MULTIPLIERS[0])
        low1, high1 = _multiply(c2, PHILOX_MULTIPLIERS[1])
        c0, c1 = high1 ^ c1 ^ np.uint64(k0), low1
        c2, c3 = high0 ^ c3 ^ np.uint64(k1), low0
        k0, k1 = (k0 + PHILOX_WEYL[0]) & _WORD, (k1 + PHILOX_WEYL[1]) & _WORD
    return np.stack([c0, c1, c2, c3], axis=-1)


def _multiply(words: Words, factor: int) -> tuple[Words, Words]:
    """Lower and upper 64 bits of the products."""
    low, high = np.uint64(factor) & _LOW, np.uint64(factor) >> _HALF
    words_low, words_high = words & _LOW, words >> _HALF
    cross0, cross1 = words_low * high, words_high * low
    middle = (words_low * low >> _HALF) + (cross0 & _LOW) + (cross1 & _LOW)
    upper = words_high * high + (cross0 >> _HALF) + (cross1 >> _HALF) + (middle >> _HALF)
    return words * np.uint64(factor), upper
