from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.errors import UsageError
from burble.inspection.units.properties import PROPERTIES, Property, find_property, of_tokens
from burble.tokenizers.byte import ByteTokenizer

if TYPE_CHECKING:
    from pathlib import Path


def marked(name: str, text: str) -> str:
    """The characters of which a property is true."""
    values = PROPERTIES[name].measure(text)
    return "".join(character for character, value in zip(text, values, strict=True) if value)


@pytest.mark.parametrize("name", PROPERTIES)
def test_every_property_gives_one_number_a_character(name: str) -> None:
    for text in ("", "a", "\n", "\n\n", '"', ")", "’", "Ab 1\n\x00é𝄞"):
        values = PROPERTIES[name].measure(text)
        assert values.shape == (len(text),)
        assert values.dtype == np.float32


@pytest.mark.parametrize("name", sorted(set(PROPERTIES) - {"speaker"}))
def test_a_property_is_known_once_the_character_was_read(name: str, alice: Path) -> None:
    text = alice.read_text("utf-8")[2000:6000]
    whole = PROPERTIES[name].measure(text)
    for end in range(1, len(text), 97):
        assert PROPERTIES[name].measure(text[:end]).tolist() == whole[:end].tolist()


def test_positions_are_counted_from_line_breaks_and_word_starts() -> None:
    text = "ab, cde\nf"
    assert PROPERTIES["line-position"].measure(text).tolist() == [1, 2, 3, 4, 5, 6, 7, 0, 1]
    assert PROPERTIES["word-position"].measure(text).tolist() == [1, 2, 0, 0, 1, 2, 3, 0, 1]
    log = PROPERTIES["line-position-log"].measure(text)
    assert log[6] == pytest.approx(np.log(8))


def test_long_lines_and_words_are_capped() -> None:
    text = "x" * 500
    assert PROPERTIES["line-position"].measure(text)[[78, 79, 80, 499]].tolist() == [79, 80, 80, 80]
    assert PROPERTIES["word-position"].measure(text).max() == 20


def test_kinds_of_characters() -> None:
    text = "Ünder 12 Eyes\nOf"
    assert marked("capital", text) == "ÜEO"
    assert marked("digit", text) == "12"
    assert marked("word", text) == "Ünder12EyesOf"
    assert marked("line-start", text) == "ÜO"


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ('say "yes" and "no" now', '"yes"no'),
        ("“out ‘in’ out” after", "“out ‘in’ out"),
        ("‘I don’t,’ said she, ‘know.’ End", "‘I don’t,‘know."),
        ("“never closed\n\nnext", "“never closed"),
        ("closed” only", ""),
        ("the girls' own 'tis", ""),
    ],
)
def test_inside_quotes(text: str, inside: str) -> None:
    assert marked("quotes", text) == inside


@pytest.mark.parametrize(
    ("text", "inside"),
    [("a(b[c]d)e", "(b[c]d"), ("a)b(c", "(c"), ("{x\n \ny", "{x")],
)
def test_inside_brackets(text: str, inside: str) -> None:
    assert marked("brackets", text) == inside


def test_speakers_head_the_speeches_of_a_play() -> None:
    text = "KING RICHARD II:\nThus: so.\nAnd then:\nno\n\nFirst Citizen:\nAye.\n\nHAMLET: To be.\n"
    assert marked("speaker", text) == "KING RICHARD II:First Citizen:HAMLET:"


def test_speakers_of_a_real_play(tinyshakespeare: Path) -> None:
    text = tinyshakespeare.read_text("utf-8")
    paragraphs = text.strip().split("\n\n")
    heads = [line for part in paragraphs if (line := part.strip().split("\n")[0]).endswith(":")]
    assert len(heads) > 7000
    assert marked("speaker", text) == "".join(heads)


def test_a_pattern_of_ones_own_marks_its_matches() -> None:
    values = Property.of_pattern(r"^b|th.").measure("the baths\nbe")
    assert values.tolist() == [1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0]


def test_a_broken_pattern_and_an_unknown_name_are_told() -> None:
    with pytest.raises(UsageError, match=r"^regex '\(' is not a regular expression"):
        Property.of_pattern("(")
    with pytest.raises(UsageError, match=r"no property 'speeker'.*speaker"):
        find_property("speeker")


def test_each_byte_has_the_value_of_its_character() -> None:
    text = "aé𝄞b"
    ids = ByteTokenizer().encode(text)
    values = np.array([1, 2, 3, 4], dtype=np.float32)
    assert of_tokens(values, ByteTokenizer(), ids).tolist() == [1, 2, 2, 3, 3, 3, 3, 4]
