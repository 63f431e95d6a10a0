from __future__ import annotations

import numpy as np
import pytest

from burble.evaluation.passages import cover, distinct_grams, passage_hashes


@pytest.mark.parametrize("length", [1, 2, 3, 7, 24, 50, 64])
def test_equal_passages_have_equal_numbers_and_others_have_others(length: int) -> None:
    codes = np.random.default_rng(length).integers(0, 3, 3000).astype(np.uint8)
    passages = [codes[place : place + length].tobytes() for place in range(3001 - length)]
    hashes = passage_hashes(codes, length).tolist()
    assert len(hashes) == len(passages)
    assert len(set(hashes)) == len(set(passages)) == len(set(zip(hashes, passages, strict=True)))


@pytest.mark.parametrize("size", [0, 1, 9])
def test_what_is_shorter_than_a_passage_has_none(size: int) -> None:
    codes = np.zeros(size, dtype=np.uint8)
    assert passage_hashes(codes, 10).shape == (0,)
    assert distinct_grams(codes, 10).shape == (0,)


@pytest.mark.parametrize("length", [3, 5, 24, 50])
@pytest.mark.parametrize("letters", [1, 2, 5, 60])
def test_trigrams_are_counted_as_a_set_counts_them(length: int, letters: int) -> None:
    codes = np.random.default_rng(7).integers(0, letters, 400)
    wanted = [
        len({tuple(codes[at : at + 3].tolist()) for at in range(start, start + length - 2)})
        for start in range(401 - length)
    ]
    assert distinct_grams(codes, length).tolist() == wanted


def test_a_place_is_covered_by_the_passages_that_hold_it() -> None:
    covered = cover(np.array([0, 1, 6]), 3, 10)
    assert np.flatnonzero(covered).tolist() == [0, 1, 2, 3, 6, 7, 8]
