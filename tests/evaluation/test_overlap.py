from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.evaluation import overlap
from burble.evaluation.overlap import LARGE_SHARE, PASSAGE, learned_share
from burble.tokenizers.byte import ByteTokenizer
from burble.tokenizers.char import CharTokenizer
from tests.training.runs import made_up_text

if TYPE_CHECKING:
    from burble.tokenizers.base import Tokenizer


def share(learned: str, asked: str, tokenizer: Tokenizer | None = None) -> float:
    tokenizer = tokenizer or CharTokenizer.from_characters(set(learned + asked))
    return learned_share(tokenizer, tokenizer.encode(learned), tokenizer.encode(asked))


def share_by_hand(learned: str, asked: str) -> float:
    met: set[str] = set()
    repeated: set[int] = set()
    known: set[int] = set()
    for start in range(len(asked) - PASSAGE + 1):
        passage, places = asked[start : start + PASSAGE], range(start, start + PASSAGE)
        if passage in met:
            repeated |= set(places)
        elif passage in learned:
            known |= set(places)
        met.add(passage)
    return len(known - repeated) / (len(asked) - len(repeated))


@pytest.mark.parametrize("seed", range(20))
def test_it_is_what_a_search_by_hand_finds(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that passages lie across the ends of many chunks.
    monkeypatch.setattr(overlap, "_CHUNK", 97)
    draw = random.Random(seed)  # noqa: S311 - not a secret
    learned = made_up_text(60, seed)
    own = made_up_text(60, seed + 100)
    parts = [" " * 70, "\n" * 60, "-" * 55]
    for text in (learned, own):
        for _ in range(4):
            start = draw.randrange(len(text) - 200)
            parts.append(text[start : start + draw.randrange(20, 200)])
    parts *= 2
    draw.shuffle(parts)
    asked = "".join(parts)
    found = share(learned, asked)
    assert found == pytest.approx(share_by_hand(learned, asked))
    assert 0 < found < 1


@pytest.mark.parametrize(
    "text",
    [
        *(made_up_text(100) * times for times in (2, 3, 10, 50)),
        *(part * 500 for part in ("The cat sat on the mat.\n", "I am a cat. ", "hello ", "ha")),
    ],
    ids=len,
)
def test_a_text_that_was_written_many_times_was_learned(text: str) -> None:
    cut = int(0.9 * len(text))
    assert share(text[:cut], text[cut:]) > 0.99


def test_a_text_that_was_written_once_was_not() -> None:
    text = made_up_text(3000)
    cut = int(0.9 * len(text))
    assert share(text[:cut], text[cut:]) == 0


def test_what_each_part_of_a_text_repeats_is_no_false_alarm() -> None:
    licence = made_up_text(8, seed=99)
    rule = f"\n{'=' * 70}\n{' ' * 60}\n\n\n\n"
    text = "".join(licence + rule + made_up_text(10, seed) for seed in range(200))
    cut = int(0.9 * len(text))
    # Place by place half of it is in the training part.
    assert len(licence + rule) > 0.4 * len(text) / 200
    assert share(text[:cut], text[cut:]) < LARGE_SHARE / 2


def test_one_word_changed_leaves_nearly_all_of_it_learned() -> None:
    text = made_up_text(200)
    place = text.index(" ", 2000)
    asked = text[:place] + " xylophone" + text[place:]
    # The letters beside the new word may be those that were there.
    assert share(text, asked) == pytest.approx(1 - 10 / len(asked), abs=3 / len(asked))


def test_characters_are_counted_whatever_the_tokens() -> None:
    greek = "".join(chr(ord("α") + ord(c) % 24) if c.isalpha() else c for c in made_up_text(100))
    asked = "x" * 40 + greek[500:1500]
    by_bytes = share(greek, asked, ByteTokenizer())
    assert by_bytes == pytest.approx(1000 / 1040)


def test_of_a_long_text_stretches_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "_MOST_ASKED", 1 << 15)
    draw = np.random.default_rng(3)
    learned = draw.integers(0, 60, 200_000)
    # Every third block of 2,000 was learned.
    asked = np.concatenate(
        [learned[at : at + 2000] if at % 6000 == 0 else draw.integers(0, 60, 2000)
         for at in range(0, 198_000, 2000)]
    )  # fmt: skip
    tokenizer = CharTokenizer.from_characters({chr(65 + letter) for letter in range(60)})
    assert learned_share(tokenizer, learned, asked) == pytest.approx(1 / 3, abs=0.12)


@pytest.mark.parametrize(("learned", "asked"), [("", "abc"), ("abc", ""), ("abc", "abc")])
def test_what_is_shorter_than_a_passage_shares_nothing(learned: str, asked: str) -> None:
    assert share(learned, asked, CharTokenizer("abc")) == 0
