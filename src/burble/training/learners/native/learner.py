"""`NativeLearner`: burble's own learner."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.cells import CELLS
from burble.native.structures import Update
from burble.training.averaging import share_of_new
from burble.training.initial import initial_weights
from burble.training.learner import LARGEST_WEIGHT, NO_TARGETS, BatchFigures
from burble.training.learners.native.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from burble.config import RunConfig
    from burble.data.batch import Batch
    from burble.model_file import Weights
    from burble.training.learner import Arrays, StepFigures
    from burble.training.learners.native.contract import Kind, LearningNetwork, Space

# Adam's moments by their names in a saved state, which are torch's.
_MOMENTS: dict[str, Kind] = {"exp_avg": "means", "exp_avg_sq": "squares"}

# A saved state counts steps in float32, which cannot count beyond this number.
_MOST_STEPS = 2.0**24

# How many factors of a power are multiplied at once.
_AT_ONCE = 1 << 16


class NativeLearner:
    """A network, the average of its weights, and the state carried between batches."""

    def __init__(
        self, config: RunConfig, network: LearningNetwork[Any], rows: int, threads: int
    ) -> None:
        self._training = config.training
        self.network = network
        self._num_layers = config.network.num_layers
        self._num_states = len(CELLS[config.network.cell].states)
        self._space = network.space((config.data.seq_len, rows), learns=True)
        self._scoring: dict[tuple[int, int], Space] = {}
        self._pace = Pace(threads)
        self._steps = 0
        self._powers = (1.0, 1.0)
        vocab_size = network.shapes["head.bias"][0]
        weights = initial_weights(config.network, vocab_size, config.training.seed)
        for name, values in weights.items():
            network.set_tensor("weights", name, values)
            network.set_tensor("averages", name, values)

    @property
    def _model(self) -> Kind:
        """The weights that are saved as the model."""
        return "averages" if self._training.averaging > 0 else "weights"

    def step(
        self, batch: Batch, rate: float, share: float, threads: int | None = None
    ) -> StepFigures:
        """Make a step as in `Learner.step`. Without `threads`, use the fastest number of them."""
        training, steps = self._training, self._steps + 1
        powers = (self._powers[0] * training.beta1, self._powers[1] * training.beta2)
        update = Update(
            rate=rate,
            weight_decay=training.weight_decay,
            beta1=training.beta1,
            beta2=training.beta2,
            epsilon=training.epsilon,
            grad_clip=training.grad_clip,
            correction1=1 - powers[0],
            correction2=1 - powers[1],
            share=share_of_new(training.averaging, steps, share),
            dropout=training.dropout,
            input_dropout=training.input_dropout,
            seed=training.seed,
            step=self._steps,
            locked_dropout=training.locked_dropout,
        )
        if threads is not None:
            figures = self.network.step(self._space, batch, update, threads)
        else:
            started = time.perf_counter()
            figures = self.network.step(self._space, batch, update, self._pace.threads)
            self._pace.record(time.perf_counter() - started)
        if figures.is_finite:
            self._steps, self._powers = steps, powers
        return figures

    def score(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, BatchFigures]]:
        space: Space | None = None
        for batch in batches:
            if not batch.mask.any():
                yield batch, NO_TARGETS
                continue
            space = space or self._fresh_space(batch)
            yield batch, self.network.score(space, batch, self._model, self._pace.threads)

    def _fresh_space(self, batch: Batch) -> Space:
        time_steps, rows = batch.inputs.shape
        space = self._scoring.get((time_steps, rows))
        if space is None:
            space = self.network.space((time_steps, rows), learns=False)
            self._scoring[time_steps, rows] = space
        for layer, place in self._carried():
            space.set_state(layer, place, np.zeros((rows, self.network.hidden_size), np.float32))
        return space

    def _carried(self) -> Iterator[tuple[int, int]]:
        for layer in range(self._num_layers):
            for place in range(self._num_states):
                yield layer, place

    def averaged(self) -> Weights:
        return self._all(self._model)

    def _all(self, kind: Kind) -> Weights:
        return {name: self.network.tensor(kind, name) for name in self.network.shapes}

    def is_sound(self) -> bool:
        kinds: set[Kind] = {"weights", self._model}
        every = (values for kind in kinds for values in self._all(kind).values())
        # The comparison is false for NaN, too.
        return all(bool((np.abs(values) < LARGEST_WEIGHT).all()) for values in every)

    def state(self) -> Arrays:
        tensors = {f"network.{name}": values for name, values in self._all("weights").items()}
        if self._model == "averages":
            tensors |= {f"average.{name}": values for name, values in self._all("averages").items()}
        for key, kind in _MOMENTS.items() if self._steps else ():
            tensors |= {f"optimizer.{key}.{name}": own for name, own in self._all(kind).items()}
        for name in self.network.shapes if self._steps else ():
            tensors[f"optimizer.step.{name}"] = np.array(min(self._steps, _MOST_STEPS), np.float32)
        for layer, place in self._carried():
            tensors[f"carried.{layer}.{place}"] = self._space.state(layer, place)[None]
        return tensors

    def restore(self, state: Mapping[str, np.ndarray[Any, Any]], steps: int) -> None:
        for name, shape in self.network.shapes.items():
            weights = state[f"network.{name}"]
            self.network.set_tensor("weights", name, weights)
            self.network.set_tensor("averages", name, state.get(f"average.{name}", weights))
            for key, kind in _MOMENTS.items():
                moment = state.get(f"optimizer.{key}.{name}", np.zeros(shape, np.float32))
                self.network.set_tensor(kind, name, moment)
        for layer, place in self._carried():
            self._space.set_state(layer, place, state[f"carried.{layer}.{place}"])
        self._steps = steps
        self._powers = (
            power(self._training.beta1, steps),
            power(self._training.beta2, steps),
        )


def power(base: float, exponent: int) -> float:
    """Return base ** exponent, multiplied step by step as in training, to the same bit.

    Stop early below 2⁻⁶⁰: 1 minus the result is 1 from there on.
    """
    product = 1.0
    while exponent > 0 and product > 2.0**-60:
        factors = np.full(min(exponent, _AT_ONCE) + 1, base)
        factors[0] = product
        product = float(np.multiply.accumulate(factors)[-1])
        exponent -= _AT_ONCE
    return product
