"""The discounts of modified Kneser-Ney smoothing (Chen and Goodman, TR-10-98, 1998, section 3)."""

from typing import Any

import numpy as np

Int64 = np.ndarray[Any, np.dtype[np.int64]]
Float64 = np.ndarray[Any, np.dtype[np.float64]]

# Counts of 1, of 2, and of 3 or more are discounted differently.
CLASSES = 3


def discount_all(counts_of_counts: Int64) -> Float64:
    """Return the discounts, (..., 3), from the numbers of n-grams with counts 1 to 4, (..., 4)."""
    flat = [discount(tuple(map(int, n))) for n in counts_of_counts.reshape(-1, CLASSES + 1)]
    return np.array(flat, np.float64).reshape(*counts_of_counts.shape[:-1], CLASSES)


def discount(counts_of_counts: tuple[int, ...]) -> list[float]:
    """Return the discounts of counts of 1, of 2, and of 3 or more, from (n1, n2, n3, n4).

    The discount of count r is r - (r + 1) Y n(r+1) / n(r), where Y = n1 / (n1 + 2 n2). If that has
    no value, or is not positive, it is half of the count: the text has few n-grams, or occurs
    twice.
    """
    n1, n2 = counts_of_counts[:2]
    discounts = []
    for r in range(1, CLASSES + 1):
        here, next_ = counts_of_counts[r - 1 : r + 1]
        taken = 0.0
        if n1 and n2 and here and next_:
            # One division of integers, rounded once.
            taken = (r * (n1 + 2 * n2) * here - (r + 1) * n1 * next_) / ((n1 + 2 * n2) * here)
        discounts.append(taken if taken > 0 else r / 2)
    return discounts
