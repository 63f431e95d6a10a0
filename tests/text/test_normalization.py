"""Normalising piece by piece is normalising the whole."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.config import NormalizationConfig, UnicodeForm
from burble.text.normalization import normalize, normalize_stream

FORMS: tuple[UnicodeForm | None, ...] = (None, *get_args(UnicodeForm))

# Letters with marks in both orders, jamo that compose, sigmas, dotted capital I, ligatures.
TRICKY = [
    "a", "Z", "e\u0301", "\u0301", "\u0323", "\u0307", "\u0345", "é", "ﬁ", "½", "Å", "Ω", "ẛ̣",
    "Σ", "σ", "ΑΣ", "İ", "I\u0307", "ß", "ẞ", "\u1100", "\u1161", "\u11a8", "각", "가", "ᄀ",
    "\u09c7", "\u09be", "\u0b47", "\u0b56", "が", "か\u3099", "。", "'", ".", "\u00ad", "\u200d",
    " ", "\n", "😀", "\u0344", "\u0f73", "\u0f71", "\u0f72", "Ǆ", "ŉ",
]  # fmt: skip
configs = st.builds(
    NormalizationConfig, lowercase=st.booleans(), unicode_form=st.sampled_from(FORMS)
)
# Filler keeps the pieces longer than the context that the cuts look at.
words = st.sampled_from([*TRICKY, "plain words " * 8, "ΟΔΟΣ ", "\n" * 70])
texts = st.lists(words, max_size=25).map("".join)


def cut_up(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@settings(deadline=None, max_examples=300, derandomize=True)
@given(texts, st.lists(st.integers(0, 10_000), max_size=12), configs)
def test_the_pieces_joined_are_the_whole(
    text: str, places: list[int], config: NormalizationConfig
) -> None:
    joined = "".join(normalize_stream(cut_up(text, places), config))
    assert joined == normalize(text, config)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.sampled_from(["a", "\u0301\u0323", "\u1100", "\u1161", "Σ"])), configs)
def test_single_characters_joined_are_the_whole(
    parts: list[str], config: NormalizationConfig
) -> None:
    text = "x".join(["".join(parts)] * 5)
    assert "".join(normalize_stream(text, config)) == normalize(text, config)


@pytest.mark.parametrize("form", get_args(UnicodeForm))
def test_a_letter_and_its_accent_meet_across_pieces(form: UnicodeForm) -> None:
    before = "x" * 200
    pieces = [before + "e", "\u0301" + before]
    joined = "".join(normalize_stream(pieces, NormalizationConfig(unicode_form=form)))
    assert joined == unicodedata.normalize(form, "".join(pieces))


def test_a_sigma_at_the_end_of_a_piece_waits_for_what_follows() -> None:
    config = NormalizationConfig(lowercase=True)
    word, filler = "ΣΟΦΟΣ", "x " * 100
    assert "".join(normalize_stream([filler + word, "ΑΒΓ" + filler], config)).count("ς") == 0
    assert "".join(normalize_stream([filler + word, " ΑΒΓ" + filler], config)).count("ς") == 1


def test_without_options_the_text_stays_as_it_is() -> None:
    text = "ÅÉ İ\u0301ﬁ\n"
    assert normalize(text, NormalizationConfig()) == text


def test_the_form_comes_before_the_lower_case() -> None:
    # The Kelvin sign becomes K by its form, and then k.
    assert normalize("\u212a", NormalizationConfig(lowercase=True, unicode_form="NFC")) == "k"
    assert normalize("İ", NormalizationConfig(lowercase=True)) == "i\u0307"


def test_nothing_at_all_stays_nothing() -> None:
    assert "".join(normalize_stream([], NormalizationConfig(lowercase=True))) == ""
    assert "".join(normalize_stream(["", ""], NormalizationConfig(unicode_form="NFC"))) == ""


def test_pieces_go_out_before_the_end() -> None:
    pieces = normalize_stream(iter(["a" * 1000, "b" * 1000]), NormalizationConfig(lowercase=True))
    assert len(next(pieces)) > 900
