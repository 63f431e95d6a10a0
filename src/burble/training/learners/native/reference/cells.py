"""One time step of each cell, forward and backward, as in kernel/elementwise.h.

Every number is float32 and every operation is rounded separately.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from burble.arithmetic import Float32, sigmoid, tanh

if TYPE_CHECKING:
    from burble.cells import CellKind

ONE = np.float32(1)


@dataclass(frozen=True)
class Sums:
    """The sums of the gates before their activation, or the gradients of those sums."""

    gates: list[Float32]
    """(rows, hidden) each, in the order of the gates."""

    apart: list[Float32] = field(default_factory=list)
    """The last gate's sum over the state, if the cell keeps it separate; else empty."""

    def over_state(self) -> Float32:
        """Return the gradients of the sums over the state, (rows, gates · hidden)."""
        together = len(self.gates) - len(self.apart)
        return np.concatenate([*self.gates[:together], *self.apart], axis=1)

    def over_input(self) -> Float32:
        """Return the gradients of the sums over the input, (rows, gates · hidden)."""
        return np.concatenate(self.gates, axis=1)


class Moment(Protocol):
    """The values of one time step that the backward pass needs."""

    states: list[Float32]
    """The states after the step, (rows, hidden) each."""

    def back(self, gradient: Float32, carry: Float32) -> tuple[Sums, Float32]:
        """Return the gradients of the sums, and the gradient carried to the step before.

        gradient: of the output, without `carry`, the gradient carried back from the step after.
        """


class LstmMoment:
    """Long short-term memory."""

    def __init__(self, sums: Sums, before: list[Float32]) -> None:
        self.gates = [function(gate) for function, gate in zip(_LSTM, sums.gates, strict=True)]
        enter, forget, candidate, output = self.gates
        self.before = before[1]
        cell = forget * self.before + enter * candidate
        self.squashed = tanh(cell)
        self.states = [output * self.squashed, cell]

    def back(self, gradient: Float32, carry: Float32) -> tuple[Sums, Float32]:
        i, f, c, o = self.gates
        s = self.squashed
        d_cell = carry + gradient * o * (ONE - s * s)
        sums = [
            d_cell * c * (i * (ONE - i)),
            d_cell * self.before * (f * (ONE - f)),
            d_cell * i * (ONE - c * c),
            gradient * s * (o * (ONE - o)),
        ]
        return Sums(sums), d_cell * f


class GruMoment:
    """A gated recurrent unit. Its candidate keeps the sum over the state separate."""

    def __init__(self, sums: Sums, before: list[Float32]) -> None:
        (self.before,), (self.apart,) = before, sums.apart
        self.reset, self.update = sigmoid(sums.gates[0]), sigmoid(sums.gates[1])
        self.candidate = tanh(sums.gates[2] + self.reset * self.apart)
        self.states = [self.candidate + self.update * (self.before - self.candidate)]

    def back(self, gradient: Float32, carry: Float32) -> tuple[Sums, Float32]:
        r, u, c = self.reset, self.update, self.candidate
        d_hidden = carry + gradient
        d_candidate = d_hidden * (ONE - u) * (ONE - c * c)
        d_reset = d_candidate * self.apart * (r * (ONE - r))
        d_update = d_hidden * (self.before - c) * (u * (ONE - u))
        return Sums([d_reset, d_update, d_candidate], [d_candidate * r]), d_hidden * u


class RnnMoment:
    """A plain recurrent network."""

    def __init__(self, sums: Sums, before: list[Float32]) -> None:  # noqa: ARG002 - as the others
        self.states = [tanh(sums.gates[0])]

    def back(self, gradient: Float32, carry: Float32) -> tuple[Sums, Float32]:
        h = self.states[0]
        return Sums([gradient * (ONE - h * h)]), carry


_LSTM = (sigmoid, sigmoid, tanh, sigmoid)

MOMENTS: dict[CellKind, type[LstmMoment | GruMoment | RnnMoment]] = {
    "lstm": LstmMoment,
    "gru": GruMoment,
    "rnn": RnnMoment,
}

APART: frozenset[CellKind] = frozenset({"gru"})
"""The cells whose last gate keeps its sum over the state separate."""
