"""The table of cells, as plain data: what each is called, its gates, and what it carries.

Beside its row a cell is a class in `training/learners/torch/network.py`, a row in
`training/derivatives.py`, and a function in `engine/cells.py`, in `engine/kernel/elementwise.h` and
in `export/page/engine.js`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

CellKind = Literal["lstm", "gru", "rnn"]


@dataclass(frozen=True)
class OnnxOperator:
    """ONNX's operator for a cell."""

    name: str
    gates: tuple[str, ...]
    """The gates in the order that ONNX wants their rows in."""

    attributes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    """A kind of cell."""

    title: str
    about: str
    """What it does, for people."""

    gates: tuple[str, ...]
    """The blocks of rows of its weights, in the order of the model file."""

    states: tuple[str, ...]
    """What it carries from one token to the next: its output first, the memory last."""

    onnx: OnnxOperator | None = None
    """None where ONNX has no such cell: it cannot be exported there."""

    @property
    def output(self) -> str:
        """The state that the head, the layer above and the next step see."""
        return self.states[0]

    @property
    def memory(self) -> str:
        """The state that tells most of a unit."""
        return self.states[-1]

    @property
    def values(self) -> tuple[str, ...]:
        """All that happens in a step: gates and states."""
        return tuple(dict.fromkeys((*self.gates, *reversed(self.states))))


CELLS: dict[CellKind, Cell] = {
    "lstm": Cell(
        "LSTM",
        "Each unit of an LSTM keeps one number in memory. At every character, gates between 0 and "
        "1 decide how much of it stays, how much is let in and how much is shown.",
        gates=("input", "forget", "candidate", "output"),
        states=("hidden", "cell"),
        onnx=OnnxOperator("LSTM", ("input", "output", "forget", "candidate")),
    ),
    "gru": Cell(
        "GRU",
        "Each unit of a GRU carries one number along. At every character, gates between 0 and 1 "
        "decide how much of it stays and how much of it the new candidate may see.",
        gates=("reset", "update", "candidate"),
        states=("hidden",),
        # The reset gate comes after the product.
        onnx=OnnxOperator("GRU", ("update", "reset", "candidate"), {"linear_before_reset": 1}),
    ),
    "rnn": Cell(
        "RNN",
        "Each unit of a plain RNN carries one number along, and computes it anew at every "
        "character: no gate protects it.",
        gates=("hidden",),
        states=("hidden",),
        onnx=OnnxOperator("RNN", ("hidden",)),
    ),
}


@dataclass(frozen=True)
class Meaning:
    """What a gate or a state means, in every cell that has it."""

    text: str
    is_signed: bool
    """Whether it lies on both sides of zero; otherwise it is a share, from 0 to 1."""

    is_bounded: bool = True
    """Whether it lies in ±1. The tanh of what does not is what the cell can show of it."""


MEANINGS: dict[str, Meaning] = {
    "forget": Meaning("How much of the memory stays: 1 keeps all of it, 0 wipes it out.", False),
    "input": Meaning("How much of the candidate is let into the memory.", False),
    "candidate": Meaning("What this character would write down, from −1 to 1.", True),
    "output": Meaning("How much of the memory is shown outside.", False),
    "cell": Meaning(
        "The memory: what stayed of it, and what was let in. It has no bounds.", True, False
    ),
    "reset": Meaning("How much of the last state the candidate gets to see.", False),
    "update": Meaning("How much of the last state stays; the candidate takes the rest.", False),
    "hidden": Meaning(
        "What the unit shows, from −1 to 1. The guess, the layer above and the next step see this.",
        True,
    ),
}
