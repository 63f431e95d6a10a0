from __future__ import annotations

import random

from burble.serving.copied import SHORTEST, CopyFinder
from tests.training.runs import made_up_text


def test_copied_passages_are_found_to_the_character() -> None:
    text = made_up_text(100)
    finder = CopyFinder(text)
    written = f"«{text[100:140]}»{text[300:350]}…{text[500 : 500 + SHORTEST - 1]}"
    assert finder.spans(written) == [(1, 41), (42, 92)]


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
        if written[start : start + SHORTEST] in text
        for place in range(start, start + SHORTEST)
    }
    assert covered == expected
