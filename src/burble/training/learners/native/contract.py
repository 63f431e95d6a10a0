"""The interface between the native learner and what computes its steps: C kernels or NumPy."""

from typing import Any, Literal, Protocol, TypeVar

import numpy as np

from burble.data.batch import Batch
from burble.native.structures import Update
from burble.training.learner import BatchFigures, StepFigures

Float32 = np.ndarray[Any, np.dtype[np.float32]]

Kind = Literal["weights", "averages", "means", "squares", "gradients"]
KINDS: tuple[Kind, ...] = ("weights", "averages", "means", "squares", "gradients")
"""The arrays that exist for each tensor of the model file, in the order of `burble_kind`."""


class Space(Protocol):
    """Memory for batches of one shape, and the state carried from one batch to the next."""

    def state(self, layer: int, place: int) -> Float32:
        """Return a copy of a state, (rows, hidden), by its place in the table of cells."""

    def set_state(self, layer: int, place: int, values: Float32) -> None:
        """Set a state, (rows, hidden), to a copy of `values`."""


S = TypeVar("S", bound=Space)


class LearningNetwork(Protocol[S]):
    """The weights of a network, with their averages, moments and gradients."""

    hidden_size: int
    shapes: dict[str, tuple[int, ...]]

    def space(self, shape: tuple[int, int], *, learns: bool) -> S:
        """Return memory for batches of shape (time, rows), with zero states.

        learns: whether it is for training. Otherwise it is smaller and only for scoring.
        """

    def tensor(self, kind: Kind, name: str) -> Float32:
        """Return a copy of one array of a tensor of the model file."""

    def set_tensor(self, kind: Kind, name: str, values: np.ndarray[Any, Any]) -> None:
        """Set one array of a tensor to a copy of `values`."""

    def step(self, space: S, batch: Batch, update: Update, threads: int) -> StepFigures:
        """Train on a batch. Change nothing if the loss or the gradient is not finite."""

    def score(self, space: S, batch: Batch, kind: Kind, threads: int) -> BatchFigures:
        """Score a batch with the weights or their averages, without dropout."""
