"""Search for units that track a property. Sums are enough: no array is (tokens, units)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np

from burble.arithmetic import Float32
from burble.engine.step_model import StepModel
from burble.errors import TextError
from burble.inspection.units.properties import Values
from burble.inspection.units.reading import Block, Reading, read_blocks
from burble.tokenizers.base import Ids

Float64 = np.ndarray[Any, np.dtype[np.float64]]

# On fewer tokens, the best of a thousand units would be the best by chance.
MIN_TOKENS = 1000


@dataclass(frozen=True)
class Unit:
    """One number of the state. Layers and units count from 0."""

    layer: int
    unit: int
    reading: Reading

    def of(self, block: Block) -> Values:
        """Return the unit's values in a block, (places,)."""
        values: Values = block.readings()[self.reading][:, self.layer, self.unit]
        return values


# Below this correlation, a unit and the property share less than 4 % of their variance (0.2²).
SMALLEST = 0.2

# The chance that any listed unit passes without tracking: one text in twenty.
_CHANCE = 0.05

# Neighbouring characters are not independent, so this many count as one. Properties that were
# shifted along alice, which no unit can track, passed in 0 of 28 tries on 2,000 characters and in 2
# of 28 on 8,000; their median correlations were 0.07 and 0.035.
_PLACES_IN_ONE = 20


@dataclass(frozen=True)
class Tracker:
    """A unit that may track a property: its Pearson correlation in each half of the text."""

    unit: Unit
    chosen: float  # in the half that chose the unit, so chance makes it a little too large
    held_out: float  # in the other half
    tracks: bool  # whether `held_out` has the same sign and is too large for chance


def least_correlation(values: Values, num_listed: int) -> float:
    """Return the smallest held-out correlation that counts as tracking.

    values: the property on the held-out half, (tokens,). With `num_listed` units unrelated to it,
    chance lets one pass in one text of twenty (Bonferroni, with Fisher's z for independent
    places). A property has at most as many independent places as changes: one that is true of two
    stretches changes four times, however long they are.
    """
    num_changes = int(np.count_nonzero(np.diff(values)))
    independent = max(min(len(values) / _PLACES_IN_ONE, num_changes), 4)
    normal = NormalDist().inv_cdf(1 - _CHANCE / (2 * max(num_listed, 1)))
    return max(SMALLEST, math.tanh(normal / math.sqrt(independent - 3)))


def search(
    model: StepModel, ids: Ids, properties: Mapping[str, Values], top: int
) -> dict[str, list[Tracker]]:
    """Find the units that correlate best with each property in the first half of a text.

    ids: the text, (tokens,). properties: values for each token, (tokens,). Returns up to `top`
    units for each property, best first, with whether each also tracks it in the second half; none
    if the property never changes in a half. Raises `TextError` for a text too short.
    """
    require_length(ids)
    values = np.array(list(properties.values()))
    middle = len(ids) // 2
    chosen = correlations(model, ids[:middle], values[:, :middle])
    held_out = correlations(model, ids[middle:], values[:, middle:])
    return {
        name: _best(
            {reading: found[place] for reading, found in chosen.items()},
            {reading: found[place] for reading, found in held_out.items()},
            top,
            least_correlation(values[place, middle:], top),
        )
        for place, name in enumerate(properties)
    }


def require_length(ids: Ids) -> None:
    """Raise `TextError` if the text is too short to search."""
    if len(ids) < MIN_TOKENS:
        raise TextError(
            f"A search for units needs at least {MIN_TOKENS:,} characters; found {len(ids):,}. "
            "Give more text."
        )


def correlations(model: StepModel, ids: Ids, values: Float32) -> dict[Reading, Float64]:
    """Compute Pearson's correlation of every unit with every property on ids, (tokens,).

    values: (properties, tokens). Returns (properties, layers, hidden) for each reading, 0 if the
    unit or the property never changes.
    """
    shape = (len(values), model.network.num_layers, model.network.hidden_size)
    sums: dict[Reading, _Sums] = {}
    for block in read_blocks(model, ids):
        for reading, units in block.readings().items():
            sums.setdefault(reading, _Sums()).add(units, values[:, block.places])
    return {reading: total.correlations().reshape(shape) for reading, total in sums.items()}


def mean_outputs(model: StepModel, ids: Ids) -> Float64:
    """Return the mean output of each unit, (layers, hidden), on a text ids, (tokens,)."""
    blocks = read_blocks(model, ids)
    total = sum(block.outputs.sum(axis=0, dtype=np.float64) for block in blocks)
    means: Float64 = total / len(ids)
    return means


@dataclass
class _Sums:
    count: int = 0
    x: Float64 = field(default_factory=lambda: np.zeros(1))
    y: Float64 = field(default_factory=lambda: np.zeros(1))
    xx: Float64 = field(default_factory=lambda: np.zeros(1))
    yy: Float64 = field(default_factory=lambda: np.zeros(1))
    yx: Float64 = field(default_factory=lambda: np.zeros(1))

    def add(self, units: Float32, values: Float32) -> None:
        x, y = units.reshape(len(units), -1).astype(np.float64), values.astype(np.float64)
        self.count += len(x)
        self.x = self.x + x.sum(axis=0)
        self.y = self.y + y.sum(axis=1)
        self.xx = self.xx + np.square(x).sum(axis=0)
        self.yy = self.yy + np.square(y).sum(axis=1)
        self.yx = self.yx + y @ x

    def correlations(self) -> Float64:
        n = self.count
        covariance = n * self.yx - np.outer(self.y, self.x)
        # Rounding leaves a little variance in values that never change.
        spread_x, spread_y = (
            np.where(spread > 1e-9 * n * squares, spread, np.inf)
            for squares, total in ((self.xx, self.x), (self.yy, self.y))
            for spread in (n * squares - np.square(total),)
        )
        found: Float64 = covariance / np.sqrt(np.outer(spread_y, spread_x))
        return found


def _best(
    chosen: Mapping[Reading, Float64], held_out: Mapping[Reading, Float64], top: int, least: float
) -> list[Tracker]:
    readings = list(chosen)
    strength = np.abs(np.stack([chosen[reading] for reading in readings]))
    best_reading, best = strength.argmax(axis=0), strength.max(axis=0)
    if not any(half.any() for half in held_out.values()):
        return []
    trackers = []
    for place in np.argsort(-best, axis=None, kind="stable")[:top]:
        layer, unit = (int(part) for part in np.unravel_index(place, best.shape))
        reading = readings[best_reading[layer, unit]]
        one, other = (float(half[reading][layer, unit]) for half in (chosen, held_out))
        if best[layer, unit] > 0:
            tracks = abs(other) >= least and one * other > 0
            trackers.append(Tracker(Unit(layer, unit, reading), one, other, tracks))
    return trackers
