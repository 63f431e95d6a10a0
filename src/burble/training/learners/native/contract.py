"""What the native learner asks of what computes its steps: the kernels in C, or NumPy."""

from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from burble.data.batch import Batch
from burble.native.structures import Update
from burble.training.learner import BatchFigures, StepFigures

Float32 = np.ndarray[Any, np.dtype[np.float32]]

Kind = Literal["weights", "averages", "means", "squares", "gradients"]
KINDS: tuple[Kind, ...] = ("weights", "averages", "means", "squares", "gradients")
"""What there is of each tensor of the model file, in the order of `burble_kind`."""


class Space(Protocol):
    """Room for batches of one shape, and the state that is carried from one to the next."""

    def state(self, layer: int, place: int) -> Float32:
        """Return a copy of a state, (rows, hidden), by its place in the table of cells."""

    def set_state(self, layer: int, place: int, values: Float32) -> None:
        """Take a copy of it."""


S = TypeVar("S", bound=Space)


class LearningNetwork(Protocol[S]):
    """Weights, their averages, moments and gradients."""

    hidden_size: int
    shapes: dict[str, tuple[int, ...]]

    def space(self, shape: tuple[int, int], *, learns: bool) -> S:
        """Return room for batches of (time, rows), whose state is zero; without `learns` only to
        score them.
        """

    def tensor(self, kind: Kind, name: str) -> Float32:
        """Return a copy of what there is of this kind for a tensor of the model file."""

    def set_tensor(self, kind: Kind, name: str, values: np.ndarray[Any, Any]) -> None:
        """Take a copy of it."""

    def step(self, space: S, batch: Batch, update: Update, threads: int) -> StepFigures:
        """Learn from a batch. Where the figures are not finite, nothing is changed."""

    def score(self, space: S, batch: Batch, kind: Kind, threads: int) -> BatchFigures:
        """Read a batch with the weights or their averages, without dropout."""
