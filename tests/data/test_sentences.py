"""One sentence a row, padded or cut."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import burble.data.sentences as sentences_module
from burble.config import DataConfig, TokenizerKind
from burble.data.sentences import SentenceBatching, find_sentence_starts

from .texts import asked, made_up_text, pairs, prepared

if TYPE_CHECKING:
    from burble.data.prepared import PreparedText

every_tokenizer = pytest.mark.parametrize("kind", ["char", "byte"])


def split(text: str, kind: TokenizerKind = "char") -> list[str]:
    made = prepared(text, kind=kind)
    starts = find_sentence_starts(made.ids, made.tokenizer)
    return [made.tokenizer.decode(made.ids[start:end]) for start, end in pairwise(starts)]


def epoch_of(text: PreparedText, epoch: int = 0, **options: int) -> list[tuple[int, int]]:
    batching = SentenceBatching(text, DataConfig(**options), seed=0)
    steps = range(epoch * batching.steps_per_epoch, (epoch + 1) * batching.steps_per_epoch)
    return [pair for step in steps for pair in asked(batching.batch(step))]


@every_tokenizer
@pytest.mark.parametrize(
    "sentences",
    [
        ["One two. ", "Three?\n", "Four!"],
        ["Well... ", "no?! ", "Yes."],
        ["“Go!” ", "he said. ", "(So they went.) ", "“Fine.”"],
        ["It costs 3.50 in all. ", "A v1.2 is out."],
        ["A heading\n\n", "A first line\nof two. ", "The end"],
        ["Spaces \n \n", "between."],
        ["好。", "是吗？", "“对！” ", "他说。"],
        ["Où ? ", "Là… ", "là-bas."],
        ["no mark at all\nand no end"],
        ["..."],
    ],
)
def test_sentences_end_where_a_reader_would_say(kind: TokenizerKind, sentences: list[str]) -> None:
    assert split("".join(sentences), kind) == sentences


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.text("ab é.!?\n。”", min_size=2), st.sampled_from(["char", "byte"]))
def test_sentences_joined_are_the_text(text: str, kind: TokenizerKind) -> None:
    sentences = split(text, kind)
    assert "".join(sentences) == text
    assert all(sentences)


@every_tokenizer
@pytest.mark.parametrize("size", [40, 41, 64])
def test_a_long_text_is_split_as_a_short_one(
    kind: TokenizerKind, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "".join(f"é{'ñ' * (number % 5)}.{' ' * (1 + number % 3)}" for number in range(200))
    whole = split(text, kind)
    monkeypatch.setattr(sentences_module, "_CHUNK_IDS", size)
    assert split(text, kind) == whole


@every_tokenizer
@pytest.mark.parametrize("size", [5, 6, 7])
def test_a_sentence_longer_than_a_chunk_is_cut_between_characters(
    kind: TokenizerKind, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences_module, "_CHUNK_IDS", size)
    text = "é😀漢ñ漢é😀漢. ñ漢😀é漢. é"
    sentences = split(text, kind)
    assert "".join(sentences) == text
    assert [sentence for sentence in sentences if "." in sentence][-1].endswith(". ")


@every_tokenizer
@pytest.mark.parametrize("epoch", [0, 3])
def test_every_token_but_the_first_is_asked_for_once_an_epoch(
    kind: TokenizerKind, epoch: int
) -> None:
    text = prepared(made_up_text(50), kind=kind)
    found = epoch_of(text, epoch, seq_len=40, batch_size=8)
    assert Counter(found) == Counter(pairs(text.train_ids))


def test_a_long_sentence_is_cut() -> None:
    text = prepared("abcdefghij. k.")
    found = epoch_of(text, seq_len=4, batch_size=8)
    decoded = sorted(text.tokenizer.decode(pair) for pair in found)
    assert decoded == sorted(["ab", "bc", "cd", "de", " k", "k."])


def test_padding_is_masked_and_each_row_starts_fresh() -> None:
    text = prepared("ab. cd. ef. gh. ")
    batching = SentenceBatching(text, DataConfig(seq_len=10, batch_size=4), seed=0)
    batch = batching.batch(0)
    assert batching.steps_per_epoch == 1
    assert sorted(batch.mask.sum(axis=0).tolist()) == [3, 4, 4, 4]
    assert batch.reset.all()
    assert all(column[:3].all() and not column[4:].any() for column in batch.mask.T)


def test_held_out_sentences_are_read_in_order() -> None:
    text = prepared("ab. ", "cd. ef. gh.")
    batching = SentenceBatching(text, DataConfig(seq_len=10, batch_size=2), seed=0)
    found = [pair for batch in batching.validation() for pair in asked(batch)]
    assert Counter(found) == Counter(pairs(text.val_ids))
