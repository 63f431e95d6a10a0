"""A network in float64, one step at a time, and the backward pass of its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.cells import CELLS
from burble.training.derivatives import DERIVATIVES

if TYPE_CHECKING:
    from burble.config import NetworkConfig
    from burble.model_file import Weights
    from burble.training.derivatives import Float64, Values

    Ids = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Step:
    """The values of one step, as the backward pass needs them."""

    before: list[Values]
    """The states of each layer before the step."""

    states: list[Values]
    """The gates of each layer and its states after the step."""

    output: Float64
    """The input of the head, (rows, hidden)."""


@dataclass(frozen=True)
class ExactNetwork:
    """A network without dropout, in float64: far back, gradients are smaller than any float32."""

    config: NetworkConfig
    weights: dict[str, Float64]

    @classmethod
    def of(cls, config: NetworkConfig, weights: Weights) -> ExactNetwork:
        """Return the network with these weights."""
        return cls(config, {name: array.astype(np.float64) for name, array in weights.items()})

    def start(self, rows: int) -> list[Values]:
        """Return the initial states of each layer: zeros, (rows, hidden)."""
        zeros = np.zeros((rows, self.config.hidden_size))
        states = CELLS[self.config.cell].states
        return [dict.fromkeys(states, zeros) for _ in range(self.config.num_layers)]

    def step(self, ids: Ids, before: list[Values]) -> Step:
        """Read one id in each row, (rows,), and return the values of the step."""
        product = self._first_product(ids)
        after: list[Values] = []
        output = np.zeros_like(before[0]["hidden"])
        for depth, states in enumerate(before):
            if depth > 0:
                product = output @ self._weight("weight_ih", depth).T
            from_input = product + self._weight("bias", depth)
            from_state = states["hidden"] @ self._weight("weight_hh", depth).T
            after.append(DERIVATIVES[self.config.cell].step(from_input, from_state, states))
            hidden = after[-1]["hidden"]
            output = hidden + output if self._adds_input(depth) else hidden
        return Step(before, after, output)

    def back(
        self, step: Step, gradients: list[Values], output: Float64
    ) -> tuple[list[Values], list[Values]]:
        """Propagate gradients back through a step.

        gradients: those that later steps passed back to each layer's states. output: the gradient
        of the step's output, (rows, hidden). Return the total gradients of each layer's states, and
        the gradients passed back to the states before.
        """
        totals: list[Values] = []
        passed: list[Values] = []
        for depth in reversed(range(self.config.num_layers)):
            gradient = gradients[depth] | {"hidden": gradients[depth]["hidden"] + output}
            back = DERIVATIVES[self.config.cell].back(
                gradient, step.states[depth], step.before[depth]
            )
            through = back.from_state @ self._weight("weight_hh", depth)
            totals.append(back.states)
            passed.append(back.before | {"hidden": back.before["hidden"] + through})
            if depth > 0:
                below = back.from_input @ self._weight("weight_ih", depth)
                output = below + output if self._adds_input(depth) else below
        return totals[::-1], passed[::-1]

    def loss_gradient(self, output: Float64, targets: Ids) -> Float64:
        """Return the gradient of each row's loss with respect to the head's input, (rows, hidden).

        targets: (rows,).
        """
        logits = output @ self.weights["head.weight"].T + self.weights["head.bias"]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        surplus = odds / odds.sum(axis=1, keepdims=True)
        surplus[np.arange(len(targets)), targets] -= 1
        gradient: Float64 = surplus @ self.weights["head.weight"]
        return gradient

    def _first_product(self, ids: Ids) -> Float64:
        """Return x·W_ih of the first layer for ids, (rows,): (rows, gates · hidden)."""
        weight = self._weight("weight_ih", 0).T
        match self.config.input:
            case "embedding":
                return self.weights["embedding.weight"][ids] @ weight
            case "one-hot":
                return weight[ids]
            case "scalar":
                # The network was trained with this quotient rounded to float32.
                quotients = ids.astype(np.float32) / np.float32(len(self.weights["head.bias"]))
                return quotients.astype(np.float64)[:, None] @ weight

    def _weight(self, name: str, depth: int) -> Float64:
        return self.weights[f"layers.{depth}.{name}"]

    def _adds_input(self, depth: int) -> bool:
        return self.config.residual and depth > 0
