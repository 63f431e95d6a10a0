"""A network that is trained in NumPy, for when the C library is missing."""

from typing import Any

import numpy as np

from burble.config import NetworkConfig
from burble.data.batch import Batch
from burble.native.structures import Update
from burble.training.learner import BatchFigures, StepFigures
from burble.training.learners.native.contract import Float32, Kind
from burble.training.learners.native.reference.learner import ReferenceLearner
from burble.training.learners.native.reference.network import States
from burble.training.learners.native.reference.products import add_fast


class NumpySpace:
    """`Space` in NumPy."""

    def __init__(self, states: States) -> None:
        self.states = states

    def state(self, layer: int, place: int) -> Float32:
        return self.states[layer][place].copy()

    def set_state(self, layer: int, place: int, values: Float32) -> None:
        shape = self.states[layer][place].shape
        self.states[layer][place] = np.array(values, np.float32).reshape(shape)


class NumpyNetwork:
    """`LearningNetwork` in NumPy: the reference with fast matrix products."""

    def __init__(self, config: NetworkConfig, vocab_size: int) -> None:
        self.hidden_size = config.hidden_size
        self.shapes = config.tensor_shapes(vocab_size)
        self._learner = ReferenceLearner(config, vocab_size, add_fast)

    def space(self, shape: tuple[int, int], *, learns: bool) -> NumpySpace:
        del learns  # both need the same memory
        return NumpySpace(self._learner.start(shape[1]))

    def tensor(self, kind: Kind, name: str) -> Float32:
        return self._learner.tensors[kind][name].copy()

    def set_tensor(self, kind: Kind, name: str, values: np.ndarray[Any, Any]) -> None:
        taken = np.array(values, np.float32).reshape(self.shapes[name])
        self._learner.tensors[kind][name] = taken

    def step(self, space: NumpySpace, batch: Batch, update: Update, threads: int) -> StepFigures:
        del threads  # NumPy chooses its own
        return self._learner.step(space.states, batch, update)

    def score(self, space: NumpySpace, batch: Batch, kind: Kind, threads: int) -> BatchFigures:
        del threads
        return self._learner.score(space.states, batch, raw=kind == "weights")
