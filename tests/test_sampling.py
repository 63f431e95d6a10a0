"""The filters, their one order, and random numbers that are the same everywhere."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.config import SamplingConfig
from burble.sampling import PENALTY_TOKENS, choose, philox4x64, probabilities, uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from burble.sampling import Floats

quick = settings(deadline=None, max_examples=200, derandomize=True)

WORD = (1 << 64) - 1
LAST_DRAW = 1 - 2.0**-53
words = st.one_of(st.sampled_from([0, 1, 1 << 32, 1 << 63, WORD - 1, WORD]), st.integers(0, WORD))

PLAIN = SamplingConfig(temperature=1.0)


def logs(*shares: float) -> Floats:
    """Logits whose softmax is these shares of their sum."""
    return np.log(np.array(shares, dtype=np.float64))


def kept(scores: Floats, **options: object) -> list[int]:
    """The ids that the filters leave."""
    config = SamplingConfig(**{"temperature": 1.0, **options})  # type: ignore[arg-type]
    return np.flatnonzero(probabilities(scores, config)).tolist()


def drawn(scores: Floats, recent: Sequence[int] = (), **options: object) -> set[int]:
    """Every id that some draw gives."""
    config = SamplingConfig(**{"temperature": 1.0, **options})  # type: ignore[arg-type]
    draws = [*np.linspace(0, 1, 500, endpoint=False).tolist(), LAST_DRAW]
    return {choose(scores, recent, config, draw) for draw in draws}


def numpy_philox(counter: Sequence[int], key: Sequence[int]) -> np.random.Philox:
    return np.random.Philox(
        counter=np.array(counter, dtype=np.uint64), key=np.array(key, dtype=np.uint64)
    )


def one_before(counter: Sequence[int]) -> list[int]:
    """NumPy counts up, with carry, before each block of four words."""
    number = sum(word << (64 * place) for place, word in enumerate(counter)) - 1
    return [(number >> (64 * place)) & WORD for place in range(4)]


@quick
@given(st.tuples(words, words, words, words), st.tuples(words, words))
def test_philox_is_numpys(counter: tuple[int, int, int, int], key: tuple[int, int]) -> None:
    expected = numpy_philox(one_before(counter), key).random_raw(4)
    assert list(philox4x64(counter, key)) == expected.tolist()


def test_philox_meets_its_authors_vectors() -> None:
    # From the known answers of Random123 (kat_vectors, philox4x64 10).
    assert [f"{word:016x}" for word in philox4x64((0, 0, 0, 0), (0, 0))] == [
        "16554d9eca36314c",
        "db20fe9d672d0fdc",
        "d7e772cee186176b",
        "7e68b68aec7ba23b",
    ]
    assert [f"{word:016x}" for word in philox4x64((WORD,) * 4, (WORD,) * 2)] == [
        "87b092c3013fe90b",
        "438c3c67be8d0224",
        "9cc7d7c69cd777b6",
        "a09caebf594f0ba0",
    ]


@quick
@given(words, words, words)
def test_a_draw_is_numpys_first_of_that_counter(seed: int, stream: int, position: int) -> None:
    before = one_before((position, 0, 0, 0))
    expected = np.random.Generator(numpy_philox(before, (seed, stream))).random()
    assert uniform(seed, stream, position) == expected


@quick
@given(words, words, words)
def test_a_draw_is_in_the_unit_interval(seed: int, stream: int, position: int) -> None:
    draw = uniform(seed, stream, position)
    assert 0 <= draw <= LAST_DRAW
    assert (draw * 2**53).is_integer()


def test_every_seed_stream_and_position_has_a_draw_of_its_own() -> None:
    draws = {uniform(s, t, p) for s in range(10) for t in range(10) for p in range(10)}
    assert len(draws) == 1000


def test_draws_are_even() -> None:
    draws = np.array([uniform(1, 0, position) for position in range(5000)])
    counts = np.histogram(draws, bins=20, range=(0, 1))[0]
    # 43.8 is what chi-square with 19 degrees exceeds once in a thousand times.
    assert ((counts - 250) ** 2 / 250).sum() < 43.8


@pytest.mark.parametrize("draw", [0.0, 0.5, LAST_DRAW])
def test_greedy_takes_the_likeliest_and_of_equals_the_first(draw: float) -> None:
    greedy = SamplingConfig(temperature=0.0)
    assert choose(np.array([1.0, 3.0, 2.0]), [], greedy, draw) == 1
    assert choose(np.array([1.0, 3.0, 3.0, 3.0]), [], greedy, draw) == 1
    assert choose(np.zeros(4, dtype=np.float32), [], greedy, draw) == 0


@pytest.mark.parametrize("temperature", [1e-4, 1e-30, 1e-300, 5e-324])
@pytest.mark.parametrize("draw", [0.0, 0.5, LAST_DRAW])
def test_a_tiny_temperature_is_greedy(temperature: float, draw: float) -> None:
    scores = np.array([-5.0, 4.0, 3.9, -1e30], dtype=np.float32)
    config = SamplingConfig(temperature=temperature)
    assert choose(scores, [], config, draw) == 1
    assert probabilities(scores.astype(np.float64), config).tolist() == [0, 1, 0, 0]


def test_a_tiny_temperature_shares_between_equals() -> None:
    assert drawn(np.array([2.0, 1.0, 2.0]), temperature=1e-300) == {0, 2}


def test_temperature_divides_the_logits() -> None:
    scores = np.array([0.5, -1.0, 2.0, 0.0])
    for temperature in (0.1, 0.8, 1.0, 5.0, 100.0):
        weights = probabilities(scores, SamplingConfig(temperature=temperature))
        expected = np.exp(scores / temperature)
        np.testing.assert_allclose(weights / weights.sum(), expected / expected.sum(), rtol=1e-12)


def test_top_k_keeps_the_likeliest() -> None:
    scores = np.array([0.1, 3.0, 2.0, 5.0])
    assert kept(scores, top_k=1) == [3]
    assert kept(scores, top_k=2) == [1, 3]
    assert kept(scores, top_k=3) == [1, 2, 3]
    assert kept(scores, top_k=4) == kept(scores, top_k=2**31) == [0, 1, 2, 3]


def test_top_k_of_equals_keeps_the_lowest_ids() -> None:
    assert kept(np.zeros(5000), top_k=5) == [0, 1, 2, 3, 4]
    assert kept(np.arange(5000.0) % 2, top_k=5) == [1, 3, 5, 7, 9]
    assert kept(np.array([1.0, 2.0, 1.0, 2.0, 1.0]), top_k=3) == [0, 1, 3]


def test_top_p_keeps_the_smallest_set_that_reaches_it() -> None:
    scores = logs(0.15, 0.5, 0.05, 0.3)
    assert kept(scores, top_p=0.49) == [1]
    assert kept(scores, top_p=0.51) == [1, 3]
    assert kept(scores, top_p=0.79) == [1, 3]
    assert kept(scores, top_p=0.81) == [0, 1, 3]
    assert kept(scores, top_p=0.99) == [0, 1, 2, 3]
    assert kept(scores, top_p=1.0) == [0, 1, 2, 3]


def test_top_p_counts_a_set_that_just_reaches_it_as_enough() -> None:
    scores = logs(1, 2, 4, 1)  # eighths: exact in floating point
    assert kept(scores, top_p=0.5) == [2]
    assert kept(scores, top_p=0.75) == [1, 2]
    assert kept(scores, top_p=0.875) == [0, 1, 2]


@pytest.mark.parametrize("top_p", [1e-6, 1e-300, 5e-324])
def test_top_p_keeps_at_least_one(top_p: float) -> None:
    assert kept(np.zeros(5), top_p=top_p) == [0]
    assert kept(np.array([0.0, 0.0, 1.0]), top_p=top_p) == [2]


def test_min_p_is_a_share_of_the_likeliest() -> None:
    scores = logs(8, 4, 2, 1)
    assert kept(scores, min_p=0.0) == [0, 1, 2, 3]
    assert kept(scores, min_p=0.13) == [0, 1, 2]
    assert kept(scores, min_p=0.3) == [0, 1]
    assert kept(scores, min_p=1.0) == [0]
    assert kept(np.zeros(3), min_p=1.0) == [0, 1, 2]


def test_the_repetition_penalty_weakens_what_was_said() -> None:
    greedy = SamplingConfig(temperature=0.0, repetition_penalty=2.0)
    scores = np.array([3.0, 2.0, -1.0])
    assert choose(scores, [], greedy, 0.0) == 0
    assert choose(scores, [1], greedy, 0.0) == 0
    assert choose(scores, [0], greedy, 0.0) == 1
    assert choose(scores, [0, 0, 0], greedy, 0.0) == 1  # once, however often it was said
    assert choose(np.array([-1.0, -1.5]), [0], greedy, 0.0) == 1  # below zero it moves down too


def test_a_penalty_below_one_encourages() -> None:
    greedy = SamplingConfig(temperature=0.0, repetition_penalty=0.5)
    assert choose(np.array([3.0, 2.0]), [1], greedy, 0.0) == 1


def test_the_penalty_sees_the_last_64_tokens_only() -> None:
    assert PENALTY_TOKENS == 64
    greedy = SamplingConfig(temperature=0.0, repetition_penalty=2.0)
    scores = np.array([3.0, 2.0, -9.0])
    assert choose(scores, [0] + [2] * 63, greedy, 0.0) == 1
    assert choose(scores, [0] + [2] * 64, greedy, 0.0) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_callers_logits_stay_as_they_are(dtype: type[np.floating]) -> None:
    scores = np.array([3.0, 2.0, 1.0], dtype=dtype)
    config = SamplingConfig(repetition_penalty=3.0, top_k=2, top_p=0.5, min_p=0.1)
    choose(scores, [0, 1], config, 0.3)
    assert scores.tolist() == [3.0, 2.0, 1.0]


# The order: each of these comes out otherwise when two neighbours change places.


def test_the_penalty_comes_before_the_temperature_and_all_filters() -> None:
    # Said, token 0 falls from 6 to 2, so that the two others are the top two.
    assert drawn(np.array([6.0, 5.0, 4.0]), [0], repetition_penalty=3.0, top_k=2) == {1, 2}


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
    chosen = [choose(np.array(GOLDEN_SCORES), [0, 7], config, draw) for draw in draws]
    # By hand: 0 falls to 4/3, 7 to -1.5; the top five are 1 2 0 3 4, of weights e^(s/0.8) about
    # 8.91 6.52 5.29 3.49 1.87; 0.9 of 26.09 is reached by four, and each has a quarter of 8.91.
    shares = np.exp(np.array([4 / 3, 1.75, 1.5, 1.0]) / 0.8)
    expected = np.round(1000 * shares / shares.sum())
    assert set(chosen) == {0, 1, 2, 3}
    assert np.abs(np.bincount(chosen) - expected).max() <= 1


def test_many_draws_follow_the_softmax() -> None:
    scores = np.array([1.0, 0.0, -1.0, 2.0, 0.5, -3.0], dtype=np.float32)
    count = 6000
    config = SamplingConfig(temperature=0.7)
    chosen = [choose(scores, [], config, uniform(5, 0, place)) for place in range(count)]
    shares = np.exp(scores.astype(np.float64) / 0.7)
    expected = count * shares / shares.sum()
    # 20.5 is what chi-square with 5 degrees exceeds once in a thousand times.
    assert ((np.bincount(chosen, minlength=6) - expected) ** 2 / expected).sum() < 20.5


def test_tokens_take_the_unit_interval_in_the_order_of_their_ids() -> None:
    scores = logs(1, 2, 4, 1)
    draws = {0.0: 0, 0.124: 0, 0.126: 1, 0.374: 1, 0.376: 2, 0.874: 2, 0.876: 3, LAST_DRAW: 3}
    assert {draw: choose(scores, [], PLAIN, draw) for draw in draws} == draws


options = st.fixed_dictionaries(
    {
        "repetition_penalty": st.sampled_from([1.0, 0.5, 1.3, 100.0]),
        "temperature": st.sampled_from([5e-324, 1e-300, 1e-3, 0.5, 1.0, 100.0]),
        "top_k": st.sampled_from([None, 1, 2, 3, 100]),
        "top_p": st.sampled_from([1e-300, 0.1, 0.5, 0.999999, 1.0]),
        "min_p": st.sampled_from([0.0, 1e-300, 0.05, 0.5, 1.0]),
    }
)
logits = st.lists(
    st.one_of(
        st.sampled_from([0.0, 1.0, -1e4, 1e4, -3e38, 3e38]),
        st.floats(-50, 50, width=32, allow_subnormal=False),
    ),
    min_size=1,
    max_size=8,
)
draws = st.one_of(
    st.sampled_from([0.0, 2.0**-53, 0.5, LAST_DRAW]), st.floats(0, 1, exclude_max=True)
)


@quick
@given(logits, options, draws)
def test_what_no_filter_left_is_never_drawn(
    scores: list[float], given: dict[str, float | int | None], draw: float
) -> None:
    config = SamplingConfig(**given)  # type: ignore[arg-type]
    wide = np.array(scores)
    weights = probabilities(wide, SamplingConfig(**{**given, "repetition_penalty": 1.0}))  # type: ignore[arg-type]
    assert np.isfinite(weights).all()
    assert weights.max() > 0
    assert weights[choose(wide.astype(np.float32), [], config, draw)] > 0


@quick
@given(logits, options, draws)
def test_a_choice_is_always_in_the_vocabulary(
    scores: list[float], given: dict[str, float | int | None], draw: float
) -> None:
    recent = list(range(len(scores))) * 20
    config = SamplingConfig(**given)  # type: ignore[arg-type]
    assert 0 <= choose(np.array(scores, np.float32), recent, config, draw) < len(scores)


@pytest.mark.parametrize("draw", [0.0, 0.5, LAST_DRAW])
def test_tokens_at_both_ends_that_cannot_be_drawn_are_not(draw: float) -> None:
    scores = np.array([-1e30, 1.0, -1e30, 1.0, -1e30, -1e30], dtype=np.float32)
    assert choose(scores, [], PLAIN, draw) in {1, 3}
    # Thirds do not sum to 1: the last draw must still not step past the last of them.
    assert choose(np.array([0.0] * 3 + [-1e30]), [], PLAIN, draw) in {0, 1, 2}


@pytest.mark.parametrize("temperature", [0.0, 1e-300, 1.0, 100.0])
def test_of_one_token_it_is_chosen(temperature: float) -> None:
    config = SamplingConfig(
        temperature=temperature, top_k=1, top_p=0.1, min_p=1.0, repetition_penalty=100.0
    )
    for draw in (0.0, LAST_DRAW):
        assert choose(np.array([-math.pi]), [0] * 99, config, draw) == 0
