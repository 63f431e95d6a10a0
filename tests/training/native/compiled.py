"""The C learner with the reference's methods."""

from __future__ import annotations

import ctypes
import weakref
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.cells import CELLS
from burble.native.library import learner_kernel_names, library
from burble.native.structures import BatchFields, Figures, LearnerShape, Update
from burble.training.learner import BatchFigures, StepFigures
from burble.training.learners.native.reference.learner import KINDS

if TYPE_CHECKING:
    from burble.config import InputKind, NetworkConfig
    from burble.data.batch import Batch
    from burble.training.learner import Arrays
    from burble.training.learners.native.reference.network import States

INPUTS: dict[InputKind, int] = {"embedding": 0, "one-hot": 1, "scalar": 2}


def kernel_names() -> list[str]:
    """The kernels that this machine can learn with, best first; none without the library."""
    opened = library()
    return learner_kernel_names(opened) if opened else []


def shape_of(network: NetworkConfig, vocab_size: int) -> LearnerShape:
    return LearnerShape(
        network.cell.encode(),
        INPUTS[network.input],
        network.num_layers,
        network.hidden_size,
        vocab_size,
        network.embedding_size if network.input == "embedding" else 0,
        network.residual,
    )


class CompiledLearner:
    """Learns with one kernel."""

    def __init__(
        self, network: NetworkConfig, vocab_size: int, kernel: str, threads: int = 1
    ) -> None:
        opened = library()
        assert opened is not None
        self._native: Any = opened
        self._network = network
        self._shapes = network.tensor_shapes(vocab_size)
        self.threads = threads
        shape = shape_of(network, vocab_size)
        self._learner = opened.burble_learner_new(kernel.encode(), ctypes.byref(shape), threads)
        assert self._learner
        # Spaces refer to the learner: they go first.
        self._spaces: dict[tuple[int, int], int] = {}
        weakref.finalize(self, _free, opened, self._learner, self._spaces)

    @property
    def tensors(self) -> dict[str, Arrays]:
        """Copies of all that it has."""
        found: dict[str, Arrays] = {}
        for kind, name in enumerate(KINDS):
            found[name] = {key: np.empty(shape, np.float32) for key, shape in self._shapes.items()}
            for place, tensor in enumerate(found[name].values()):
                self._native.burble_learner_tensor(
                    self._learner, kind, place, tensor.ctypes.data, 0
                )
        return found

    def set(self, kind: str, tensors: Arrays) -> None:
        for place, tensor in enumerate(tensors.values()):
            own = np.ascontiguousarray(tensor, np.float32)
            self._native.burble_learner_tensor(
                self._learner, KINDS.index(kind), place, own.ctypes.data, 1
            )

    def step(self, states: States, batch: Batch, update: Update) -> StepFigures:
        figures = self._run(states, batch, update)
        return StepFigures(figures.loss, figures.correct, figures.norm)

    def score(self, states: States, batch: Batch, *, raw: bool = False) -> BatchFigures:
        figures = self._run(states, batch, None, raw=raw)
        return BatchFigures(figures.loss, figures.correct)

    def _run(
        self, states: States, batch: Batch, update: Update | None, *, raw: bool = False
    ) -> Figures:
        space = self._space(*batch.inputs.shape)
        self._move_states(space, states, 1)
        arrays = [
            np.ascontiguousarray(array)
            for array in (batch.inputs, batch.targets, batch.mask, batch.reset)
        ]
        fields = BatchFields(*(array.ctypes.data for array in arrays))
        figures = Figures()
        if update is None:
            run, how = self._native.burble_learner_score, raw
        else:
            run, how = self._native.burble_learner_step, update
        run(self._learner, space, fields, how, self.threads, figures)
        self._move_states(space, states, 0)
        return figures

    def _space(self, times: int, rows: int) -> int:
        if (times, rows) not in self._spaces:
            space = self._native.burble_space_new(self._learner, times, rows, 1)
            assert space
            self._spaces[times, rows] = space
        return self._spaces[times, rows]

    def _move_states(self, space: int, states: States, into: int) -> None:
        for depth in range(self._network.num_layers):
            for place in range(len(CELLS[self._network.cell].states)):
                values = np.ascontiguousarray(states[depth][place])
                self._native.burble_space_state(space, depth, place, values.ctypes.data, into)
                states[depth][place] = values


def _free(native: Any, learner: int, spaces: dict[tuple[int, int], int]) -> None:
    for space in spaces.values():
        native.burble_space_free(space)
    native.burble_learner_free(learner)
