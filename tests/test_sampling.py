"""The filters, their one order, and random numbers that are the same everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.config import SamplingConfig
from burble.sampling import PENALTY_TOKENS, WEIGHT_BITS, choose, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burble.arithmetic import Float32

quick = settings(deadline=None, max_examples=200, derandomize=True)

LAST_DRAW = 1 - 2.0**-53

PLAIN = SamplingConfig(temperature=1.0)
LIKELIEST = 1 << WEIGHT_BITS


def logits(*values: float) -> Float32:
    return np.array(values, dtype=np.float32)


def logs(*shares: float) -> Float32:
    """Logits whose softmax is these shares of their sum."""
    return np.log(np.array(shares, dtype=np.float64)).astype(np.float32)


def chosen(scores: Float32, config: SamplingConfig, draw: float, recent: Sequence[int] = ()) -> int:
    return choose(scores, np.array(recent, dtype=np.int32), config, draw)


def sampling(**options: object) -> SamplingConfig:
    return SamplingConfig(**{"temperature": 1.0, **options})  # type: ignore[arg-type]


def kept(scores: Float32, **options: object) -> list[int]:
    return np.flatnonzero(weigh(scores, sampling(**options))).tolist()


def drawn(scores: Float32, recent: Sequence[int] = (), **options: object) -> set[int]:
    draws = [*np.linspace(0, 1, 500, endpoint=False).tolist(), LAST_DRAW]
    return {chosen(scores, sampling(**options), draw, recent) for draw in draws}


@pytest.mark.parametrize("draw", [0.0, 0.5, LAST_DRAW])
@pytest.mark.parametrize("temperature", [0.0, 5e-324, 1e-300, 7e-46])
def test_greedy_takes_the_likeliest_and_of_equals_the_first(
    temperature: float, draw: float
) -> None:
    # To float32 these are all zero.
    greedy = SamplingConfig(temperature=temperature)
    assert chosen(logits(1, 3, 2), greedy, draw) == 1
    assert chosen(logits(1, 3, 3, 3), greedy, draw) == 1
    assert chosen(logits(0, 0, 0, 0), greedy, draw) == 0


@pytest.mark.parametrize("temperature", [1e-4, 1e-30, 1e-40, 8e-46])
def test_a_tiny_temperature_is_greedy_and_shares_between_equals(temperature: float) -> None:
    scores = logits(-5.0, 4.0, 3.9, -1e30)
    assert drawn(scores, temperature=temperature) == {1}
    assert weigh(scores, sampling(temperature=temperature)).tolist() == [0, LIKELIEST, 0, 0]
    assert drawn(logits(2, 1, 2), temperature=temperature) == {0, 2}


def test_temperature_divides_the_logits() -> None:
    scores = logits(0.5, -1.0, 2.0, 0.0)
    for temperature in (0.1, 0.8, 1.0, 5.0, 100.0):
        weights = weigh(scores, SamplingConfig(temperature=temperature))
        expected = LIKELIEST * np.exp((scores.astype(np.float64) - 2.0) / temperature)
        # Cut to a whole number, from float32.
        np.testing.assert_allclose(weights, expected, rtol=1e-6, atol=1)


def test_weights_are_whole_numbers_and_the_likeliest_weighs_a_fixed_one() -> None:
    scores = logits(3, -2, 3, 2.999999)
    weights = weigh(scores, PLAIN)
    assert weights.dtype == np.int64
    assert weights[0] == weights[2] == LIKELIEST == 2**30
    assert 0 < LIKELIEST - weights[3] < 2000
    # However far from zero all of them are.
    assert weigh(scores - np.float32(2**20), PLAIN).max() == LIKELIEST


@pytest.mark.parametrize(
    ("temperature", "weights"),
    [
        (
            1.0,
            "1073741824 1063057920 795447488 651257344 533204416 395007552 88138096 7234815 132510 "
            "892 2",
        ),
        (
            0.7,
            "1073741824 1058511680 699477376 525641344 395007552 257323328 30188960 848782 2799 "
            "2 0",
        ),
    ],
)
def test_weights_are_these_to_the_last_bit(temperature: float, weights: str) -> None:
    scores = logits(0.0, -0.01, -0.3, -0.5, -0.7, -1.0, -2.5, -5.0, -9.0, -14.0, -20.0)
    # Off from 2**30 * exp(score) by 1e-7 of it and the cut at most, and the same everywhere.
    found = weigh(scores, SamplingConfig(temperature=temperature))
    assert found.tolist() == [int(weight) for weight in weights.split()]


def test_what_is_ten_to_the_nine_times_less_likely_is_never_drawn() -> None:
    least = math.log(2.0**-WEIGHT_BITS)
    assert weigh(logits(0, least + 0.01, least - 0.01), PLAIN).tolist() == [LIKELIEST, 1, 0]


def test_top_k_keeps_the_likeliest() -> None:
    scores = logits(0.1, 3.0, 2.0, 5.0)
    assert kept(scores, top_k=1) == [3]
    assert kept(scores, top_k=2) == [1, 3]
    assert kept(scores, top_k=3) == [1, 2, 3]
    assert kept(scores, top_k=4) == kept(scores, top_k=2**31) == [0, 1, 2, 3]


def test_top_k_of_equals_keeps_the_lowest_ids() -> None:
    assert kept(np.zeros(5000, np.float32), top_k=5) == [0, 1, 2, 3, 4]
    assert kept(np.arange(5000, dtype=np.float32) % 2, top_k=5) == [1, 3, 5, 7, 9]
    assert kept(logits(1, 2, 1, 2, 1), top_k=3) == [0, 1, 3]


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    scores = logs(0.15, 0.5, 0.05, 0.3)
    assert kept(scores, top_p=0.49) == [1]
    assert kept(scores, top_p=0.51) == [1, 3]
    assert kept(scores, top_p=0.79) == [1, 3]
    assert kept(scores, top_p=0.81) == [0, 1, 3]
    assert kept(scores, top_p=0.99) == [0, 1, 2, 3]
    assert kept(scores, top_p=1.0) == [0, 1, 2, 3]


def test_top_p_counts_a_set_that_just_reaches_it_as_enough() -> None:
    eighths = np.zeros(8, np.float32)
    for count in range(1, 9):
        assert kept(eighths, top_p=count / 8) == list(range(count))
        assert kept(eighths, top_p=count / 8 - 2.0**-40) == list(range(count))
        assert kept(eighths, top_p=min(1.0, count / 8 + 2.0**-40)) == list(range(count + 1))[:8]


@pytest.mark.parametrize("top_p", [1e-6, 1e-300, 5e-324])
def test_top_p_keeps_at_least_one(top_p: float) -> None:
    assert kept(np.zeros(5, np.float32), top_p=top_p) == [0]
    assert kept(logits(0, 0, 1), top_p=top_p) == [2]


def test_min_p_is_a_share_of_the_likeliest() -> None:
    scores = logs(8, 4, 2, 1)
    assert kept(scores, min_p=0.0) == [0, 1, 2, 3]
    assert kept(scores, min_p=0.13) == [0, 1, 2]
    assert kept(scores, min_p=0.3) == [0, 1]
    assert kept(scores, min_p=1.0) == [0]
    assert kept(logits(0, 0, 0), min_p=1.0) == [0, 1, 2]


def test_the_repetition_penalty_weakens_what_was_said() -> None:
    greedy = SamplingConfig(temperature=0.0, repetition_penalty=2.0)
    scores = logits(3, 2, -1)
    assert chosen(scores, greedy, 0.0) == 0
    assert chosen(scores, greedy, 0.0, [1]) == 0
    assert chosen(scores, greedy, 0.0, [0]) == 1
    assert chosen(scores, greedy, 0.0, [0, 0, 0]) == 1  # once, however often it was said
    assert chosen(logits(3, 1, -9), greedy, 0.0, [0, 0, 0]) == 0
    assert chosen(logits(-1, -1.5), greedy, 0.0, [0]) == 1  # below zero it moves down too


def test_a_penalty_below_one_encourages() -> None:
    greedy = SamplingConfig(temperature=0.0, repetition_penalty=0.5)
    assert chosen(logits(3, 2), greedy, 0.0, [1]) == 1


def test_the_penalty_sees_the_last_64_tokens_only() -> None:
    assert PENALTY_TOKENS == 64
    greedy = SamplingConfig(temperature=0.0, repetition_penalty=2.0)
    scores = logits(3, 2, -9)
    assert chosen(scores, greedy, 0.0, [0] + [2] * 63) == 1
    assert chosen(scores, greedy, 0.0, [0] + [2] * 64) == 0


def test_the_callers_logits_stay_as_they_are() -> None:
    scores, recent = logits(3, 2, 1), np.array([0, 1])
    config = SamplingConfig(repetition_penalty=3.0, top_k=2, top_p=0.5, min_p=0.1)
    choose(scores, recent, config, 0.3)
    weigh(scores, config)
    assert scores.tolist() == [3.0, 2.0, 1.0]
    assert recent.tolist() == [0, 1]


# The order: each of these comes out otherwise when two neighbours change places.


def test_the_penalty_comes_before_the_temperature_and_all_filters() -> None:
    # Said, token 0 falls from 6 to 2, so that the two others are the top two.
    assert drawn(logits(6, 5, 4), [0], repetition_penalty=3.0, top_k=2) == {1, 2}


def test_the_temperature_comes_before_top_p() -> None:
    # As they stand, the first holds 0.7; at temperature 4 it takes three to reach as much.
    scores = logs(0.7, 0.15, 0.1, 0.05)
    assert kept(scores, top_p=0.65) == [0]
    assert kept(scores, top_p=0.65, temperature=4.0) == [0, 1, 2]


def test_the_temperature_comes_before_min_p() -> None:
    scores = logs(8, 1)
    assert kept(scores, min_p=0.3) == [0]
    assert kept(scores, min_p=0.3, temperature=2.0) == [0, 1]


def test_top_k_comes_before_top_p() -> None:
    # Of the top two alone the first holds 4/7, enough for 0.5; of all it holds 0.4: two needed.
    assert kept(logs(0.4, 0.3, 0.2, 0.1), top_k=2, top_p=0.5) == [0]


def test_top_p_comes_before_min_p() -> None:
    # Of all, two are needed for 0.65; of the two that min_p leaves, the first alone holds 5/7.
    scores = logs(0.5, 0.2, 0.1, 0.1, 0.1)
    assert kept(scores, min_p=0.3) == [0, 1]
    assert kept(scores, min_p=0.3, top_p=0.65) == [0, 1]


def test_min_p_measures_by_what_is_left() -> None:
    assert kept(logs(0.4, 0.3, 0.2, 0.1), top_k=3, min_p=0.6) == [0, 1]


GOLDEN_SCORES = [2.0, 1.75, 1.5, 1.0, 0.5, 0.25, -0.5, -1.0]


def test_all_filters_together_leave_this() -> None:
    config = SamplingConfig(repetition_penalty=1.5, temperature=0.8, top_k=5, top_p=0.9, min_p=0.25)
    draws = np.linspace(0, 1, 1000, endpoint=False).tolist()
    found = [chosen(logits(*GOLDEN_SCORES), config, draw, [0, 7]) for draw in draws]
    # By hand: 0 falls to 4/3, 7 to -1.5; the top five are 1 2 0 3 4, of weights e^(s/0.8) about
    # 8.91 6.52 5.29 3.49 1.87; 0.9 of 26.09 is reached by four, and each has a quarter of 8.91.
    shares = np.exp(np.array([4 / 3, 1.75, 1.5, 1.0]) / 0.8)
    expected = np.round(1000 * shares / shares.sum())
    assert set(found) == {0, 1, 2, 3}
    assert np.abs(np.bincount(found) - expected).max() <= 1


def test_tokens_take_the_unit_interval_in_the_order_of_their_ids() -> None:
    scores = logs(1, 2, 4, 1)
    draws = {0.0: 0, 0.124: 0, 0.126: 1, 0.374: 1, 0.376: 2, 0.874: 2, 0.876: 3, LAST_DRAW: 3}
    assert {draw: chosen(scores, PLAIN, draw) for draw in draws} == draws


def test_a_share_begins_with_the_draw_that_reaches_it() -> None:
    quarters = logits(1, 1, 1, 1)
    for token in range(1, 4):
        assert chosen(quarters, PLAIN, token / 4) == token
        assert chosen(quarters, PLAIN, token / 4 - 2.0**-53) == token - 1


filters = {
    "top_k": st.sampled_from([None, 1, 2, 3, 100]),
    "top_p": st.sampled_from([1e-300, 0.1, 0.5, 0.75, 0.999999, 1.0]),
    "min_p": st.sampled_from([0.0, 1e-300, 0.05, 0.5, 1.0]),
}
temperatures = st.sampled_from([8e-46, 1e-30, 1e-3, 0.5, 1.0, 100.0])
all_logits = st.lists(
    st.one_of(
        st.sampled_from([0.0, 1.0, -1e4, 1e4, -1e30, 1e30]),
        st.floats(-50, 50, width=32, allow_subnormal=False),
        st.floats(-2, 2, width=32, allow_subnormal=False),
    ),
    min_size=1,
    max_size=12,
).map(lambda values: logits(*values))
draws = st.one_of(
    st.sampled_from([0.0, 2.0**-53, 0.5, LAST_DRAW]), st.floats(0, 1, exclude_max=True)
)


def filtered(weights: list[int], config: SamplingConfig) -> list[int]:
    """The filters, one token after the other, in Python's whole numbers."""
    likeliest_first = sorted(range(len(weights)), key=lambda token: (-weights[token], token))
    top = likeliest_first[: config.top_k or len(weights)]
    total = sum(weights[token] for token in top)
    left, before = [0] * len(weights), 0
    for token in top:
        if before < config.top_p * total and weights[token] >= config.min_p * LIKELIEST:
            left[token] = weights[token]
        before += weights[token]
    return left


@quick
@given(all_logits, temperatures, st.fixed_dictionaries(filters))
def test_filters_are_what_they_are_token_by_token(
    scores: Float32, temperature: float, given: dict[str, float | int | None]
) -> None:
    bare = weigh(scores, SamplingConfig(temperature=temperature)).tolist()
    config = SamplingConfig(temperature=temperature, **given)  # type: ignore[arg-type]
    assert weigh(scores, config).tolist() == filtered(bare, config)


@quick
@given(all_logits, temperatures, st.fixed_dictionaries(filters), draws)
def test_what_no_filter_left_is_never_drawn(
    scores: Float32, temperature: float, given: dict[str, float | int | None], draw: float
) -> None:
    config = SamplingConfig(temperature=temperature, **given)  # type: ignore[arg-type]
    assert weigh(scores, config)[chosen(scores, config, draw)] > 0


@pytest.mark.parametrize("draw", [0.0, 0.5, LAST_DRAW])
def test_tokens_at_both_ends_that_cannot_be_drawn_are_not(draw: float) -> None:
    assert chosen(logits(-1e30, 1.0, -1e30, 1.0, -1e30, -1e30), PLAIN, draw) in {1, 3}
    # The last draw must not step past the last of those that can be.
    assert chosen(logits(0.0, 0.0, 0.0, -1e30), PLAIN, draw) in {0, 1, 2}


@pytest.mark.parametrize("temperature", [0.0, 8e-46, 1.0, 100.0])
def test_of_one_token_it_is_chosen(temperature: float) -> None:
    config = SamplingConfig(
        temperature=temperature, top_k=1, top_p=0.1, min_p=1.0, repetition_penalty=100.0
    )
    for draw in (0.0, LAST_DRAW):
        assert chosen(logits(-math.pi), config, draw, [0] * 99) == 0
