"""`NumpyModel`: the readable reference that every other engine must equal, bit for bit."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from burble.arithmetic import Float32
from burble.cells import CELLS
from burble.engine.cells import STEPS, Values
from burble.engine.input_table import input_table
from burble.engine.quantization import Float32Product, Int8Product
from burble.engine.step_model import State, check_ids, fresh_state
from burble.engine.stream import Stream
from burble.model_file import ModelFile
from burble.sampling import PENALTY_TOKENS, choose, uniform
from burble.tokenizers.base import Ids

Precision = Literal["int8", "float32"]
Hook = Callable[[int, int, Values], None]  # called with layer, time, and the cell's values there


def _ignore_values(layer: int, time: int, values: Values) -> None:
    pass


class NumpyModel:
    """A model that runs in NumPy: in int8, or in float32 as its weights are."""

    def __init__(self, model: ModelFile, precision: Precision = "int8") -> None:
        product = Int8Product if precision == "int8" else Float32Product
        weights, layers = model.weights, range(model.network.num_layers)
        self.kernel = "numpy" if precision == "int8" else "numpy-float32"
        self.network = model.network
        self.vocab_size = model.tokenizer.vocab_size
        self._cell = CELLS[model.network.cell]
        self._step_of_cell = STEPS[model.network.cell]
        self._table = input_table(model)
        self._embedding = weights.get("embedding.weight", np.empty((0, 0), np.float32))
        self._from_input = {
            layer: product(weights[f"layers.{layer}.weight_ih"])
            for layer in layers
            if layer > 0 or self._table is None
        }
        self._from_state = [product(weights[f"layers.{layer}.weight_hh"]) for layer in layers]
        self._bias = [weights[f"layers.{layer}.bias"] for layer in layers]
        self._head = product(weights["head.weight"])
        self._head_bias = weights["head.bias"]

    def start(self, rows: int) -> State:
        return fresh_state(self.network, rows)

    def forward(self, ids: Ids, state: State, hook: Hook = _ignore_values) -> tuple[Float32, State]:
        """Read ids as every `StepModel` does. hook: is called with the values of every cell."""
        outputs, state = self._hidden(ids, state, hook)
        logits = self._logits(outputs.reshape(-1, self.network.hidden_size))
        return logits.reshape(*ids.shape, self.vocab_size), state

    def prefill(self, ids: Ids, state: State | None = None) -> tuple[Float32, State]:
        outputs, state = self._hidden(ids[:, None], state or self.start(1))
        return self._logits(outputs[-1]), state

    def step(self, ids: Ids, state: State) -> tuple[Float32, State]:
        outputs, state = self._hidden(ids[None, :], state)
        return self._logits(outputs[0]), state

    def write(self, streams: Sequence[Stream]) -> None:
        running = [stream for stream in streams if stream.end < stream.limit]
        while running:
            state = State(np.stack([stream.state for stream in running]))
            logits, state = self.step(np.array([stream.last for stream in running]), state)
            for row, stream in enumerate(running):
                stream.state[:] = state.values[row]
                draw = uniform(stream.seed, stream.number, stream.position)
                stream.append(
                    choose(logits[row], stream.newest(PENALTY_TOKENS), stream.sampling, draw)
                )
            running = [stream for stream in running if not stream.is_due()]

    def _logits(self, outputs: Float32) -> Float32:
        logits: Float32 = self._head(outputs) + self._head_bias
        return logits

    def _hidden(self, ids: Ids, state: State, hook: Hook = _ignore_values) -> tuple[Float32, State]:
        """Return the top layer's outputs, (time, rows, hidden), and the new state.

        Each layer runs over all times before the next one begins.
        """
        check_ids(ids, self.vocab_size)
        after = np.empty_like(state.values)
        outputs = np.empty(0, dtype=np.float32)
        for layer in range(self.network.num_layers):
            below = outputs
            inputs = self._inputs(layer, ids, below)
            parts = state.values[:, layer].swapaxes(0, 1)
            before = dict(zip(self._cell.states, parts, strict=True))
            outputs, last = self._layer(layer, inputs, before, hook)
            if self.network.residual and layer > 0:
                outputs = outputs + below
            after[:, layer] = np.stack(list(last.values()), axis=1)
        return outputs, State(after)

    def _inputs(self, layer: int, ids: Ids, below: Float32) -> Float32:
        if layer == 0 and self._table is not None:
            return self._table[ids]
        read = self._embedding[ids] if layer == 0 else below
        sides = self._from_input[layer](read.reshape(-1, read.shape[-1])) + self._bias[layer]
        return sides.reshape(*ids.shape, sides.shape[-1])

    def _layer(
        self, layer: int, inputs: Float32, state: Values, hook: Hook
    ) -> tuple[Float32, Values]:
        outputs = np.empty((*inputs.shape[:2], self.network.hidden_size), dtype=np.float32)
        for time, from_input in enumerate(inputs):
            values = self._run_cell(layer, from_input, state)
            hook(layer, time, values)
            state = {name: values[name] for name in self._cell.states}
            outputs[time] = values[self._cell.output]
        return outputs, state

    def _run_cell(self, layer: int, from_input: Float32, state: Values) -> Values:
        from_state = self._from_state[layer](state[self._cell.output])
        return self._step_of_cell(from_input, from_state, state)
