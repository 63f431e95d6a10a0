"""JSON that may come from anybody."""

from __future__ import annotations

import pytest

from burble.mapping import parse_object


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"a": 1', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[1]", "is not a JSON object"),
        ('{"a": {"b": 1, "b": 2}}', "has 'b' twice"),
        (r'{"a": ["\ud800"]}', "has a string that is not Unicode text"),
        (r'{"\udfff": 1}', "has a string that is not Unicode text"),
        ('{"a": "\ud800"}', "has a string that is not Unicode text"),
    ],
)
def test_what_no_file_could_keep_is_refused(content: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_object(content, "the file")


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert parse_object(r'{"a": "\ud83d\ude00"}', "the file") == {"a": "\U0001f600"}
