"""A recurrent layer, forward and backward through time, as in kernel/layer.c."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burble.training.learners.native.reference.cells import APART, MOMENTS, Sums

if TYPE_CHECKING:
    from burble.arithmetic import Float32
    from burble.cells import CellKind
    from burble.training.learners.native.reference.cells import Moment
    from burble.training.learners.native.reference.products import AddProduct

# C stores this many rows of a batch side by side. Each is a lane that is summed separately.
GROUP = 16


@dataclass(frozen=True)
class LayerGradients:
    """The gradients of a layer. over_input: of the gates' sums, (times · rows, gates · hidden)."""

    over_input: Float32
    weight_hh: Float32
    bias: Float32


class Layer:
    """A layer that has read a batch."""

    def __init__(
        self, cell: CellKind, weight_hh: Float32, states: list[Float32], add: AddProduct
    ) -> None:
        self._cell: CellKind = cell
        self._weights = weight_hh
        self._add = add
        self._hidden = weight_hh.shape[1]
        self._first = states[0]
        self._states = states
        self._moments: list[Moment] = []

    def run(self, sums: Float32) -> Float32:
        """Return h of all times, (times, rows, hidden).

        sums: bias and sums over the input, (times, rows, gates · hidden).
        """
        for now in sums:
            moment = MOMENTS[self._cell](self._sum_gates(now), self._states)
            self._moments.append(moment)
            self._states = moment.states
        return np.stack([moment.states[0] for moment in self._moments])

    @property
    def states(self) -> list[Float32]:
        """The states after the last time, (rows, hidden) each."""
        return self._states

    def _sum_gates(self, sums: Float32) -> Sums:
        """Add the sums over the state to those over the input, term by term."""
        h, hidden = self._states[0], self._hidden
        together = sums.shape[1] - hidden * (self._cell in APART)
        whole = self._add(sums[:, :together], h, self._weights[:together].T)
        gates = np.concatenate([whole, sums[:, together:]], axis=1)
        apart = []
        if self._cell in APART:
            apart = [self._add(np.zeros_like(h), h, self._weights[together:].T)]
        return Sums(np.split(gates, gates.shape[1] // hidden, axis=1), apart)

    def back(self, gradient: Float32) -> LayerGradients:
        """Propagate the gradient of h, (times, rows, hidden), back through the batch."""
        carry = np.zeros_like(self._first)
        parts: list[Sums] = []
        for time in reversed(range(len(gradient))):
            own = gradient[time]
            if parts:
                later = parts[-1].over_state()
                own = own + self._add(np.zeros_like(own), later, self._weights)
            part, carry = self._moments[time].back(own, carry)
            parts.append(part)
        over_input = np.stack([part.over_input() for part in parts])
        over_state = np.concatenate([part.over_state() for part in reversed(parts)])
        before = [self._first, *(moment.states[0] for moment in self._moments[:-1])]
        return LayerGradients(
            np.concatenate(over_input[::-1]),
            self._add(np.zeros_like(self._weights), over_state.T, np.concatenate(before)),
            sum_rows(over_input),
        )


def sum_rows(gradients: Float32) -> Float32:
    """Sum (times, rows, features) over times and rows: (features,).

    Every sixteenth row belongs to the same lane. Each lane is summed over time, then the lanes are
    added.
    """
    features = gradients.shape[2]
    lanes = np.zeros((GROUP, features), np.float32)
    for now in gradients:
        for first in range(0, len(now), GROUP):
            group = now[first : first + GROUP]
            lanes[: len(group)] += group
    total = np.zeros(features, np.float32)
    for lane in lanes:
        total += lane
    return total
