"""`ReferenceLearner`: the operations of the C learner, in NumPy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from burble.cells import CELLS
from burble.training.learner import BatchFigures, StepFigures
from burble.training.learners.native.contract import KINDS
from burble.training.learners.native.reference.network import Masks, Pass, draw_masks
from burble.training.learners.native.reference.products import add_in_order
from burble.training.learners.native.reference.update import AdamW, norm_of

if TYPE_CHECKING:
    from burble.config import NetworkConfig
    from burble.data.batch import Batch
    from burble.native.structures import Update
    from burble.training.learner import Arrays
    from burble.training.learners.native.reference.network import States
    from burble.training.learners.native.reference.products import AddProduct


class ReferenceLearner:
    """A network that is trained in NumPy.

    With `add_in_order` it equals the C kernels bit for bit. `add_fast` differs in the last bits. It
    is used if the C library is missing.
    """

    def __init__(
        self, network: NetworkConfig, vocab_size: int, add: AddProduct = add_in_order
    ) -> None:
        shapes = network.tensor_shapes(vocab_size)
        self.tensors: dict[str, Arrays] = {
            kind: {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
            for kind in KINDS
        }
        self._network = network
        self._vocab_size = vocab_size
        self._add = add

    def start(self, rows: int) -> States:
        """Return zero states for this many rows."""
        count, shape = len(CELLS[self._network.cell].states), (rows, self._network.hidden_size)
        return [
            [np.zeros(shape, np.float32) for _ in range(count)]
            for _ in range(self._network.num_layers)
        ]

    def set(self, kind: str, tensors: Arrays) -> None:
        """Set all tensors of a kind to copies of these."""
        self.tensors[kind] = {
            name: np.array(tensors[name], np.float32) for name in self.tensors[kind]
        }

    @np.errstate(all="ignore")
    def step(self, states: States, batch: Batch, update: Update) -> StepFigures:
        """Train on a batch, and update the states in place.

        If loss or norm is not finite, change only the gradients.
        """
        masks = draw_masks(self._network, self._vocab_size, batch, update)
        done = Pass(self._network, self.tensors["weights"], batch, masks, self._add)
        loss, correct = done.run(states)
        self.tensors["gradients"] = done.back()
        norm = norm_of(self.tensors["gradients"])
        if math.isfinite(loss) and math.isfinite(norm):
            AdamW(update, norm).update(self.tensors)
            states[:] = done.states
        return StepFigures(loss, correct, norm)

    @np.errstate(all="ignore")
    def score(self, states: States, batch: Batch, *, raw: bool = False) -> BatchFigures:
        """Score a batch with the averaged weights, or the `raw` ones, without dropout.

        Update the states in place.
        """
        weights = self.tensors["weights" if raw else "averages"]
        done = Pass(self._network, weights, batch, Masks(), self._add)
        loss, correct = done.run(states)
        states[:] = done.states
        return BatchFigures(loss, correct)
