"""Matrix products: rounded as in the C kernels, or as fast as NumPy can."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from burble.arithmetic import Float32, Float64

AddProduct = Callable[[Float32, Float32, Float32], Float32]
"""A function of sums, left and right that returns sums + left @ right."""


def add_in_order(sums: Float32, left: Float32, right: Float32) -> Float32:
    """Return sums + left @ right, each number one chain of fused multiply-adds.

    The chain starts with the first column of `left`. The result equals that of the C kernels bit
    for bit, but this is slow.
    """
    columns, rows = left.T.astype(np.float64), right.astype(np.float64)
    total = np.broadcast_to(sums, (left.shape[0], right.shape[1]))
    for column, row in zip(columns, rows, strict=True):
        total = fuse(column[:, None] * row, total)
    return total


def add_fast(sums: Float32, left: Float32, right: Float32) -> Float32:
    """Return sums + left @ right in NumPy's own order. The last bits may differ by machine."""
    result: Float32 = sums + left @ right
    return result


def fuse(product: Float64, addend: Float32) -> Float32:
    """Return product + addend as float32, rounded only once.

    product: of two float32, so that it is exact in float64. The sum is first rounded to odd in
    float64 (Boldo and Melquiond 2008): cut towards zero, with its last bit set if anything was cut
    off. Such a number is never halfway between two float32, so it can be rounded again.
    """
    wide = addend.astype(np.float64)
    total = product + wide
    # The exact error of that sum (Knuth's TwoSum). It is NaN for an infinite sum, and comparisons
    # with NaN are false.
    rest = total - product
    error = (product - (total - rest)) + (wide - rest)
    inexact = (error < 0) | (error > 0)
    bits = total.view(np.int64)
    bits -= inexact & ((error < 0) != (total < 0))
    bits |= inexact
    result: Float32 = total.astype(np.float32)
    return result
