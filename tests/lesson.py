"""The numbers of the small network that the lesson prints, and its gates worked out from them.

What computes here is what a calculator has: adding, multiplying, dividing, and exp.
"""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from burble.engine.trace import Trace

GATES = ("input", "forget", "candidate", "output")

# A gate is printed with four decimals and worked out from hidden values with five.
NEAR = 1e-4


@dataclass(frozen=True)
class Step:
    """A line of the table: what one unit does at one letter."""

    letter: str
    values: dict[str, float]  # gates and states by name


@dataclass(frozen=True)
class Printed:
    """What the lesson prints of its small network, as numbers."""

    rows: dict[tuple[str, int], list[float]]  # of a gate and a unit: weights of x, of h, bias
    letters: dict[str, list[float]]  # the x of each
    hidden: list[list[float]]  # of all units, after each letter
    unit: int  # the one that the table follows
    steps: list[Step]

    @property
    def word(self) -> str:
        return "".join(step.letter for step in self.steps)

    @property
    def num_units(self) -> int:
        return len(self.hidden[0])

    def gate(self, name: str, unit: int, place: int) -> float:
        """Work out a gate, or the candidate, at a letter of the word."""
        before = self.hidden[place - 1] if place else [0.0] * self.num_units
        values = [*self.letters[self.word[place]], *before, 1.0]
        total = 0.0
        for weight, value in zip(self.rows[name, unit], values, strict=True):
            total += weight * value
        return tanh(total) if name == "candidate" else sigmoid(total)

    def state(self, unit: int, place: int) -> tuple[float, float]:
        """Work out the cell and the hidden value of a unit after a letter of the word."""
        cell = 0.0
        for at in range(place + 1):
            let_in, forget, candidate, output = (self.gate(name, unit, at) for name in GATES)
            cell = forget * cell + let_in * candidate
        return cell, output * tanh(cell)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def tanh(x: float) -> float:
    return 2 * sigmoid(2 * x) + -1


def read_printed(notebook: Any) -> Printed:
    """Read the numbers from the outputs of the lesson's notebook."""
    outputs = {
        cell.id: "".join(output.get("text", "") for output in cell.outputs)
        for cell in notebook.cells
        if cell.cell_type == "code"
    }
    row = rf"^({'|'.join(GATES)}) +(\d+)(.+)$"
    weights, letters = outputs["small-weights-code"].split("\nletter", 1)
    rows = {
        (gate, int(unit)): _numbers(rest)
        for gate, unit, rest in re.findall(row, weights, re.MULTILINE)
    }
    hidden, table = outputs["small-table-code"].split("\nunit", 1)
    header = table.partition("\n")[0].split()
    return Printed(
        rows,
        dict(_lines(letters)),
        [values for _, values in _lines(hidden)],
        int(header[0]),
        [
            Step(letter, dict(zip(header[1:], values, strict=True)))
            for letter, values in _lines(table)
        ],
    )


def assert_traced(printed: Printed, trace: Trace) -> None:
    """Check a model's own gates against those that the lesson prints, and those worked out."""
    for place, step in enumerate(printed.steps):
        for name, value in step.values.items():
            assert trace.values[name][place, 0, printed.unit] == pytest.approx(value, abs=6e-5)
        for gate in GATES:
            for unit in range(printed.num_units):
                traced = trace.values[gate][place, 0, unit]
                assert printed.gate(gate, unit, place) == pytest.approx(traced, abs=NEAR)


def _lines(text: str) -> list[tuple[str, list[float]]]:
    """Return the lines that begin with a letter in quotes, with their numbers."""
    found = re.findall(r"^('.+?'|\".+?\") +(.+)$", text, re.MULTILINE)
    return [(ast.literal_eval(letter), _numbers(rest)) for letter, rest in found]


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"-?\d+\.\d+", text)]
