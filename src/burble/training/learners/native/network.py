"""A network that is trained in C: `kernel/learner.h` in Python."""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

import numpy as np

from burble.config import NetworkConfig
from burble.data.batch import Batch
from burble.native.structures import BatchFields, Figures, LearnerShape, Update
from burble.training.learner import BatchFigures, StepFigures
from burble.training.learners.native.contract import KINDS, Float32, Kind

_INPUTS = ("embedding", "one-hot", "scalar")


class NativeSpace:
    """`Space` in C."""

    def __init__(self, network: NativeNetwork, shape: tuple[int, int], *, learns: bool) -> None:
        self._library = network.library
        self.shape = shape
        self._shape = (shape[1], network.hidden_size)
        self.handle = self._library.burble_space_new(network.handle, *shape, int(learns))
        if not self.handle:
            raise MemoryError
        # It reads its network when it is freed. The finalizer keeps that alive, so that the network
        # goes last even where the garbage collector finds both in one cycle.
        weakref.finalize(self, _free_space, network, self.handle)

    def state(self, layer: int, place: int) -> Float32:
        values = np.empty(self._shape, np.float32)
        self._library.burble_space_state(self.handle, layer, place, values.ctypes.data, 0)
        return values

    def set_state(self, layer: int, place: int, values: Float32) -> None:
        values = np.ascontiguousarray(values.reshape(self._shape), np.float32)
        self._library.burble_space_state(self.handle, layer, place, values.ctypes.data, 1)


def _free_space(network: NativeNetwork, handle: int) -> None:
    network.library.burble_space_free(handle)


class NativeNetwork:
    """`LearningNetwork` in C, with its threads."""

    def __init__(
        self,
        library: ctypes.CDLL,
        kernel: str,
        config: NetworkConfig,
        vocab_size: int,
        threads: int,
    ) -> None:
        self.library = library
        self.hidden_size = config.hidden_size
        self.shapes = config.tensor_shapes(vocab_size)
        shape = LearnerShape(
            config.cell.encode(),
            _INPUTS.index(config.input),
            config.num_layers,
            config.hidden_size,
            vocab_size,
            config.embedding_size,
            config.residual,
        )
        self.handle = library.burble_learner_new(kernel.encode(), ctypes.byref(shape), threads)
        if not self.handle:
            raise MemoryError
        weakref.finalize(self, library.burble_learner_free, self.handle)
        self._places = {name: place for place, name in enumerate(self.shapes)}

    def space(self, shape: tuple[int, int], *, learns: bool) -> NativeSpace:
        return NativeSpace(self, shape, learns=learns)

    def tensor(self, kind: Kind, name: str) -> Float32:
        values = np.empty(self.shapes[name], np.float32)
        self._copy(kind, name, values, set_it=False)
        return values

    def set_tensor(self, kind: Kind, name: str, values: np.ndarray[Any, Any]) -> None:
        values = np.ascontiguousarray(values.reshape(self.shapes[name]), np.float32)
        self._copy(kind, name, values, set_it=True)

    def _copy(self, kind: Kind, name: str, values: Float32, *, set_it: bool) -> None:
        where = (KINDS.index(kind), self._places[name])
        self.library.burble_learner_tensor(self.handle, *where, values.ctypes.data, int(set_it))

    def step(self, space: NativeSpace, batch: Batch, update: Update, threads: int) -> StepFigures:
        _check_shape(space, batch)
        figures, (fields, _arrays) = Figures(), _fields(batch)
        self.library.burble_learner_step(
            self.handle, space.handle, fields, update, threads, figures
        )
        return StepFigures(figures.loss, figures.correct, figures.norm)

    def score(self, space: NativeSpace, batch: Batch, kind: Kind, threads: int) -> BatchFigures:
        _check_shape(space, batch)
        figures, (fields, _arrays) = Figures(), _fields(batch)
        raw = int(kind == "weights")
        self.library.burble_learner_score(self.handle, space.handle, fields, raw, threads, figures)
        return BatchFigures(figures.loss, figures.correct)

    def phase_seconds(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Return the seconds that all steps so far spent in each phase, (phases,)."""
        count = self.library.burble_learner_seconds(self.handle, None, 0)
        seconds = np.zeros(count)
        self.library.burble_learner_seconds(self.handle, seconds.ctypes.data, count)
        return seconds

    def probe(self, times: int, threads: int) -> int:
        """Make 1,024 · times vector multiply-adds on each thread, and return the vector's width."""
        width: int = self.library.burble_learner_probe(self.handle, times, threads)
        return width


def _check_shape(space: NativeSpace, batch: Batch) -> None:
    if batch.inputs.shape != space.shape:
        raise ValueError(f"a batch must have the shape {space.shape}; found {batch.inputs.shape}")


def _fields(batch: Batch) -> tuple[BatchFields, list[np.ndarray[Any, Any]]]:
    """Return the batch as a C struct, and the arrays it points to, which must be kept alive."""
    arrays: list[np.ndarray[Any, Any]] = [
        np.ascontiguousarray(batch.inputs, np.int64),
        np.ascontiguousarray(batch.targets, np.int64),
        np.ascontiguousarray(batch.mask, np.bool_),
        np.ascontiguousarray(batch.reset, np.bool_),
    ]
    return BatchFields(*(array.ctypes.data for array in arrays)), arrays
