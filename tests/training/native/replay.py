"""Cases for `replay.c`: what random networks learn in the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from burble.cells import CELLS
from burble.native.structures import Figures
from burble.training.learners.native.reference.learner import KINDS
from tests.engine.replay import Draw
from tests.training.native.cases import random_case
from tests.training.native.compiled import shape_of

if TYPE_CHECKING:
    from pathlib import Path

    from burble.training.learner import Arrays, BatchFigures
    from tests.training.native.cases import Case, Outcome


def write_cases(path: Path, count: int) -> int:
    """Write so many cases; their number."""
    with path.open("wb") as file:
        writer = _Writer(file)
        writer.number(count)
        for number in range(count):
            case = random_case(Draw(number))
            writer.case(case, case.reference())
    return count


class _Writer:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def block(self, data: bytes) -> None:
        self.number_of_bytes(len(data))
        self._file.write(data)

    def number_of_bytes(self, size: int) -> None:
        self._file.write(size.to_bytes(8, "little"))

    def number(self, number: int) -> None:
        self.block(number.to_bytes(8, "little"))

    def arrays(self, arrays: Arrays) -> None:
        self.number(len(arrays))
        for array in arrays.values():
            self.block(array.tobytes())

    def case(self, case: Case, outcome: Outcome) -> None:
        self.block(bytes(shape_of(case.network, case.vocab_size)))
        layers, states = case.network.num_layers, len(CELLS[case.network.cell].states)
        times, rows = case.batches[0].inputs.shape
        for number in (times, rows, layers, states, len(case.batches), case.raw):
            self.number(number)
        for turn, batch in enumerate(case.batches):
            for array in (batch.inputs, batch.targets, batch.mask, batch.reset):
                self.block(array.tobytes())
            self.block(bytes(case.updates[turn]))
            self.figures(outcome.steps[turn])
            self.figures(outcome.scores[turn])
        for kind in KINDS:
            self.arrays(case.tensors.get(kind, {}))
        for kind in KINDS:
            self.arrays(outcome.named(kind))
        self.arrays(case.named_states())
        self.arrays(outcome.named("state"))
        self.arrays(outcome.named("scored"))

    def figures(self, figures: BatchFigures) -> None:
        norm = getattr(figures, "norm", 0.0)
        self.block(bytes(Figures(figures.loss, figures.correct, norm)))
