"""Products of matrices: as the C kernels round them, or as fast as NumPy can."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from burble.arithmetic import Float32, Float64

AddProduct = Callable[[Float32, Float32, Float32], Float32]
"""Takes sums, left and right, and returns sums + left @ right."""


def add_in_order(sums: Float32, left: Float32, right: Float32) -> Float32:
    """Return sums + left @ right, each number one chain of fused multiply-adds, the first column
    of `left` first: to the bit what hardware computes, and slow.
    """
    columns, rows = left.T.astype(np.float64), right.astype(np.float64)
    total = np.broadcast_to(sums, (left.shape[0], right.shape[1]))
    for column, row in zip(columns, rows, strict=True):
        total = fuse(column[:, None] * row, total)
    return total


def add_fast(sums: Float32, left: Float32, right: Float32) -> Float32:
    """Return sums + left @ right, summed as NumPy's library likes: the last bits may differ from
    one machine to the next.
    """
    result: Float32 = sums + left @ right
    return result


def fuse(product: Float64, addend: Float32) -> Float32:
    """Return product + addend, rounded once. product: of two float32, which float64 holds exactly.

    The sum is first rounded to odd in float64 (Boldo and Melquiond 2008): cut towards zero, its
    last bit set where something was cut off. No such number is halfway between two of float32, so
    that it can be rounded again.
    """
    wide = addend.astype(np.float64)
    total = product + wide
    # The error of that sum, exactly (Knuth's TwoSum). An infinite sum has NaN here, which compares
    # as false.
    rest = total - product
    error = (product - (total - rest)) + (wide - rest)
    inexact = (error < 0) | (error > 0)
    bits = total.view(np.int64)
    bits -= inexact & ((error < 0) != (total < 0))
    bits |= inexact
    result: Float32 = total.astype(np.float32)
    return result
