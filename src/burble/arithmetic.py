"""The functions that give the same bits everywhere: tanh, sigmoid and exp in plain float32, and
the logarithm of a loss in float64.

Libraries round these differently from one processor to the next. Here each is a polynomial in
adds, multiplies and one division, in the order that `docs/engine.md` writes down, so that NumPy,
C and JavaScript agree to the last bit. `benchmarks/polynomials.py` finds and measures them.
"""

from typing import Any

import numpy as np

Float32 = np.ndarray[Any, np.dtype[np.float32]]
Float64 = np.ndarray[Any, np.dtype[np.float64]]
Int32 = np.ndarray[Any, np.dtype[np.int32]]

# tanh(x) ≈ x·P(x²) / Q(x²) for |x| ≤ 9.02, relative error 2.1e-8 before rounding; beyond, tanh
# rounds to 1.
TANH_BOUND = np.float32(9.02)
TANH_P = np.array(
    [1.0, 0.13379713893, 0.0034940300975, 2.0583409423e-05, 1.3318973480e-08], np.float32
)
TANH_Q = np.array([1.0, 0.46713030338, 0.025871057063, 3.2830855343e-04, 7.7619785e-07], np.float32)

# exp(r) ≈ 1 + r + r²·E(r) for |r| ≤ ln 2 / 2, relative error 3.1e-9 before rounding.
EXP_E = np.array(
    [0.49999994040, 0.16666519642, 0.041668400168, 0.0083688506857, 0.0013814320555], np.float32
)
LOG2_E = np.float32(1.44269504)
# ln 2 in two parts: the first times an integer below 2¹⁵ is exact.
LN2_HIGH = np.float32(0.693359375)
LN2_LOW = np.float32(-2.12194440e-4)
EXP_BOUND = np.float32(-60.0)

# The last term of artanh's series: with |s| < 0.1716, ten terms give the 53 bits of a double.
LOG_LAST = 21
_SQRT_2 = 1.4142135623730951
_LN2 = 0.6931471805599453

_HALF = np.float32(0.5)
_ONE = np.float32(1.0)


def tanh(x: Float32) -> Float32:
    """Return tanh(x) for finite x, within ±1; relative error at most 4.0e-7."""
    x = np.clip(x, -TANH_BOUND, TANH_BOUND)
    square = x * x
    ratio = (x * _horner(TANH_P, square)) / _horner(TANH_Q, square)
    result: Float32 = np.clip(ratio, -_ONE, _ONE)
    return result


def sigmoid(x: Float32) -> Float32:
    """Return 1 / (1 + exp(-x)), computed as (tanh(x/2) + 1) / 2; in [0, 1]."""
    result: Float32 = tanh(x * _HALF) * _HALF + _HALF
    return result


def scaled_exp(x: Float32, power: int) -> Int32:
    """Return exp(x) · 2^power, truncated to an integer, for x ≤ 0; x below -60 counts as -60."""
    result: Int32 = _exp(x, power).astype(np.int32)
    return result


def exp(x: Float32) -> Float32:
    """Return exp(x) for x ≤ 0; x below -60 counts as -60."""
    return _exp(x, 0)


def log(x: Float64) -> Float64:
    """Return ln x for normal x > 0, with ln m = 2 · artanh s, s = (m - 1) / (m + 1)."""
    m, exponent = np.frexp(x)
    below = m * 2 <= _SQRT_2
    m, exponent = np.where(below, m * 2, m), exponent - below
    s = (m - 1.0) / (m + 1.0)
    square, series = s * s, np.full_like(s, 1.0 / LOG_LAST)
    for odd in range(LOG_LAST - 2, 0, -2):
        series = series * square + 1.0 / odd
    result: Float64 = exponent * _LN2 + 2.0 * s * series
    return result


def _exp(x: Float32, power: int) -> Float32:
    x = np.maximum(x, EXP_BOUND)
    whole = np.rint(x * LOG2_E)
    rest = (x - whole * LN2_HIGH) - whole * LN2_LOW
    fraction = ((_horner(EXP_E, rest) * rest) * rest + rest) + _ONE
    result: Float32 = np.ldexp(fraction, whole.astype(np.int32) + power)
    return result


def _horner(coefficients: Float32, x: Float32) -> Float32:
    """Return Σ coefficients[k] · x^k, summed from the highest power down."""
    total: Float32 = x * coefficients[-1] + coefficients[-2]
    for coefficient in coefficients[-3::-1]:
        total = total * x + coefficient
    return total
