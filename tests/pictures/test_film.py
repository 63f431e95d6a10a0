from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from pictures.film import FONT_SIZE, LINE_HEIGHT, THEMES, Frame, Pace, draw, shoot
from pictures.recording import Recording
from pictures.screen import Screen

SIZE = (30, 6)
PACE = Pace(speed=2, frame=0.5, typed=1, end=3)
SVG = "{http://www.w3.org/2000/svg}"


def text_of(frame: Frame) -> str:
    return "\n".join("".join(char for char, _ in line).rstrip() for line in frame.lines).rstrip()


def frame_of(output: str, seconds: float = 1) -> Frame:
    screen = Screen(*SIZE)
    screen.feed(output)
    return Frame(screen.lines(), seconds)


def test_frames_are_taken_at_equal_times_and_at_the_end() -> None:
    learned = Recording("burble train", [(0.2, "one"), (1.5, "\rtwo"), (3.6, "\rsix\r\n")], 3.7)
    wrote = Recording("burble generate", [(0.1, "text\r\n")], 0.2)
    frames = shoot([learned, wrote], SIZE, PACE)
    assert [text_of(frame).removeprefix("$ burble train") for frame in frames] == [
        "",
        "\none",
        "\ntwo",
        "\ntwo",
        "\nsix",
        "\nsix\n$ burble generate",
        "\nsix\n$ burble generate\ntext",
    ]
    assert [frame.seconds for frame in frames] == [1, 0.5, 0.5, 0.5, 0.5, 1, 3]


@pytest.mark.parametrize("theme", THEMES)
def test_every_line_is_drawn_where_and_how_the_screen_has_it(theme: str) -> None:
    frames = [frame_of("a < b & c\r\n\x1b[1;36m  two"), frame_of("a < b & c\r\nnew", 3)]
    root = ET.fromstring(draw(frames, THEMES[theme], "title", "a “film”"))  # noqa: S314
    assert root.get("aria-label") == "a “film”"
    lines = {line.get("id"): list(line) for line in root.iter(f"{SVG}g") if line.get("id")}
    used = [
        (int(use.get("y", "")), [run.text for run in lines[use.get("href", "")[1:]]])
        for use in root.iter(f"{SVG}use")
    ]
    second = SIZE[1] * LINE_HEIGHT
    assert used == [
        (0, ["a < b & c"]),
        (LINE_HEIGHT, ["two"]),
        (second, ["a < b & c"]),
        (second + LINE_HEIGHT, ["new"]),
    ]
    (run,) = next(found for found in lines.values() if found[0].text == "two")
    cell = float(run.get("textLength", "")) / 3
    assert float(run.get("x", "")) == pytest.approx(2 * cell)
    assert FONT_SIZE / 2 < cell < FONT_SIZE
    assert THEMES[theme].named["cyan"] in run.get("style", "")
    assert "font-weight: 600" in run.get("style", "")


def test_the_film_moves_frame_by_frame_and_rests_on_the_last() -> None:
    frames = [frame_of("one"), frame_of("two", 2), frame_of("end", 7)]
    style = draw(frames, THEMES["dark"], "", "")
    height = SIZE[1] * LINE_HEIGHT
    keys = re.findall(r"([\d.]+)% \{ transform: translateY\(-(\d+)px\) \}", style)
    assert keys == [("0.00", "0"), ("10.00", f"{height}"), ("30.00", f"{2 * height}")]
    assert f".film {{ transform: translateY(-{2 * height}px); animation: film 10s" in style
    assert "prefers-reduced-motion: reduce) { .film { animation: none" in style


def test_a_background_is_as_wide_as_its_characters() -> None:
    drawn = draw([frame_of("ab\x1b[48;2;1;2;3m cd \x1b[0me")], THEMES["dark"], "", "")
    (x, width) = re.findall(r'<rect x="([\d.]+)" width="([\d.]+)" [^>]*fill="#010203"', drawn)[0]
    assert float(width) == pytest.approx(2 * float(x))
