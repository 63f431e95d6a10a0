"""What a person is told of cells and their gates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from burble.config import CellKind


@dataclass(frozen=True)
class Gate:
    """What one of a trace's values means."""

    says: str
    is_signed: bool
    """Whether it lies on both sides of zero; otherwise it is a share, from 0 to 1."""

    is_bounded: bool = True
    """Whether it lies in ±1. The tanh of what does not is what the cell can show of it."""


GATES: dict[str, Gate] = {
    "forget": Gate("How much of the memory stays: 1 keeps all of it, 0 wipes it out.", False),
    "input": Gate("How much of the candidate is let into the memory.", False),
    "candidate": Gate("What this character would write down, from −1 to 1.", True),
    "output": Gate("How much of the memory is shown outside.", False),
    "cell": Gate(
        "The memory: what stayed of it, and what was let in. It has no bounds.", True, False
    ),
    "reset": Gate("How much of the last state the candidate gets to see.", False),
    "update": Gate("How much of the last state stays; the candidate takes the rest.", False),
    "hidden": Gate(
        "What the unit shows, from −1 to 1. The guess, the layer above and the next step see this.",
        True,
    ),
}

CELLS: dict[CellKind, str] = {
    "lstm": (
        "Each unit of an LSTM keeps one number in memory. At every character, gates between 0 and "
        "1 decide how much of it stays, how much is let in and how much is shown."
    ),
    "gru": (
        "Each unit of a GRU carries one number along. At every character, gates between 0 and 1 "
        "decide how much of it stays and how much of it the new candidate may see."
    ),
    "rnn": (
        "Each unit of a plain RNN carries one number along, and computes it anew at every "
        "character: no gate protects it."
    ),
}


def main_value(cell: CellKind) -> str:
    """The value that tells most of a unit: the memory where there is one."""
    return "cell" if cell == "lstm" else "hidden"
