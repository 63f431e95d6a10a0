"""The n-gram baseline, against its formula written out with dictionaries."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.evaluation.ngram import DEFAULT_ORDER, NgramModel

if TYPE_CHECKING:
    from collections.abc import Sequence

quick = settings(deadline=None, max_examples=100, derandomize=True)

VOCAB = 4
texts = st.lists(st.integers(0, VOCAB - 1), max_size=60)
orders = st.integers(0, 7)

Context = tuple[int, ...]


class PlainWittenBell:
    """Interpolated Witten-Bell (method C), from the longest context down."""

    def __init__(self, ids: Sequence[int], vocab_size: int, order: int) -> None:
        self.vocab_size, self.order = vocab_size, order
        self.followers: dict[Context, Counter[int]] = defaultdict(Counter)
        for place, token in enumerate(ids):
            for length in range(min(order, place) + 1):
                self.followers[tuple(ids[place - length : place])][token] += 1

    def probability(self, token: int, before: Sequence[int]) -> float:
        return self._of(token, tuple(before[-self.order :]) if self.order else ())

    def _of(self, token: int, context: Context) -> float:
        shorter = self._of(token, context[1:]) if context else 1 / self.vocab_size
        counts = self.followers.get(context)
        if not counts:
            return shorter
        total, kinds = sum(counts.values()), len(counts)
        return (counts[token] + kinds * shorter) / (total + kinds)


def assert_as_written_out(
    train: Sequence[int], text: Sequence[int], vocab: int, order: int
) -> None:
    plain = PlainWittenBell(train, vocab, order)
    expected = [plain.probability(token, text[:place]) for place, token in enumerate(text)]
    found = NgramModel(np.array(train, np.uint8), vocab, order).probabilities(
        np.array(text, np.uint8)
    )
    assert found.shape == (len(text),)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@quick
@given(texts, texts, orders)
def test_probabilities_are_the_formulas(train: list[int], text: list[int], order: int) -> None:
    assert_as_written_out(train, text, VOCAB, order)


@pytest.mark.parametrize("order", [1, 3, DEFAULT_ORDER])
def test_probabilities_are_the_formulas_on_a_longer_text(order: int) -> None:
    draw = random.Random(order)  # noqa: S311 - not a secret
    words = ["".join(draw.choices("abcdefghij", k=draw.randint(1, 6))) for _ in range(30)]
    text = " ".join(draw.choices(words, k=600)).encode()
    cut = len(text) // 2
    assert_as_written_out(list(text[:cut]), list(text[cut:]), 256, order)


@quick
@given(texts, texts, orders)
def test_over_the_vocabulary_they_sum_to_one_and_none_is_zero(
    train: list[int], before: list[int], order: int
) -> None:
    model = NgramModel(np.array(train, np.uint8), VOCAB, order)
    following = [
        model.probabilities(np.array([*before, token], np.uint8))[-1] for token in range(VOCAB)
    ]
    assert sum(following) == pytest.approx(1, abs=1e-12)
    assert min(following) > 0


def test_an_untaught_model_holds_all_for_equal() -> None:
    assert (
        NgramModel(np.array([], np.uint8), 5).probabilities(np.array([0, 4])).tolist() == [0.2] * 2
    )


def test_the_first_token_is_judged_without_a_context() -> None:
    # Of four tokens three are 0 and one is 1: (3 + 2/4) / (4 + 2).
    model = NgramModel(np.array([0, 0, 1, 0]), 4, order=3)
    assert model.probabilities(np.array([0]))[0] == pytest.approx((3 + 2 / 4) / 6)
    assert model.probabilities(np.array([3]))[0] == pytest.approx((0 + 2 / 4) / 6)


@pytest.mark.parametrize("length", range(DEFAULT_ORDER + 2))
def test_a_text_shorter_than_the_longest_context_is_scored(length: int) -> None:
    assert_as_written_out([0, 1, 2] * 10, [0, 1, 2, 0, 1, 2, 0, 1][:length], 4, DEFAULT_ORDER)


@pytest.mark.parametrize("length", range(DEFAULT_ORDER + 2))
def test_a_training_text_shorter_than_the_longest_context_teaches(length: int) -> None:
    assert_as_written_out([0, 1, 2, 0, 1, 2, 0, 1][:length], [0, 1, 2] * 5, 4, DEFAULT_ORDER)


def test_the_end_of_the_training_text_has_no_follower() -> None:
    model = NgramModel(np.array([0, 1]), 2, order=1)
    # Nothing ever followed a 1: what comes after it is judged as without a context.
    alone = model.probabilities(np.array([0]))[0]
    assert model.probabilities(np.array([1, 0]))[1] == alone


def test_repetition_becomes_certain() -> None:
    ids = np.tile(np.arange(10), 200)
    bits = -np.log2(NgramModel(ids, 10).probabilities(ids)[10:])
    assert bits.max() < 0.05


def test_ids_beyond_a_byte_are_kept_apart() -> None:
    train, text = [0, 256, 512, 65_536, 1_000_000] * 3, [0, 256, 512, 65_536, 1_000_000, 0]
    plain = PlainWittenBell(train, 2_000_000, 2)
    expected = [plain.probability(token, text[:place]) for place, token in enumerate(text)]
    found = NgramModel(np.array(train, np.uint32), 2_000_000, 2).probabilities(np.array(text))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
