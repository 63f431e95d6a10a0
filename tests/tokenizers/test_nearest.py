"""The nearest known character: other case, no accent, plain quotes and dashes."""

from __future__ import annotations

import string

import pytest

from burble.tokenizers.nearest import find_nearest

ASCII = "".join(sorted(string.printable))


@pytest.mark.parametrize(
    ("character", "nearest"),
    [
        ("é", "e"),
        ("Å", "A"),
        ("ﬀ", "ff"),
        ("½", "½"),
        ("²", "2"),
        ("ｚ", "z"),
        ("ß", "ss"),
        ("‘", "'"),
        ("’", "'"),
        ("“", '"'),
        ("”", '"'),
        ("«", '"'),
        ("–", "-"),
        ("—", "-"),
        ("\u2011", "-"),
        ("−", "-"),
        ("…", "..."),
        ("\u00a0", " "),
        ("\u2003", " "),
        ("漢", "漢"),
        ("😀", "😀"),
        ("\u0301", "\u0301"),
        ("\ud83d", "\ud83d"),
    ],
)
def test_what_ascii_has_nearest(character: str, nearest: str) -> None:
    assert find_nearest(character, ASCII) == nearest


@pytest.mark.parametrize(
    ("character", "vocabulary", "nearest"),
    [
        ("A", "abc", "a"),
        ("a", "ABC", "A"),
        ("É", "abcde", "e"),
        ("é", "ABCDE", "E"),
        ("É", "eé", "é"),
        ("'", "‘’", "‘"),
        ("-", "—", "—"),
        (" ", "\t", "\t"),
        ("ς", "σ", "σ"),
        ("Σ", "σς", "σ"),
    ],
)
def test_what_other_vocabularies_have_nearest(
    character: str, vocabulary: str, nearest: str
) -> None:
    assert find_nearest(character, vocabulary) == nearest


def test_a_known_character_is_its_own_nearest() -> None:
    assert all(find_nearest(character, ASCII) == character for character in ASCII)


def test_an_empty_vocabulary_has_nothing_near() -> None:
    assert find_nearest("a", "") == "a"
