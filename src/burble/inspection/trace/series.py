"""Series: one number for each token of a trace, as surprisal, a unit's value or a layer's mean."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from burble.cells import MEANINGS
from burble.engine.trace import Trace
from burble.errors import UsageError
from burble.hints import nearest_name

# A character with 8 bits of surprisal had one chance in 256; few are rarer.
MAX_SURPRISAL = 8.0

Numbers = np.ndarray[Any, np.dtype[np.floating[Any]]]


@dataclass(frozen=True)
class Choice:
    """Which values of a trace to show. None: not chosen."""

    layer: int | None = None
    gate: str | None = None
    unit: int | None = None

    @property
    def is_given(self) -> bool:
        return (self.layer, self.gate, self.unit) != (None, None, None)

    def check(self, trace: Trace) -> None:
        """Raise `UsageError` for a gate, layer or unit that the trace does not have."""
        _, layers, units = next(iter(trace.values.values())).shape
        if self.gate is not None and self.gate not in trace.values:
            near = nearest_name(self.gate, trace.values)
            hint = f" Did you mean {near}?" if near else ""
            has = ", ".join(trace.values)
            raise UsageError(f"This model's cells have no {self.gate!r}.{hint} They have {has}.")
        _check_number("layer", self.layer, layers)
        _check_number("unit", self.unit, units)


def _check_number(what: str, number: int | None, count: int) -> None:
    if number is not None and not 0 <= number < count:
        has = f"only {what} 0" if count == 1 else f"{what}s 0 to {count - 1:,}"
        raise UsageError(f"This model has no {what} {number}. It has {has}.")


@dataclass(frozen=True)
class Series:
    """A number for each token, and the range of the colours."""

    name: str
    title: str
    values: Numbers  # (time,); NaN for none
    low: float
    high: float
    digits: int = 2

    @property
    def is_signed(self) -> bool:
        return self.low < 0

    def shares(self) -> Numbers:
        """Scale the values from low … high to 0 … 1, or to -1 … 1 if signed, and clip them."""
        start, lowest = (0.0, -1) if self.is_signed else (self.low, 0)
        shares: Numbers = (self.values - start) / max(self.high - start, 1e-9)
        return np.clip(shares, lowest, 1, out=shares)


def surprisal_series(trace: Trace) -> Series:
    """Return the surprisal of each token, in bits."""
    return Series("bits", "surprisal, bits", trace.surprisal, 0.0, MAX_SURPRISAL, digits=1)


def chosen_series(trace: Trace, choice: Choice, gate: str) -> Series:
    """Return the values of the chosen unit, or the mean of its layer if no unit is chosen.

    gate: the gate or state to take if none is chosen. The top layer is taken if none is chosen.
    """
    gate = choice.gate or gate
    layer = -1 if choice.layer is None else choice.layer
    values = trace.values[gate][:, layer]
    place = f"layer {layer % trace.values[gate].shape[1]}"
    if choice.unit is None:
        return _add_range(f"{gate}, mean of {place}", values.mean(axis=1), gate, is_mean=True)
    return _add_range(f"{gate}, unit {choice.unit} of {place}", values[:, choice.unit], gate)


def _add_range(title: str, values: Numbers, gate: str, *, is_mean: bool = False) -> Series:
    # A mean hardly moves and a memory has no bounds, so their ranges follow the values.
    if MEANINGS[gate].is_signed:
        reach = max(float(np.abs(values).max()), 1e-6)
        return Series(gate, title, values, -reach, reach)
    if is_mean:
        return Series(gate, title, values, float(values.min()), float(values.max()), digits=3)
    return Series(gate, title, values, 0.0, 1.0)
