from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from burble.inspection.trace.series import Choice, chosen_series
from burble.inspection.trace.terminal_view import MAX_ROWS, terminal_view
from tests.inspection.readings import HOSTILE, read
from tests.models import random_model, uniform_model

if TYPE_CHECKING:
    from burble.model_file import ModelFile

MODEL = random_model(head_scale=3.0)


def shown(
    model: ModelFile, text: str, choice: Choice | None = None, *, in_colour: bool = False
) -> str:
    seen = read(model, text)
    chosen = chosen_series(seen, choice, "cell") if choice else None
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=200,
        force_terminal=in_colour,
        color_system="truecolor" if in_colour else None,
    )
    console.print(terminal_view(seen, model.tokenizer, chosen, top=2, in_colour=in_colour))
    return stream.getvalue()


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_a_short_text_has_a_row_for_each_character_and_for_what_may_come_next() -> None:
    found = lines(shown(MODEL, "abba"))
    first = next(n for n, line in enumerate(found) if line.startswith("place"))
    rows = [line.split() for line in found[first + 1 :]]
    assert [row[0] for row in rows] == ["0", "1", "2", "3", "next"]
    assert [row[1] for row in rows[:4]] == ["a", "b", "b", "a"]
    seen = read(MODEL, "abba")
    assert float(rows[2][3]) == round(seen.surprisal[2], 1)
    assert rows[0][2:] == []


def test_of_a_long_text_what_surprised_most_is_told() -> None:
    text = "abcd" * MAX_ROWS
    found = lines(shown(MODEL, text))
    assert "What surprised most" in found
    first = next(n for n, line in enumerate(found) if line.startswith("place"))
    places = [int(line.split()[0]) for line in found[first + 1 :]]
    surprisal = read(MODEL, text).surprisal
    assert places == sorted(places)
    assert len(places) == 12
    others = set(range(1, len(text))) - set(places)
    assert min(surprisal[places]) >= max(surprisal[sorted(others)])


def test_the_text_is_coloured_by_what_was_chosen() -> None:
    by_surprisal = shown(MODEL, "abba", in_colour=True)
    by_unit = shown(MODEL, "abba", Choice(unit=2), in_colour=True)
    assert "48;2;" in by_surprisal
    assert by_surprisal.splitlines()[0] != by_unit.splitlines()[0]
    assert "cell, unit 2 of layer 0" in by_unit
    value = read(MODEL, "abba").values["cell"][1, 0, 2]
    assert f"{value:.2f}" in shown(MODEL, "abba", Choice(unit=2))


def test_equal_surprise_has_equal_colour() -> None:
    first = shown(uniform_model(), "abcd", in_colour=True).splitlines()[0]
    colours = {part for part in first.split("\x1b[") if "48;2;" in part}
    assert len({part.partition("m")[0] for part in colours}) == 1


def test_no_text_can_steer_the_terminal() -> None:
    found = shown(random_model(vocabulary=HOSTILE), HOSTILE)
    assert all(c.isprintable() for c in found if c not in "\n\t")
    assert "\u202e" not in found
    assert "U+001B" in found
