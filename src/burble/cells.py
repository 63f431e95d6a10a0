"""The table of cells, as plain data; docs/architecture.md lists what else a new cell needs."""

from dataclasses import dataclass, field
from typing import Literal

# A name has at most 31 letters: `burble_shape` in C has room for no more.
CellKind = Literal["lstm", "gru", "rnn"]


@dataclass(frozen=True)
class OnnxOperator:
    name: str
    gates: tuple[str, ...]  # in the order in which ONNX expects their rows
    attributes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Cell:
    title: str
    about: str  # an explanation for people
    gates: tuple[str, ...]  # the row blocks of its weights, in the order of the model file
    states: tuple[str, ...]  # carried from token to token: the output first, the memory last
    onnx: OnnxOperator | None = None  # None if ONNX has no such cell

    @property
    def output(self) -> str:
        """The state that the head, the layer above and the next step see."""
        return self.states[0]

    @property
    def memory(self) -> str:
        return self.states[-1]

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.gates, *reversed(self.states))))


CELLS: dict[CellKind, Cell] = {
    "lstm": Cell(
        "LSTM",
        "Each unit of an LSTM keeps one number in memory. At every character, gates between 0 and "
        "1 decide how much of it stays, how much is added and how much is shown.",
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
        # linear_before_reset: the reset gate is applied after the product, as here.
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
    """An explanation of a gate or a state, the same in every cell that has it."""

    text: str
    is_signed: bool  # whether it can be negative; otherwise it is a share, from 0 to 1
    is_bounded: bool = True  # whether it stays within ±1; if not, views show its tanh


MEANINGS: dict[str, Meaning] = {
    "forget": Meaning("How much of the memory stays: 1 keeps all of it, 0 wipes it out.", False),
    "input": Meaning("How much of the candidate is added to the memory.", False),
    "candidate": Meaning("What this character would add to the memory, from −1 to 1.", True),
    "output": Meaning("How much of the memory the unit shows.", False),
    "cell": Meaning(
        "The memory: what stayed of it, plus what was added. It has no bounds.", True, False
    ),
    "reset": Meaning("How much of the last state the candidate gets to see.", False),
    "update": Meaning("How much of the last state stays; the candidate takes the rest.", False),
    "hidden": Meaning(
        "The unit's output, from −1 to 1. The prediction, the layer above and the next step use "
        "it.",
        True,
    ),
}
