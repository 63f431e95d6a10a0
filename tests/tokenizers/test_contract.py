"""What every tokenizer promises."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.errors import TextError
from burble.tokenizers.char import CharTokenizer
from burble.tokenizers.registry import TOKENIZERS, tokenizer_from_json

if TYPE_CHECKING:
    from burble.config import TokenizerKind, UnknownPolicy
    from burble.tokenizers.base import Tokenizer

quick = settings(deadline=None, max_examples=60, derandomize=True)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
every_tokenizer = pytest.mark.parametrize("kind", TOKENIZERS)


def tokenizer_for(kind: str, text: str) -> Tokenizer:
    return TOKENIZERS[kind].from_characters(set(text))


@every_tokenizer
@quick
@given(texts)
def test_the_ids_hold_the_whole_text(kind: str, text: str) -> None:
    tokenizer = tokenizer_for(kind, text)
    ids = tokenizer.encode(text)
    assert ids.ndim == 1
    assert 0 <= ids.min() <= ids.max() < tokenizer.vocab_size
    assert tokenizer.decode(ids) == text
    assert tokenizer.count_characters(ids) == len(text)
    assert b"".join(map(tokenizer.token_bytes, ids.tolist())) == text.encode()


@every_tokenizer
@quick
@given(texts)
def test_a_stream_gives_the_same_text_in_whole_characters(kind: str, text: str) -> None:
    tokenizer = tokenizer_for(kind, text)
    decoder = tokenizer.stream_decoder()
    ids = tokenizer.encode(text)
    pieces = [decoder.push(ids[place : place + 1]) for place in range(len(ids))]
    assert [piece for piece in pieces if piece] == list(text)
    assert decoder.finish() == ""


@every_tokenizer
@quick
@given(texts, st.lists(st.integers(0, 200), max_size=5))
def test_a_stream_may_come_in_any_parts(kind: str, text: str, cuts: list[int]) -> None:
    tokenizer = tokenizer_for(kind, text)
    decoder = tokenizer.stream_decoder()
    parts = np.split(tokenizer.encode(text), sorted(cuts))
    pieces = [decoder.push(part) for part in parts]
    assert "".join([*pieces, decoder.finish()]) == text


@every_tokenizer
@quick
@given(texts)
def test_a_tokenizer_survives_json(kind: str, text: str) -> None:
    tokenizer = tokenizer_for(kind, text)
    again = tokenizer_from_json(json.loads(json.dumps(tokenizer.to_json())))
    assert (again.kind, again.vocab_size) == (kind, tokenizer.vocab_size)
    assert np.array_equal(again.encode(text), tokenizer.encode(text))


@every_tokenizer
def test_an_empty_text_has_no_ids(kind: str) -> None:
    tokenizer = tokenizer_for(kind, "abc")
    assert tokenizer.encode("").shape == (0,)
    assert tokenizer.decode(np.array([], dtype=np.uint8)) == ""
    assert tokenizer.count_characters(tokenizer.encode("")) == 0


@every_tokenizer
@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_ids_of_any_type_are_decoded(kind: str, dtype: type[np.integer]) -> None:
    tokenizer = tokenizer_for(kind, "abc")
    assert tokenizer.decode(tokenizer.encode("cab").astype(dtype)) == "cab"


@every_tokenizer
@pytest.mark.parametrize("policy", ["error", "nearest"])
def test_half_a_surrogate_pair_is_never_lost_in_silence(kind: str, policy: UnknownPolicy) -> None:
    with pytest.raises(TextError, match=r"'\\ud800'( \(U\+D800\)|, which is half a character)"):
        tokenizer_for(kind, "abc").encode("a\ud800", policy)


@every_tokenizer
def test_a_field_of_a_later_version_is_left_out(kind: str) -> None:
    described = tokenizer_for(kind, "abc").to_json()
    assert described["kind"] == kind
    assert tokenizer_from_json(described | {"extra": 1}).to_json() == described


@pytest.mark.parametrize("mapping", [None, [], "char", {}, {"kind": "bpe"}, {"kind": ["char"]}])
def test_a_description_of_no_tokenizer_is_refused(mapping: object) -> None:
    with pytest.raises(ValueError, match="must be one of char, byte"):
        tokenizer_from_json(mapping)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_unknown_characters_are_counted_as_skipping_leaves_them_out(kind: TokenizerKind) -> None:
    tokenizer = TOKENIZERS[kind].from_characters(set("abc é"))
    for text in ("", "abc", "a\ud800b\udfff", "aéb"):
        left = tokenizer.count_characters(tokenizer.encode(text, "skip"))
        assert tokenizer.count_unknown(text) == len(text) - left
    assert CharTokenizer("abc").count_unknown("xaby\nz") == 4


@every_tokenizer
def test_a_token_has_a_label_and_a_unit(kind: str) -> None:
    tokenizer = tokenizer_for(kind, "aé\ufffd")
    labels = [tokenizer.label(token) for token in tokenizer.encode("aé").tolist()]
    assert labels == {"character": ["a", "é"], "byte": ["a", "<C3>", "<A9>"]}[tokenizer.unit]


@every_tokenizer
@quick
@given(texts, st.integers(0, 20))
def test_a_cut_splits_no_character(kind: str, text: str, place: int) -> None:
    tokenizer = tokenizer_for(kind, text)
    ids = tokenizer.encode(text)
    place = min(place, len(ids))
    cut = tokenizer.cut_before(ids, place)
    assert tokenizer.decode(ids[:cut]) + tokenizer.decode(ids[cut:]) == text
    between = range(cut + 1, place + 1)
    assert not any(tokenizer.count_characters(ids[at : at + 1]) for at in between)
