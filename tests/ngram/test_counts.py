"""Counts give Kneser-Ney's probabilities: those of exact fractions, in C as in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import burble.ngram.counts
from burble.ngram.counts import MAX_ORDER, count
from burble.ngram.order import choose_order
from tests.ngram.exact import ExactKneserNey
from tests.ngram.texts import WAYS, counted, every_way, words

quick = settings(deadline=None, max_examples=80, derandomize=True)

VOCAB = 4
texts = st.lists(st.integers(0, VOCAB - 1), max_size=60)
# Repetitions, so that long contexts are seen often.
loops = st.builds(lambda part, times: (part * times)[:80], texts, st.integers(1, 6))
orders = st.integers(-1, 7)


def assert_exact(way: str, train: list[int], text: list[int], vocab: int, order: int) -> None:
    exact = ExactKneserNey(train, vocab, order)
    expected = [float(exact.probability(x, text[:place])) for place, x in enumerate(text)]
    found = counted(way, np.array(train, np.uint32), vocab, order).probabilities(
        np.array(text, np.uint32)
    )
    assert found.shape == (len(text),)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@every_way
@quick
@given(texts | loops, texts | loops, orders)
def test_probabilities_are_those_of_exact_fractions(
    way: str, train: list[int], text: list[int], order: int
) -> None:
    assert_exact(way, train, text, VOCAB, order)


@every_way
@pytest.mark.parametrize("order", [1, 3, 5, 10])
def test_probabilities_are_exact_where_the_formula_gives_the_discounts(
    way: str, order: int
) -> None:
    ids = words(250).tolist()
    cut = len(ids) * 3 // 4
    assert_exact(way, ids[:cut], ids[cut:], 128, order)
    found = counted(way, np.array(ids[:cut]), 128, order).discounts  # type: ignore[attr-defined]
    assert (found != np.array([0.5, 1.0, 1.5])).any()


@every_way
@quick
@given(texts | loops, texts, orders)
def test_over_the_vocabulary_they_sum_to_one_and_none_is_zero(
    way: str, train: list[int], before: list[int], order: int
) -> None:
    counts = counted(way, np.array(train, np.uint8), VOCAB, order)
    following = [
        counts.probabilities(np.array([*before, token], np.uint8))[-1] for token in range(VOCAB)
    ]
    assert sum(following) == pytest.approx(1, abs=1e-12)
    assert min(following) > 0


@pytest.mark.skipif("native" not in WAYS, reason="no compiler built the C library here")
@quick
@given(texts | loops, texts | loops, orders)
def test_numpy_and_c_give_the_same_bits(train: list[int], text: list[int], order: int) -> None:
    one, other = (counted(way, np.array(train, np.uint8), VOCAB, order) for way in WAYS)
    ids = np.array(text, np.uint8)
    assert np.array_equal(one.by_order(ids), other.by_order(ids))
    assert np.array_equal(one.probabilities(ids), other.probabilities(ids))


@pytest.mark.skipif("native" not in WAYS, reason="no compiler built the C library here")
@pytest.mark.parametrize("vocab", [2, 300, 70_000])
def test_numpy_and_c_give_the_same_bits_on_long_texts(vocab: int) -> None:
    draw = np.random.default_rng(vocab)
    ids = (vocab * draw.random(30_000) ** 4).astype(np.uint32)
    one, other = (counted(way, ids[:25_000], vocab, 6).by_order(ids[20_000:]) for way in WAYS)
    assert np.array_equal(one, other)


@every_way
@quick
@given(texts | loops, texts | loops, orders)
def test_counts_of_a_long_order_have_those_of_all_shorter_ones(
    way: str, train: list[int], text: list[int], order: int
) -> None:
    ids = np.array(text, np.uint8)
    found = counted(way, np.array(train, np.uint8), VOCAB, 7).by_order(ids)
    assert found.shape == (9, len(ids))
    alone = counted(way, np.array(train, np.uint8), VOCAB, order).probabilities(ids)
    assert np.array_equal(found[order + 1], alone)


# Texts that leave the formula without a value.


SHORT, LONG = [0, 1, 2, 0, 1, 2, 0, 1, 3, 0], [0, 1, 2] * 10
BEYOND_TWO_BYTES = [0, 256, 512, 65_536, 1_000_000]


@every_way
@pytest.mark.parametrize(
    ("train", "text", "vocab", "order"),
    [
        # Shorter than the contexts.
        *((SHORT[:length], LONG, VOCAB, 8) for length in (0, 1, 2, 3, 4, 9, 10)),
        *((LONG, SHORT[:length], VOCAB, 8) for length in (0, 1, 2, 3, 4, 9, 10)),
        # Each character once leaves nothing but chance.
        (list(range(200)), list(range(200))[::-1], 256, 6),
        (BEYOND_TWO_BYTES * 3, [*BEYOND_TWO_BYTES, 0], 2_000_000, 2),
    ],
)
def test_odd_texts_are_counted_and_scored(
    way: str, train: list[int], text: list[int], vocab: int, order: int
) -> None:
    assert_exact(way, train, text, vocab, order)


@every_way
def test_one_character_repeated_becomes_certain(way: str) -> None:
    ids = np.zeros(1000, np.uint8)
    bits = -np.log2(counted(way, ids, 50, 5).probabilities(ids))
    assert 0 < bits[5:].max() < 0.001
    assert_exact(way, [0] * 100, [0] * 8 + [1, 0, 1], 2, 3)


@every_way
def test_a_text_of_one_character_in_an_alphabet_of_one_is_certain(way: str) -> None:
    ids = np.zeros(20, np.uint8)
    np.testing.assert_allclose(counted(way, ids, 1, 3).probabilities(ids), 1, rtol=1e-12)


@every_way
@pytest.mark.parametrize("times", [2, 3, 5])
def test_a_text_written_several_times_is_exact_and_known(way: str, times: int) -> None:
    part = words(60).tolist()
    assert_exact(way, part * times, part, 128, 4)
    ids = np.array(part, np.uint8)
    bits = -np.log2(counted(way, np.tile(ids, times), 128, 10).probabilities(ids)[10:])
    assert bits.mean() < 0.8


@every_way
def test_the_end_of_the_training_text_has_no_follower(way: str) -> None:
    counts = counted(way, np.array([0, 1]), 2, 1)
    # Nothing ever followed a 1: what comes after it is judged as without a context.
    assert counts.by_order(np.array([1, 0]))[2, 1] == pytest.approx(0.5)


# Large vocabularies, and what cannot be counted.


@every_way
def test_large_vocabularies_need_no_table_of_all_pairs(way: str) -> None:
    draw = np.random.default_rng(1)
    ids = (20_000 * draw.random(40_000) ** 3).astype(np.uint16)
    assert_exact(way, ids[:300].tolist(), ids[200:400].tolist(), 20_000, 3)
    counts = counted(way, ids[:30_000], 20_000, 3)
    assert 0 < counts.probabilities(ids[30_000:]).min() < 1 / 20_000
    # Each token after the same three.
    each = np.column_stack([np.tile(ids[100:103], (20_000, 1)), np.arange(20_000)])
    total = counts.probabilities(each.reshape(-1))[3::4].sum()
    assert total == pytest.approx(1, abs=1e-9)


def test_of_a_long_text_the_end_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    ids, order = words(500), 5
    monkeypatch.setattr(burble.ngram.counts, "MAX_TOKENS", 1000)
    monkeypatch.setattr(burble.ngram.counts, "MAX_TOKENS_NUMPY", 1000)
    found, end = (count(text, 128, order).probabilities(ids) for text in (ids, ids[-1000:]))
    assert np.array_equal(found, end)
    noise = np.random.default_rng(0).integers(128, size=20_000).astype(np.uint8)
    assert choose_order(np.concatenate([noise, ids[-1000:]]), 128) == choose_order(ids[-1000:], 128)


@pytest.mark.parametrize("order", [-2, MAX_ORDER + 1])
def test_an_order_out_of_range_is_refused(order: int) -> None:
    with pytest.raises(ValueError, match=f"found {order}"):
        count(np.array([0, 1]), 2, order)


@pytest.mark.parametrize("ids", [[0, 2], [-1, 0]])
def test_ids_out_of_range_are_refused(ids: list[int]) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        count(np.array(ids), 2, 1)
    with pytest.raises(ValueError, match="from 0 to 1"):
        count(np.array([0, 1]), 2, 1).probabilities(np.array(ids))


@every_way
def test_the_longest_order_is_counted(way: str) -> None:
    ids = np.array([0, 1, 1, 0, 1] * 20, np.uint8)
    bits = -np.log2(counted(way, ids, 2, MAX_ORDER).probabilities(ids)[MAX_ORDER:])
    assert bits.max() < 0.2
