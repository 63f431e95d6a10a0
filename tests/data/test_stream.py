"""Lanes of a ring, read on and on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.config import DataConfig
from burble.data.scan import VALIDATION_TOKENS
from burble.data.stream import StreamBatching

from .texts import numbered, targets


def batching_of(num_ids: int, time: int, rows: int, seed: int = 0) -> StreamBatching:
    return StreamBatching(numbered(num_ids), DataConfig(seq_len=time, batch_size=rows), seed)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.data(), st.integers(1, 20), st.integers(1, 9), st.integers(0, 5))
def test_streams_continue_through_epochs(
    data: st.DataObject, time: int, rows: int, seed: int
) -> None:
    num_ids = data.draw(st.integers(time + 1, 400))
    batching = batching_of(num_ids, time, rows, seed)
    previous = batching.batch(0)
    assert previous.reset.all()
    for step in range(1, batching.steps_per_epoch):
        batch = batching.batch(step)
        assert np.array_equal(batch.inputs[0], previous.targets[-1])
        previous = batch
    assert batching.batch(batching.steps_per_epoch).reset.all()


def test_now_and_then_a_stream_starts_anew() -> None:
    batching = batching_of(20_000, time=2, rows=10)
    resets = np.array([batching.batch(step).reset for step in range(1, 1000)])
    assert 70 < resets.sum() < 130
    # Each stream at times of its own, and not where it did an epoch before.
    assert len(set(map(tuple, resets.T.tolist()))) == 10
    epoch_later = [batching.batch(batching.steps_per_epoch + step).reset for step in range(1, 1000)]
    assert not np.array_equal(resets, epoch_later)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.data(), st.integers(1, 20), st.integers(1, 9))
def test_an_epoch_covers_the_ring_but_for_a_rest(data: st.DataObject, time: int, rows: int) -> None:
    num_ids = data.draw(st.integers(time + 1, 400))
    batching = batching_of(num_ids, time, rows)
    found = targets(batching.batch(step) for step in range(batching.steps_per_epoch))
    assert len(found) == len(set(found))
    # Each stream leaves out less than a sequence, and the streams less than one id each.
    assert num_ids - len(found) < batching.rows * (time + 1)


def test_an_epoch_without_a_rest_covers_all_of_the_ring() -> None:
    batching = batching_of(120, time=10, rows=4)
    assert batching.steps_per_epoch == 3
    for epoch in range(3):
        batches = [batching.batch(3 * epoch + step) for step in range(3)]
        assert sorted(targets(batches)) == list(range(120))


def test_epochs_begin_at_different_places() -> None:
    batching = batching_of(1000, time=10, rows=4)
    begins = {
        int(batching.batch(epoch * batching.steps_per_epoch).inputs[0, 0]) for epoch in range(8)
    }
    assert len(begins) > 6


@pytest.mark.parametrize(("num_ids", "rows"), [(11, 1), (20, 1), (21, 2), (40, 3), (41, 4)])
def test_a_short_text_has_fewer_streams(num_ids: int, rows: int) -> None:
    assert batching_of(num_ids, time=10, rows=16).rows == rows


def test_validation_asks_for_each_held_out_token_but_the_first_once() -> None:
    batching = StreamBatching(numbered(100, 5000), DataConfig(seq_len=10), 0)
    assert sorted(targets(batching.validation())) == list(range(101, 5100))


def test_validation_of_a_long_text_reads_its_beginning() -> None:
    batching = StreamBatching(numbered(100, VALIDATION_TOKENS + 999), DataConfig(seq_len=10), 0)
    found = targets(batching.validation())
    assert (min(found), max(found)) == (101, 100 + VALIDATION_TOKENS - 1)
