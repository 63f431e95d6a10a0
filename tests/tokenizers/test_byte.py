"""Ids are the bytes of UTF-8."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from burble.tokenizers.byte import ByteTokenizer

quick = settings(deadline=None, max_examples=100, derandomize=True)


@quick
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_the_ids_are_the_bytes(text: str) -> None:
    ids = ByteTokenizer().encode(text)
    assert ids.dtype == np.uint8
    assert bytes(ids.tolist()) == text.encode()


def test_a_text_cut_within_a_character_counts_only_what_begins_in_it() -> None:
    tokenizer = ByteTokenizer()
    assert tokenizer.count_characters(tokenizer.encode("é😀a")[1:]) == 2


@quick
@given(st.binary())
@example("😀".encode()[:3])
def test_bytes_that_are_no_text_stream_as_they_decode(data: bytes) -> None:
    ids = np.frombuffer(data, dtype=np.uint8)
    decoder = ByteTokenizer().stream_decoder()
    pieces = [decoder.push(ids[place : place + 1]) for place in range(len(ids))]
    assert "".join([*pieces, decoder.finish()]) == ByteTokenizer().decode(ids)
    assert ByteTokenizer().decode(ids) == data.decode("utf-8", "replace")


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_a_character_comes_with_the_last_of_its_bytes(dtype: type[np.integer]) -> None:
    ids = np.frombuffer("aé😀b".encode(), np.uint8).astype(dtype)
    decoder = ByteTokenizer().stream_decoder()
    pieces = [decoder.push(ids[start:end]) for start, end in ((0, 2), (2, 2), (2, 6), (6, 8))]
    assert pieces == ["a", "", "é", "😀b"]
    assert decoder.finish() == ""
