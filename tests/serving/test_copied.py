from __future__ import annotations

import random

import pytest

from burble.evaluation.copied import SHORTEST, CopyFinder
from tests.training.runs import made_up_text


def is_varied(passage: str) -> bool:
    """Of two letters there are eight trigrams; lines of dashes have five."""
    return len({passage[place : place + 3] for place in range(SHORTEST - 2)}) >= 6


def test_copied_passages_are_found_to_the_character() -> None:
    text = made_up_text(100)
    finder = CopyFinder(text)
    written = f"«{text[100:139]}»{text[300:350]}…{text[500 : 500 + SHORTEST - 1]}"
    assert finder.spans(written) == [(1, 40), (41, 91)]


def test_what_is_too_short_is_no_copy() -> None:
    finder = CopyFinder("a short text")
    assert finder.spans("a short text") == []
    assert finder.spans("") == []


def test_every_span_stands_in_the_text_and_cannot_be_longer() -> None:
    draw = random.Random(3)  # noqa: S311 - not a secret
    text = "".join(draw.choices("ab", k=5000))
    written = "".join(text[start : start + 40] for start in draw.sample(range(4900), 20))
    spans = CopyFinder(text).spans(written)
    covered = {place for start, end in spans for place in range(start, end)}
    expected = {
        place
        for start in range(len(written) - SHORTEST + 1)
        if is_varied(passage := written[start : start + SHORTEST]) and passage in text
        for place in range(start, start + SHORTEST)
    }
    assert covered == expected


@pytest.mark.parametrize(
    "pattern",
    [
        " " * 60,
        "\n" * 60,
        "-" * 60,
        "=====\n" * 10,
        "| --- | --- | --- | --- | --- |\n",
        "".join("\n" + " " * (4 * depth) + "}" for depth in range(12, -1, -1)),
        "".join("\n" + " " * depth for depth in range(20)),
        " \t" * 30,
    ],
)
def test_what_only_repeats_itself_is_in_every_text_and_no_copy(pattern: str) -> None:
    text = made_up_text(40) + pattern + made_up_text(40, seed=1)
    finder = CopyFinder(text)
    assert finder.spans(pattern) == []
    # Beside words that it did not learn from, too.
    assert finder.spans(f"Xyzzy plugh!{pattern}Quux {pattern}") == []


def test_blanks_at_the_ends_of_a_copied_passage_are_not_counted() -> None:
    sentence = "Twelve quick foxes jumped over a lazy dog."
    text = f"What?{' ' * 30}{sentence}{chr(10) * 30}Nothing."
    ((start, end),) = CopyFinder(text).spans(text[6:-9])
    assert text[6:-9][start:end] == sentence


def test_code_that_was_copied_is_found_with_its_indentation() -> None:
    lines = "def add(left, right):\n    total = left + right\n    return total\n"
    assert CopyFinder(f"import os\n\n{lines}").spans(f"x = 1\n{lines}") == [
        (6, 6 + len(lines.rstrip()))
    ]
