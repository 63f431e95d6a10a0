"""A terminal's screen: the characters and styles that a program's output leaves on it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

# A control sequence with its numbers and its letter, a title of the window, or one character.
_PIECES = re.compile(r"\x1b\[([?0-9;]*)([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|.", re.DOTALL)

NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_CUBE = (0, 95, 135, 175, 215, 255)


@dataclass(frozen=True)
class Style:
    """How a character looks. A colour is a name of `NAMES`, `bright-` and one, or `#rrggbb`."""

    colour: str | None = None
    background: str | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False


PLAIN = Style()
Cell = tuple[str, Style]
Lines = tuple[tuple[Cell, ...], ...]


class Screen:
    """Of so many columns and rows; what leaves it at the top is gone."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self._style = PLAIN
        self._row = self._column = 0
        self._lines = [self._empty_line() for _ in range(rows)]

    def _empty_line(self) -> list[Cell]:
        return [(" ", PLAIN)] * self.columns

    def lines(self) -> Lines:
        """Return what the screen shows now, a row of `columns` cells for each line."""
        return tuple(map(tuple, self._lines))

    def text(self) -> str:
        """Return the characters alone, without the spaces that end a line."""
        return "\n".join("".join(char for char, _ in line).rstrip() for line in self._lines)

    def feed(self, output: str) -> None:
        """Take in what a program printed.

        Raises `ValueError` for a control sequence that this screen does not know.
        """
        for piece in _PIECES.finditer(output):
            numbers, letter = piece.groups()
            if letter is not None:
                self._obey(numbers, letter)
            elif not piece[0].startswith("\x1b"):
                self._put(piece[0])

    def _put(self, char: str) -> None:
        match char:
            case "\r":
                self._column = 0
            case "\n":
                self._go_down()
            case "\b":
                self._column = max(0, self._column - 1)
            case _ if char >= " ":
                # A full line is left only when another character comes, as in a terminal.
                if self._column == self.columns:
                    self._column = 0
                    self._go_down()
                self._lines[self._row][self._column] = (char, self._style)
                self._column += 1

    def _go_down(self) -> None:
        self._row += 1
        if self._row == self.rows:
            self._row -= 1
            self._lines = [*self._lines[1:], self._empty_line()]

    def _obey(self, numbers: str, letter: str) -> None:
        if numbers.startswith("?"):  # the cursor is shown or hidden
            return
        values = [int(number or 0) for number in numbers.split(";")]
        match letter:
            case "m":
                self._style = _restyle(self._style, values)
            case "A":
                self._row = max(0, self._row - (values[0] or 1))
            case "K":
                self._erase(values[0])
            case _:
                raise ValueError(f"the control sequence {numbers}{letter} is not known")

    def _erase(self, which: int) -> None:
        line = self._lines[self._row]
        empty = self._empty_line()
        at = min(self._column, self.columns)
        self._lines[self._row] = [line[:at] + empty[at:], empty[:at] + line[at:], empty][which]


def _restyle(style: Style, values: list[int]) -> Style:
    values = list(values)
    while values:
        value = values.pop(0)
        if value == 0:
            style = PLAIN
        elif value in (38, 48):
            side = "colour" if value == 38 else "background"
            style = replace(style, **{side: _read_colour(values)})
        else:
            style = replace(style, **_CHANGES.get(value, {}))
    return style


def _read_colour(values: list[int]) -> str:
    if values.pop(0) == 2:
        red, green, blue = (values.pop(0) for _ in range(3))
        return f"#{red:02x}{green:02x}{blue:02x}"
    return _colour_of_256(values.pop(0))


def _colour_of_256(number: int) -> str:
    if number < 16:
        return _named(number)
    if number < 232:
        red, rest = divmod(number - 16, 36)
        return "#" + "".join(f"{_CUBE[level]:02x}" for level in (red, *divmod(rest, 6)))
    return "#" + f"{8 + 10 * (number - 232):02x}" * 3


def _named(number: int) -> str:
    return NAMES[number] if number < 8 else f"bright-{NAMES[number - 8]}"


_CHANGES: dict[int, dict[str, str | bool | None]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    39: {"colour": None},
    49: {"background": None},
    **{30 + number: {"colour": _named(number)} for number in range(8)},
    **{40 + number: {"background": _named(number)} for number in range(8)},
    **{90 + number: {"colour": _named(8 + number)} for number in range(8)},
}
