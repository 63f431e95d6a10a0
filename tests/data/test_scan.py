"""One pass over a text: every id but the first is asked for once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.data.scan import VALIDATION_TOKENS, random_windows, scan, validation_part

from .texts import asked, targets

quick = settings(deadline=None, max_examples=200, derandomize=True)


@quick
@given(st.integers(2, 300), st.integers(1, 40), st.integers(0, 50), st.integers(1, 40))
def test_each_target_is_asked_for_once(length: int, streams: int, warmup: int, time: int) -> None:
    batches = list(scan(np.arange(length), streams, warmup, time))
    assert sorted(targets(batches)) == list(range(1, length))
    for batch in batches:
        assert all(target == place + 1 for place, target in asked(batch))


@quick
@given(st.integers(2, 300), st.integers(1, 40), st.integers(0, 50), st.integers(1, 40))
def test_each_stream_is_read_on_from_a_fresh_state(
    length: int, streams: int, warmup: int, time: int
) -> None:
    batches = list(scan(np.arange(length), streams, warmup, time))
    assert [bool(batch.reset.all()) for batch in batches] == [True, *[False] * (len(batches) - 1)]
    assert not any(batch.reset.any() for batch in batches[1:])
    for batch, following in pairwise(batches):
        assert np.array_equal(batch.targets[-1], following.inputs[0])
        assert batch.inputs.shape == following.inputs.shape == (time, min(streams, length - 1))


@quick
@given(st.integers(40, 300), st.integers(1, 6), st.integers(0, 50))
def test_a_stream_is_warmed_on_the_ids_before_it(length: int, streams: int, warmup: int) -> None:
    (batch,) = scan(np.arange(length), streams, warmup, time=length + warmup)
    for stream in range(streams):
        asked_places = batch.inputs[batch.mask[:, stream], stream]
        first_read = batch.inputs[0, stream]
        assert asked_places[0] - first_read == min(warmup, asked_places[0])


@pytest.mark.parametrize("length", [0, 1])
def test_a_text_without_a_target_gives_no_batch(length: int) -> None:
    assert list(scan(np.arange(length))) == []


def test_validation_reads_no_more_than_its_part() -> None:
    assert (
        len(validation_part(np.zeros(VALIDATION_TOKENS + 5, dtype=np.uint8))) == VALIDATION_TOKENS
    )
    assert len(validation_part(np.arange(5))) == 5


@quick
@given(st.integers(2, 300), st.integers(1, 30), st.integers(1, 40), st.integers(0, 3))
def test_random_windows_stay_within_the_text(length: int, count: int, time: int, seed: int) -> None:
    batches = list(random_windows(np.arange(length), count, time, seed, rows=8))
    rows = [batch.inputs.shape[1] for batch in batches]
    assert set(rows) == {8}
    assert count <= sum(rows) < count + 8
    for batch in batches:
        assert batch.inputs.shape[0] == min(time, length - 1)
        assert batch.mask.all()
        assert batch.reset.all()
        assert np.array_equal(batch.targets, batch.inputs + 1)


def test_random_windows_reach_both_ends() -> None:
    found = targets(random_windows(np.arange(20), count=500, time=5, seed=0))
    assert set(found) == set(range(1, 20))


def test_random_windows_depend_on_the_seed() -> None:
    first, again, other = (
        targets(random_windows(np.arange(1000), 10, 5, seed)) for seed in (0, 0, 1)
    )
    assert first == again != other
