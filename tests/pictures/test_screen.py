from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.live import Live
from rich.text import Text

from pictures.screen import PLAIN, Screen, Style


def screen_of(*pieces: str, columns: int = 10, rows: int = 3) -> Screen:
    screen = Screen(columns, rows)
    for piece in pieces:
        screen.feed(piece)
    return screen


def test_lines_scroll_and_long_ones_wrap() -> None:
    assert screen_of("one\r\ntwo\r\n").text() == "one\ntwo\n"
    assert screen_of("one\r\ntwo\r\nthree\r\nfour").text() == "two\nthree\nfour"
    assert screen_of("0123456789abc").text() == "0123456789\nabc\n"


def test_a_line_that_is_just_full_is_left_by_the_next_character_alone() -> None:
    assert screen_of("0123456789").text() == "0123456789\n\n"
    assert screen_of("0123456789\r\nab").text() == "0123456789\nab\n"
    assert screen_of("0123456789\rab").text() == "ab23456789\n\n"


@pytest.mark.parametrize(
    ("erased", "left"),
    [("\x1b[2K", ""), ("\x1b[K", "abc"), ("\x1b[0K", "abc"), ("\x1b[1K", "   def")],
)
def test_lines_are_erased_whole_or_on_one_side(erased: str, left: str) -> None:
    assert screen_of("abcdef\rabc", erased).text() == f"{left}\n\n"


def test_the_cursor_goes_up_and_writes_over() -> None:
    assert screen_of("one\r\ntwo\r\nthree", "\x1b[1A\r\x1b[2K2\r\n").text() == "one\n2\nthree"
    assert screen_of("one\r\ntwo", "\x1b[A\r1").text() == "1ne\ntwo\n"


@pytest.mark.parametrize(
    ("sequence", "style"),
    [
        ("36", Style("cyan")),
        ("1;91", Style("bright-red", bold=True)),
        ("38;5;237", Style("#3a3a3a")),
        ("38;5;196", Style("#ff0000")),
        ("38;5;9", Style("bright-red")),
        ("38;2;249;38;114", Style("#f92672")),
        ("38;5;16;48;2;1;2;3", Style("#000000", "#010203")),
        ("1;3;2;22", Style(italic=True)),
        ("36;44;39;49", PLAIN),
        ("36;0", PLAIN),
        ("", PLAIN),
    ],
)
def test_styles_are_read(sequence: str, style: Style) -> None:
    assert screen_of(f"\x1b[{sequence}mx").lines()[0][0] == ("x", style)


def test_an_unknown_sequence_is_an_error_and_a_hidden_cursor_none() -> None:
    assert screen_of("\x1b[?25l\x1b]0;title\x07a").text() == "a\n\n"
    with pytest.raises(ValueError, match="2J"):
        screen_of("\x1b[2J")


def test_what_richs_live_view_draws_last_is_what_remains() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=20, height=5, color_system="256")
    with Live(console=console, auto_refresh=False) as live:
        for drawn in ("one\ntwo\nthree", "1\n2\n3", "[red]first\nsecond"):
            live.update(Text.from_markup(drawn), refresh=True)
    screen = screen_of(output.getvalue().replace("\n", "\r\n"), columns=20, rows=5)
    assert screen.text().rstrip() == "first\nsecond"
    assert screen.lines()[0][0] == ("f", Style("red"))
