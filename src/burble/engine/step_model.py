"""`NumpyModel`: the readable float32 reference that every other engine is held to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from burble.engine.cells import CELLS, Float32, LayerState

if TYPE_CHECKING:
    from burble.model_file import ModelFile, Weights
    from burble.tokenizers.base import Ids


@dataclass(frozen=True)
class State:
    """What a model carries from one token to the next; only the cell knows what is in it."""

    layers: tuple[LayerState, ...]


class StepModel(Protocol):
    """What generation, scoring and serving need of a model."""

    vocab_size: int

    def start(self, rows: int) -> State:
        """The fresh state of `rows` texts."""

    def reset(self, state: State, rows: Any) -> State:
        """`state` with the rows marked True, (rows,), fresh again."""

    def forward(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Read ids, (time, rows); the logits after each, (time, rows, vocab), and the state."""

    def prefill(self, ids: Ids) -> tuple[Float32, State]:
        """Read one text, (time,), from a fresh state; the logits after it, (1, vocab)."""

    def step(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Read one token a row, (rows,); the logits after it, (rows, vocab)."""

    def select(self, state: State, rows: Ids) -> State:
        """The state of these rows, in this order."""


class NumpyModel:
    """A model file, running. Weights are transposed once, so that each product reads rows."""

    def __init__(self, model: ModelFile) -> None:
        weights = model.weights
        self.vocab_size = model.tokenizer.vocab_size
        self._network = model.network
        self._cell = CELLS[model.network.cell]
        self._first_layer = input_table(model)
        self._weight_ih = [
            np.ascontiguousarray(weights[f"layers.{layer}.weight_ih"].T)
            for layer in range(model.network.num_layers)
        ]
        self._weight_hh = [
            np.ascontiguousarray(weights[f"layers.{layer}.weight_hh"].T)
            for layer in range(model.network.num_layers)
        ]
        self._bias = [weights[f"layers.{layer}.bias"] for layer in range(model.network.num_layers)]
        self._head = np.ascontiguousarray(weights["head.weight"].T)
        self._head_bias = weights["head.bias"]

    def start(self, rows: int) -> State:
        """The fresh state of `rows` texts: zeros."""
        zeros = np.zeros((rows, self._network.hidden_size), dtype=np.float32)
        return State(((zeros,) * self._cell.num_states,) * self._network.num_layers)

    def reset(self, state: State, rows: Any) -> State:
        """`state` with the rows marked True, (rows,), fresh again."""
        keep = np.where(rows, np.float32(0), np.float32(1))[:, None]
        return State(tuple(tuple(part * keep for part in layer) for layer in state.layers))

    def select(self, state: State, rows: Ids) -> State:
        """The state of these rows, in this order."""
        return State(tuple(tuple(part[rows] for part in layer) for layer in state.layers))

    def prefill(self, ids: Ids) -> tuple[Float32, State]:
        """Read one text, (time,), from a fresh state; the logits after it, (1, vocab)."""
        outputs, state = self._hidden(ids[:, None], self.start(1))
        return self._logits(outputs[-1]), state

    def step(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Read one token a row, (rows,); the logits after it, (rows, vocab)."""
        outputs, state = self._hidden(ids[None, :], state)
        return self._logits(outputs[0]), state

    def forward(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Read ids, (time, rows); the logits after each, (time, rows, vocab), and the state."""
        outputs, state = self._hidden(ids, state)
        return self._logits(outputs), state

    def _logits(self, outputs: Float32) -> Float32:
        return outputs @ self._head + self._head_bias

    def _hidden(self, ids: Ids, state: State) -> tuple[Float32, State]:
        """Layer by layer over all times: only the recurrent product has to wait for the last."""
        after: list[LayerState] = []
        inputs = outputs = self._first_layer[ids]
        for layer, layer_state in enumerate(state.layers):
            if layer > 0:
                inputs = outputs @ self._weight_ih[layer] + self._bias[layer]
            below = outputs
            outputs, layer_state = self._layer(inputs, layer_state, self._weight_hh[layer])  # noqa: PLW2901
            if self._network.residual and layer > 0:
                outputs = outputs + below
            after.append(layer_state)
        return outputs, State(tuple(after))

    def _layer(
        self, inputs: Float32, state: LayerState, weight_hh: Float32
    ) -> tuple[Float32, LayerState]:
        outputs = np.empty((*inputs.shape[:2], self._network.hidden_size), dtype=np.float32)
        for time, gates in enumerate(inputs):
            state = self._cell.step(gates, state[0] @ weight_hh, state)
            outputs[time] = state[0]
        return outputs, state


def input_table(model: ModelFile) -> Float32:
    """Input side of the first layer's gates for each token, (vocab, gates · hidden).

    Embedding, one-hot or scalar, it comes to one row for each token: x·W_ih + b.
    """
    weights: Weights = model.weights
    weight_ih, bias = weights["layers.0.weight_ih"], weights["layers.0.bias"]
    vocab_size = model.tokenizer.vocab_size
    match model.network.input:
        case "embedding":
            return weights["embedding.weight"] @ weight_ih.T + bias
        case "one-hot":
            return np.ascontiguousarray(weight_ih.T) + bias
        case "scalar":
            numbers = np.arange(vocab_size, dtype=np.float32) / np.float32(vocab_size)
            return numbers[:, None] * weight_ih[:, 0] + bias
