"""A character's place in the sorted vocabulary is its id."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.errors import TextError
from burble.tokenizers.char import CharTokenizer


def tokenizer_of(text: str) -> CharTokenizer:
    return CharTokenizer.from_characters(set(text))


@pytest.mark.parametrize("text", ["banana", "z\na A", "é😀e\u0301\0", "\U0010ffff\ud7ff\ue000"])
def test_the_vocabulary_is_the_characters_in_code_point_order(text: str) -> None:
    assert list(tokenizer_of(text).vocabulary) == sorted(set(text), key=ord)


def test_ids_are_places_in_the_vocabulary() -> None:
    assert tokenizer_of("banana\n").encode("ban\n").tolist() == [2, 1, 3, 0]


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.sets(st.characters(exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"])),
)
def test_skip_leaves_out_just_what_is_unknown(known: set[str], text: str) -> None:
    tokenizer = CharTokenizer.from_characters(known)
    kept = "".join(character for character in text if character in known)
    assert tokenizer.decode(tokenizer.encode(text, "skip")) == kept


def test_the_unseen_are_named_with_their_code_points() -> None:
    with pytest.raises(TextError) as caught:
        tokenizer_of("abc").encode("ab é😀bé\n")
    told = caught.value.command_line
    assert "never seen '\\n' (U+000A), ' ' (U+0020), 'é' (U+00E9), '😀' (U+1F600). " in told
    assert "--unknown nearest" in told
    assert "--unknown skip" in told
    assert str(caught.value).endswith(
        'use unknown="nearest" to put the nearest known character there, or unknown="skip" to '
        "leave it out."
    )


def test_of_many_unseen_ten_are_named_and_the_rest_counted() -> None:
    with pytest.raises(TextError, match=r"'j' \(U\+006A\) and 3 more\."):
        tokenizer_of("x").encode("abcdefghijklm")


@pytest.mark.parametrize("above", ["\U0010ffff", "d"])
def test_a_character_above_all_known_ones_is_unknown(above: str) -> None:
    with pytest.raises(TextError, match=f"U\\+{ord(above):04X}"):
        tokenizer_of("abc").encode(above)


def test_nearest_changes_only_what_is_unknown() -> None:
    tokenizer = tokenizer_of("Ae aß'\n")
    assert tokenizer.decode(tokenizer.encode("Äé ’aßA\n", "nearest")) == "Ae 'aßA\n"


def test_nearest_may_take_several_characters() -> None:
    tokenizer = tokenizer_of("fis. ")
    assert tokenizer.decode(tokenizer.encode("ﬁß…", "nearest")) == "fiss..."


def test_nearest_without_anything_near_names_only_that() -> None:
    with pytest.raises(TextError) as caught:
        tokenizer_of("abc").encode("ÁB漢c", "nearest")
    assert (
        "never seen '漢' (U+6F22), nor anything near. Change the text, or use --unknown skip"
        in caught.value.command_line
    )


@pytest.mark.parametrize(
    "mapping",
    [
        {"kind": "char"},
        {"kind": "char", "vocabulary": ["a", "b"]},
        {"kind": "char", "vocabulary": ""},
        {"kind": "char", "vocabulary": "ba"},
        {"kind": "char", "vocabulary": "aab"},
        {"kind": "char", "vocabulary": "a\ud800"},
        {"kind": "char", "vocabulary": None},
    ],
)
def test_a_description_that_is_not_quite_one_is_refused(mapping: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="vocabulary"):
        CharTokenizer.from_json(mapping)
