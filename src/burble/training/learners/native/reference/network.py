"""One batch forward and backward through a network, as in kernel/step.c and kernel/input.c."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burble.arithmetic import Float32
from burble.training.learners.native.reference.dropout import Dropout
from burble.training.learners.native.reference.head import run_head
from burble.training.learners.native.reference.layers import Layer, sum_rows

if TYPE_CHECKING:
    from burble.config import NetworkConfig
    from burble.data.batch import Batch
    from burble.native.structures import Update
    from burble.training.learner import Arrays
    from burble.training.learners.native.reference.products import AddProduct

States = list[list[Float32]]
"""For each layer, its states, (rows, hidden) each."""


@dataclass(frozen=True)
class Masks:
    """The factors of dropout, None if nothing is dropped."""

    input: Float32 | None = None
    """(times or 1, rows, width). For one-hot inputs only the factor of the 1, so width is 1."""

    layers: Float32 | None = None
    """(layers, times or 1, rows, hidden)."""


def draw_masks(network: NetworkConfig, vocab_size: int, batch: Batch, by: Update) -> Masks:
    """Draw the masks of a step."""
    times, rows = batch.inputs.shape
    own_times = 1 if by.locked_dropout else times
    key = by.seed, by.step
    at_input = Dropout(by.input_dropout, key, 0)
    first = layers = None
    if by.input_dropout > 0 and network.input == "one-hot":
        vectors = np.arange(own_times * rows).reshape(own_times, rows)
        first = at_input.factors(vectors * vocab_size + batch.inputs)[..., None]
    elif by.input_dropout > 0:
        first = at_input.mask(own_times, rows, network.input_size(vocab_size))
    if by.dropout > 0:
        masks = [Dropout(by.dropout, key, 1 + depth) for depth in range(network.num_layers)]
        layers = np.stack([mask.mask(own_times, rows, network.hidden_size) for mask in masks])
    return Masks(first, layers)


class Pass:
    """One batch on its way through a network."""

    def __init__(
        self, network: NetworkConfig, weights: Arrays, batch: Batch, masks: Masks, add: AddProduct
    ) -> None:
        self._network = network
        self._weights = weights
        self._batch = batch
        self._masks = masks
        self._add = add
        self._layers: list[Layer] = []
        self._inputs: list[Float32] = []
        """The input of each layer and of the head, (times · rows, width)."""

    def run(self, states: States) -> tuple[float, int]:
        """Read the batch. Return its loss and how many targets got the highest probability."""
        shape = (*self._batch.inputs.shape, -1)
        if self._network.input != "one-hot":
            self._inputs = [self._read_input()]
        for depth in range(self._network.num_layers):
            layer = self._layer(depth, states[depth])
            h = layer.run(self._sum_input(depth).reshape(shape))
            self._layers.append(layer)
            self._inputs.append(self._put_out(depth, h).reshape(-1, h.shape[2]))
        self._head = run_head(self._inputs[-1], self._weights, self._batch, self._add)
        return self._head.loss, self._head.correct

    @property
    def states(self) -> States:
        """The states after the batch."""
        return [layer.states for layer in self._layers]

    def back(self) -> Arrays:
        """Return the gradient of each weight, in the model file's order."""
        found = self._learn_head()
        gradient = self._add_zero(self._head.gradient, self._weights["head.weight"])
        passed: Float32 | None = None
        for depth in reversed(range(self._network.num_layers)):
            gradient, passed = self._learn_layer(depth, gradient, passed, found)
        if self._network.input == "embedding":
            found["embedding.weight"] = self._learn_embedding(gradient)
        return {name: found[name] for name in self._weights}

    def _layer(self, depth: int, states: list[Float32]) -> Layer:
        fresh = self._batch.reset[:, None]
        started = [np.where(fresh, np.float32(0), state) for state in states]
        weights = self._weights[f"layers.{depth}.weight_hh"]
        return Layer(self._network.cell, weights, started, self._add)

    def _read_input(self) -> Float32:
        ids = self._batch.inputs
        if self._network.input == "scalar":
            vocab = np.float32(len(self._weights["head.bias"]))
            read = ids.astype(np.float32)[..., None] / vocab
        else:
            read = self._weights["embedding.weight"][ids]
        if self._masks.input is not None:
            read = read * self._masks.input
        return read.reshape(ids.size, -1)

    def _sum_input(self, depth: int) -> Float32:
        """Return the bias and sums over the input, (times · rows, gates · hidden)."""
        bias = self._weights[f"layers.{depth}.bias"]
        weights = self._weights[f"layers.{depth}.weight_ih"]
        if depth == 0 and self._network.input == "one-hot":
            return bias + weights.T[self._batch.inputs.reshape(-1)] * self._one_hot_factors()
        return self._add(bias, self._input_of(depth), weights.T)

    def _input_of(self, depth: int) -> Float32:
        """Return the input of a layer, or of the head above the last layer."""
        return self._inputs[depth - (self._network.input == "one-hot")]

    def _one_hot_factors(self) -> Float32:
        shape = (*self._batch.inputs.shape, 1)
        factors = np.float32(1) if self._masks.input is None else self._masks.input
        return np.broadcast_to(factors, shape).reshape(-1, 1)

    def _put_out(self, depth: int, h: Float32) -> Float32:
        """Return the layer's output: h plus a residual, after dropout, (times, rows, hidden)."""
        if depth > 0 and self._network.residual:
            h = h + self._input_of(depth).reshape(h.shape)
        return h if self._masks.layers is None else h * self._masks.layers[depth]

    def _learn_head(self) -> Arrays:
        d = self._head.gradient
        return {
            "head.weight": self._add_zero(d.T, self._inputs[-1]),
            "head.bias": sum_rows(d.reshape(*self._batch.inputs.shape, -1)),
        }

    def _learn_layer(
        self, depth: int, gradient: Float32, passed: Float32 | None, found: Arrays
    ) -> tuple[Float32, Float32 | None]:
        """Propagate back through a layer and put the gradients of its weights into `found`.

        Return the gradient of its input through the cell, and the one through the residual.
        """
        gradient = gradient.reshape(*self._batch.inputs.shape, -1)
        if passed is not None:
            gradient = gradient + passed
        if self._masks.layers is not None:
            gradient = gradient * self._masks.layers[depth]
        learned = self._layers[depth].back(gradient)
        name = f"layers.{depth}"
        found[f"{name}.weight_hh"], found[f"{name}.bias"] = learned.weight_hh, learned.bias
        found[f"{name}.weight_ih"] = self._learn_input(depth, learned.over_input)
        below = gradient
        if depth > 0 or self._network.input == "embedding":
            below = self._add_zero(learned.over_input, self._weights[f"{name}.weight_ih"])
        return below, gradient if depth > 0 and self._network.residual else None

    def _learn_input(self, depth: int, d: Float32) -> Float32:
        """Return the gradient of a layer's input weights."""
        if depth > 0 or self._network.input != "one-hot":
            return self._add_zero(d.T, self._input_of(depth))
        gradient = np.zeros_like(self._weights["layers.0.weight_ih"])
        np.add.at(gradient.T, self._batch.inputs.reshape(-1), d * self._one_hot_factors())
        return gradient

    def _learn_embedding(self, d: Float32) -> Float32:
        if self._masks.input is not None:
            shape = (*self._batch.inputs.shape, -1)
            d = (d.reshape(shape) * self._masks.input).reshape(d.shape)
        gradient = np.zeros_like(self._weights["embedding.weight"])
        np.add.at(gradient, self._batch.inputs.reshape(-1), d)
        return gradient

    def _add_zero(self, left: Float32, right: Float32) -> Float32:
        zeros = np.zeros((left.shape[0], right.shape[1]), np.float32)
        return self._add(zeros, left, right)
