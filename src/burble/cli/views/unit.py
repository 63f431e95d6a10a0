"""A passage of text as a unit sees it: in colours on a terminal, else with bars under its lines."""

from rich.console import Console
from rich.text import Text

from burble.inspection.palette import shade
from burble.inspection.units.passage import Passage
from burble.text.printable import printable

_BARS = "▁▂▃▄▅▆▇█"


def print_passage(console: Console, passage: Passage) -> None:
    """Print it, the lowest value in blue or as the lowest bar, the highest in orange."""
    shares = _shares([value for _, value in passage])
    shown = [(printable(piece), share) for (piece, _), share in zip(passage, shares, strict=True)]
    if console.color_system is None:
        console.print(_barred(shown), markup=False)
    else:
        console.print(_coloured(shown))


def _shares(values: list[float]) -> list[float]:
    low, width = min(values), max(values) - min(values)
    return [(value - low) / width if width else 0.5 for value in values]


def _coloured(shown: list[tuple[str, float]]) -> Text:
    text = Text()
    for piece, share in shown:
        # A line break has a value too, and nothing to colour but a sign for it.
        visible = piece.replace("\n", "↵\n")
        text.append(visible, style=shade(2 * share - 1))
    return text


def _barred(shown: list[tuple[str, float]]) -> str:
    line, bars = "", ""
    lines = []
    for piece, share in shown:
        line += piece.replace("\n", "↵").replace("\t", " ")
        bars += _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))] * len(piece)
        if piece.endswith("\n"):
            lines += [line, bars]
            line, bars = "", ""
    return "\n".join([*lines, line, bars] if line else lines)
