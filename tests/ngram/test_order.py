"""The order comes from the training text, and gives the figures that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from burble.evaluation.evaluate import score_counts
from burble.ngram.counts import count
from burble.ngram.order import LONGEST, choose_order
from burble.tokenizers.byte import ByteTokenizer
from burble.tokenizers.char import CharTokenizer
from tests.ngram.texts import corpus, words


def bits_of(train: np.ndarray, text: np.ndarray, vocab: int) -> tuple[float, int]:
    order = choose_order(train, vocab)
    return -float(np.log2(count(train, vocab, order).probabilities(text)[1:]).mean()), order


# Kneser-Ney of a program of its own, the order chosen on the held-out text: Alice 1.966 bits with
# order 10, tinyshakespeare 2.188 with order 6.


def test_alice_needs_1_966_bits_of_counts() -> None:
    bits, order = bits_of(*corpus("alice.txt", lowercase=True))
    assert bits == pytest.approx(1.966, abs=0.002)
    assert 8 <= order <= LONGEST


def test_tinyshakespeare_needs_2_188_bits_of_counts() -> None:
    bits, order = bits_of(*corpus("tinyshakespeare.txt"))
    assert bits == pytest.approx(2.188, abs=0.002)
    assert order == 6


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("length", [40, 400, 4_000, 40_000])
def test_random_letters_cost_no_more_than_guessing(length: int, seed: int) -> None:
    tokenizer = CharTokenizer("ACGT")
    ids = np.random.default_rng(seed).integers(4, size=length)
    cut = length * 9 // 10
    found = score_counts(tokenizer, ids[:cut], ids[cut:])
    assert found.bits_per_char <= 2
    assert found.bits_per_char == pytest.approx(2, abs=0.02)
    if length == 40_000:
        assert found.order == -1


def test_a_text_unlike_the_training_text_costs_no_more_than_guessing() -> None:
    tokenizer = ByteTokenizer()
    train, text = tokenizer.encode("the same words again " * 500), tokenizer.encode("ξψ±€" * 200)
    even = 8 * (len(text) - 1) / tokenizer.count_characters(text[1:])
    assert score_counts(tokenizer, train, text).bits_per_char == even
    bits = -np.log2(count(train, 256, 3).probabilities(text)).mean()
    assert bits > 8  # the cap was needed


def test_the_held_out_text_has_no_say() -> None:
    train = words(3000)
    tokenizer = ByteTokenizer()
    orders = {score_counts(tokenizer, train, text).order for text in (train[:50], train[::-1][:90])}
    assert orders == {choose_order(train, 256)}


def test_short_lines_are_not_made_worse_by_long_contexts() -> None:
    draw = np.random.default_rng(3)
    parts = ["an", "el", "mi", "ra", "jo", "li", "na", "ben", "th", "sa"]
    names = ["".join(draw.choice(parts, draw.integers(2, 4))) for _ in range(1500)]
    ids = np.frombuffer("\n".join(names).encode(), np.uint8)
    cut = len(ids) * 9 // 10
    bits, _ = bits_of(ids[:cut], ids[cut:], 128)
    each = [
        -np.log2(count(ids[:cut], 128, order).probabilities(ids[cut:])[1:]).mean()
        for order in range(-1, LONGEST + 1)
    ]
    assert bits <= min(each) * 1.01


@pytest.mark.parametrize("length", range(12))
def test_a_text_too_short_to_choose_from_is_guessed(length: int) -> None:
    ids = np.array([0, 1] * 6)[:length]
    assert choose_order(ids, 2) == -1 or length >= 10
    assert math.isfinite(bits_of(ids, np.array([0, 1, 0]), 2)[0])


def test_a_text_written_twice_takes_long_contexts() -> None:
    part = words(400)
    assert choose_order(np.concatenate([part, part]), 128) >= 5
