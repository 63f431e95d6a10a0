"""Random words that are the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.philox import draw_words, integer_below, philox4x64
from burble.sampling import uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

quick = settings(deadline=None, max_examples=200, derandomize=True)

WORD = (1 << 64) - 1
words = st.one_of(st.sampled_from([0, 1, 1 << 32, 1 << 63, WORD - 1, WORD]), st.integers(0, WORD))


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
@given(words, st.tuples(words, words), st.tuples(words, words, words), st.integers(0, 13))
def test_words_are_those_of_counters_one_after_the_other(
    first: int, key: tuple[int, int], place: tuple[int, int, int], count: int
) -> None:
    first = min(first, WORD - 4)
    blocks = [philox4x64((first + block, *place), key) for block in range(4)]
    expected = [word for block in blocks for word in block][:count]
    assert draw_words(count, key, place, first).tolist() == expected


def test_integers_are_evenly_spread_below_their_limit() -> None:
    assert [integer_below(word << 60, 4) for word in range(16)] == [i // 4 for i in range(16)]
    assert integer_below(WORD, 10**15) == 10**15 - 1
