"""A terminal session as a moving picture: an SVG whose frames are the screen at chosen moments."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from pictures.screen import PLAIN, Screen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pictures.recording import Recording
    from pictures.screen import Cell, Lines, Style

# Pixels.
CELL_WIDTH, LINE_HEIGHT, FONT_SIZE = 8.4, 18, 14
MARGIN, BAR = 14, 30


@dataclass(frozen=True)
class Theme:
    """Colours of a terminal's window."""

    paper: str
    ink: str
    edge: str
    quiet: str
    named: dict[str, str]


THEMES = {
    "dark": Theme(
        "#16181d",
        "#e6e1d8",
        "#3a3b40",
        "#8d887e",
        {"cyan": "#56c2d6", "green": "#8fbf6b", "red": "#f08d7d", "yellow": "#e3b55c"},
    ),
    "light": Theme(
        "#fffdf9",
        "#2a2620",
        "#d8d0c1",
        "#7a7366",
        {"cyan": "#0b7a8f", "green": "#3f7d20", "red": "#a32b1d", "yellow": "#8a6100"},
    ),
}


@dataclass(frozen=True)
class Frame:
    """A screen, and for how many seconds of the film it is shown."""

    lines: Lines
    seconds: float


@dataclass(frozen=True)
class Pace:
    """How the film shows a session: times in its own seconds."""

    speed: float
    """Seconds of the session in one of the film."""

    frame: float = 0.5
    typed: float = 1.2
    """For a command line before it runs."""

    end: float = 7.0


def shoot(recordings: Sequence[Recording], size: tuple[int, int], pace: Pace) -> list[Frame]:
    """Return the frames of commands typed one after another on a screen (columns, rows)."""
    screen = Screen(*size)
    frames = []
    for recording in recordings:
        screen.feed(f"\x1b[0;32m$\x1b[0m \x1b[1m{recording.typed}\x1b[0m")
        frames.append(Frame(screen.lines(), pace.typed))
        screen.feed("\r\n")
        frames += [Frame(lines, pace.frame) for lines in _watch(recording, screen, pace)]
    return [*frames[:-1], Frame(frames[-1].lines, pace.end)]


def _watch(recording: Recording, screen: Screen, pace: Pace) -> Iterator[Lines]:
    """Yield the screen at equal times while the command runs, and at its end."""
    step = pace.speed * pace.frame
    due = step
    for when, text in recording.pieces:
        while when > due:
            yield screen.lines()
            due += step
        screen.feed(text)
    yield screen.lines()


def draw(frames: Sequence[Frame], theme: Theme, title: str, described: str) -> str:
    """Return the SVG: the frames one below another, moved past a window of one frame's height."""
    columns, rows = len(frames[0].lines[0]), len(frames[0].lines)
    inner = rows * LINE_HEIGHT
    width, height = round(columns * CELL_WIDTH) + 2 * MARGIN, inner + BAR + MARGIN
    known: dict[tuple[Cell, ...], int] = {}
    strip = []
    for number, frame in enumerate(frames):
        for row, line in enumerate(frame.lines):
            if any(char != " " for char, _ in line):
                name = known.setdefault(line, len(known))
                y = number * inner + row * LINE_HEIGHT
                strip.append(f'<use href="#l{name}" y="{y}"/>')
    lines = "\n".join(
        f'<g id="l{name}">{"".join(_draw_line(line, theme))}</g>' for line, name in known.items()
    )
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" \
height="{height}" role="img" aria-label="{escape(described)}">
<style>
text {{ font: {FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", \
monospace; white-space: pre; fill: {theme.ink}; }}
.film {{ transform: translateY(-{(len(frames) - 1) * inner}px); \
animation: film {sum(frame.seconds for frame in frames):g}s step-end infinite; }}
@keyframes film {{ {_keyframes(frames, inner)} }}
@media (prefers-reduced-motion: reduce) {{ .film {{ animation: none; }} }}
</style>
<defs>
{lines}
</defs>
<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="8" fill="{theme.paper}" \
stroke="{theme.edge}"/>
{"".join(f'<circle cx="{x}" cy="16" r="5" fill="{theme.edge}"/>' for x in (18, 34, 50))}
<text x="{width - MARGIN}" y="20" text-anchor="end" style="font-size: 12px; fill: {theme.quiet}">\
{escape(title)}</text>
<svg x="{MARGIN}" y="{BAR}" width="{width - MARGIN}" height="{inner}">
<g class="film">
{"".join(strip)}
</g>
</svg>
</svg>
"""


def _keyframes(frames: Sequence[Frame], height: int) -> str:
    whole = sum(frame.seconds for frame in frames)
    rules, passed = [], 0.0
    for number, frame in enumerate(frames):
        rules.append(
            f"{100 * passed / whole:.2f}% {{ transform: translateY(-{number * height}px) }}"
        )
        passed += frame.seconds
    return " ".join(rules)


def _draw_line(line: Sequence[Cell], theme: Theme) -> Iterator[str]:
    """Yield the characters of a line in pieces of one style, each as wide as its cells."""
    column = 0
    for style, group in groupby(line, key=lambda cell: cell[1]):
        text = "".join(char for char, _ in group)
        if style.background is not None:
            yield _draw_background(column, len(text), _find_colour(style.background, theme))
        shown = text.strip()
        if shown:
            x = (column + len(text) - len(text.lstrip())) * CELL_WIDTH
            length = f' textLength="{len(shown) * CELL_WIDTH:.1f}"' if len(shown) > 1 else ""
            where = f'x="{x:.1f}" y="{FONT_SIZE}"{length}'
            yield f"<text {where}{_looks(style, theme)}>{escape(shown, quote=False)}</text>"
        column += len(text)


def _draw_background(column: int, width: int, colour: str) -> str:
    return (
        f'<rect x="{column * CELL_WIDTH:.1f}" width="{width * CELL_WIDTH:.1f}" '
        f'height="{LINE_HEIGHT}" fill="{colour}"/>'
    )


def _looks(style: Style, theme: Theme) -> str:
    if style == PLAIN:
        return ""
    looks = {
        "fill": style.colour and _find_colour(style.colour, theme),
        "font-weight": style.bold and "600",
        "font-style": style.italic and "italic",
        "opacity": style.dim and ".65",
    }
    return f' style="{"; ".join(f"{name}: {value}" for name, value in looks.items() if value)}"'


def _find_colour(colour: str, theme: Theme) -> str:
    if colour.startswith("#"):
        return colour
    return theme.named.get(colour.removeprefix("bright-"), theme.ink)
