"""Fit the coefficients in burble/arithmetic.py, and measure the errors of its functions.

    python -m benchmarks.polynomials            # on every float32
    python -m benchmarks.polynomials --every 64

Fits the coefficients again, prints how far those of burble/arithmetic.py are from them in units in
the last place (ulp), and compares its functions with float64. Exits with status 1 if a coefficient
is more than an ulp away.

The fits minimise squares of the relative error, reweighted by the error itself until the largest
errors are about equal, which is near the optimum (Lawson 1961).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burble import arithmetic

if TYPE_CHECKING:
    from collections.abc import Iterator

Float64 = np.ndarray[Any, np.dtype[np.float64]]

# tanh: degrees of P and Q in x². exp: degrees of E, whose terms begin at r².
TANH_DEGREE = 4
EXP_DEGREE = 4
# A little beyond ln 2 / 2, because x / ln 2 is rounded before its integer part is taken.
EXP_REACH = np.log(2) / 2 * 1.002
# Closer to 0, the rounding of float64 hides the error of exp.
EXP_NEAREST = 1e-4
POINTS = 6000
TANH_ROUNDS = 600
EXP_ROUNDS = 400

MANTISSA_BITS = 23
EXPONENT_BIAS = 127
# Numbers measured at a time: few enough for the cache, and for similar exps (see exp_errors).
BLOCK = 1 << 15
# Exponents of 2. Below the smallest, 1 + x² rounds to 1; beyond the largest, tanh rounds to 1.
SMALLEST = -26
TANH_LARGEST = 3
EXP_LARGEST = 5
# An int32 holds a fraction up to √2 of this many bits.
WHOLE_BITS = 30


# --- Fits ----------------------------------------------------------------------------------------


def least_squares(columns: Float64, target: Float64, weights: Float64) -> Float64:
    """Return the combination of columns nearest to the target, with weighted rows.

    Columns are scaled to equal length first, for precision.
    """
    columns = columns * weights[:, None]
    scale = np.linalg.norm(columns, axis=0)
    found = np.linalg.lstsq(columns / scale, target * weights, rcond=None)[0]
    unscaled: Float64 = found / scale
    return unscaled


def powers(x: Float64, first: int, last: int) -> Float64:
    """Return x to the powers from first to last, as columns."""
    return x[:, None] ** np.arange(first, last + 1)


def reweighted(weights: Float64, errors: Float64) -> Float64:
    """Multiply the weights of the squares by the errors: Lawson's step."""
    raised: Float64 = weights * (np.abs(errors) / np.abs(errors).max() + 1e-9)
    raised /= raised.sum()
    return raised


def fit_tanh() -> tuple[Float64, Float64, float]:
    """Fit P and Q of tanh(x) ≈ x·P(x²) / Q(x²).

    Returns both, from the constant up, and the largest relative error. P - tanh(x)/x · Q = 0 is
    linear in the coefficients. Dividing it by the last round's Q makes its error that of the
    quotient (Sanathanan and Koerner 1963).
    """
    bound = float(arithmetic.TANH_BOUND)
    # Dense at both ends, where errors peak.
    x = bound * (1 - np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)) / 2
    target = np.tanh(x) / x
    square = (x / bound) ** 2
    above, below = powers(square, 0, TANH_DEGREE), powers(square, 1, TANH_DEGREE)
    columns = np.hstack([above, -target[:, None] * below])
    weights, q = np.ones(POINTS), np.ones(POINTS)
    for _ in range(TANH_ROUNDS):
        found = least_squares(columns, target, np.sqrt(weights) / (q * target))
        p = above @ found[: TANH_DEGREE + 1]
        q = 1 + below @ found[TANH_DEGREE + 1 :]
        errors = p / q / target - 1
        weights = reweighted(weights, errors)
    unscale = bound ** (-2.0 * np.arange(TANH_DEGREE + 1))
    # P and Q both begin with 1, so that tanh(x) is x itself where x is small.
    above_found = np.array([1.0, *found[1 : TANH_DEGREE + 1]])
    below_found = np.array([1.0, *found[TANH_DEGREE + 1 :]])
    return above_found * unscale, below_found * unscale, float(np.abs(errors).max())


def fit_exp() -> tuple[Float64, float]:
    """Fit E of exp(r) ≈ 1 + r + r²·E(r).

    Returns it, from the constant up, and the largest relative error.
    """
    r = EXP_REACH * np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    r = r[np.abs(r) > EXP_NEAREST]
    columns, target = powers(r, 2, EXP_DEGREE + 2), np.exp(r) - 1 - r
    weights = np.ones(len(r))
    for _ in range(EXP_ROUNDS):
        found = least_squares(columns, target, np.sqrt(weights) / np.exp(r))
        errors = (columns @ found - target) / np.exp(r)
        weights = reweighted(weights, errors)
    return found, float(np.abs(errors).max())


def ulps_apart(found: Float64, kept: arithmetic.Float32) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the distance of the fitted from the kept coefficients, of the same sign, in ulp."""
    nearest = found.astype(np.float32).view(np.int32).astype(np.int64)
    return np.abs(nearest - kept.view(np.int32))


def compare(name: str, found: Float64, kept: arithmetic.Float32) -> int:
    """Print fitted and kept coefficients, and return the largest distance in ulp."""
    distance = ulps_apart(found, kept)
    print(f"{name}: fitted and kept")
    for power, (a, b, ulps) in enumerate(zip(found, kept, distance, strict=True)):
        print(f"  {power}  {np.float32(a):.10e}  {b:.10e}  {ulps} ulp")
    return int(distance.max())


# --- Errors --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Range:
    """All float32 of one sign whose exponents of 2 are from lowest to highest, inclusive."""

    lowest: int
    highest: int
    negative: bool = False

    def blocks(self, every: int) -> Iterator[arithmetic.Float32]:
        """Yield every `every`-th number, in blocks."""
        sign = (1 << 31) if self.negative else 0
        for exponent in range(self.lowest, self.highest + 1):
            first = sign | (exponent + EXPONENT_BIAS) << MANTISSA_BITS
            for start in range(first, first + (1 << MANTISSA_BITS), BLOCK):
                yield np.arange(start, start + BLOCK, every, dtype=np.uint32).view(np.float32)


@dataclass
class Errors:
    """The largest errors so far."""

    absolute: float = 0.0
    relative: float = 0.0

    def see(self, found: Float64, exact: Float64) -> None:
        """Update the errors with more values."""
        off = np.abs(found - exact)
        self.absolute = max(self.absolute, float(off.max()))
        self.relative = max(self.relative, float((off / np.abs(exact)).max()))

    def show(self, name: str) -> None:
        """Print the errors."""
        figures = f"{self.absolute:8.2e} absolute  {self.relative:8.2e} relative"
        print(f"  {name:<18} {figures}", flush=True)


def tanh_errors(every: int) -> Errors:
    """Measure tanh on positive numbers, and check that it is odd to the last bit."""
    errors = Errors()
    for x in Range(SMALLEST, TANH_LARGEST).blocks(every):
        found = arithmetic.tanh(x)
        errors.see(found.astype(np.float64), np.tanh(x.astype(np.float64)))
        assert np.array_equal(arithmetic.tanh(-x), -found), "tanh is not odd"
        assert found.max() <= 1, "tanh is beyond 1"
    return errors


def sigmoid_errors(every: int, *, negative: bool) -> Errors:
    """Measure sigmoid on numbers of one sign."""
    errors = Errors()
    for x in Range(SMALLEST, TANH_LARGEST + 1, negative).blocks(every):
        exact = 1 / (1 + np.exp(-x.astype(np.float64)))
        errors.see(arithmetic.sigmoid(x).astype(np.float64), exact)
    return errors


def exp_errors(every: int) -> Errors:
    """Measure exp in scaled_exp, for -60 ≤ x < 0, before the result is truncated.

    Each block gets a scale that puts all bits before the point, so that none is cut.
    """
    errors = Errors()
    for block in Range(SMALLEST, EXP_LARGEST, negative=True).blocks(every):
        x = block[block >= arithmetic.EXP_BOUND]
        if len(x) == 0:
            continue
        power = WHOLE_BITS - int(np.rint(x.max() * arithmetic.LOG2_E))
        found = np.ldexp(arithmetic.scaled_exp(x, power).astype(np.float64), -power)
        errors.see(found, np.exp(x.astype(np.float64)))
    return errors


def main() -> None:
    """Fit, compare and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="measure only every N-th float32"
    )
    args = parser.parse_args()
    p, q, tanh_error = fit_tanh()
    e, exp_error = fit_exp()
    distance = max(
        compare("TANH_P", p, arithmetic.TANH_P),
        compare("TANH_Q", q, arithmetic.TANH_Q),
        compare("EXP_E", e, arithmetic.EXP_E),
    )
    print(f"largest relative errors before rounding: tanh {tanh_error:.2e}, exp {exp_error:.2e}")
    which = "all float32" if args.every == 1 else f"each {args.every}th float32"
    print(f"largest errors of burble.arithmetic over {which} of size 2^{SMALLEST} and more:")
    tanh_errors(args.every).show("tanh")
    sigmoid_errors(args.every, negative=False).show("sigmoid, x > 0")
    sigmoid_errors(args.every, negative=True).show("sigmoid, x < 0")
    exp_errors(args.every).show("exp, -60 ≤ x < 0")
    print("Sigmoids come in steps of 2^-25: where they are near 0, only the absolute error counts.")
    if distance > 1:
        sys.exit(f"Coefficients in burble/arithmetic.py are {distance} ulp from those found here.")


if __name__ == "__main__":
    main()
