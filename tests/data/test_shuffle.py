"""A random order without a list: each item once, another order each epoch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.data.batch import Batch
from burble.data.shuffle import VALIDATION_ITEMS, ShuffledRows, permute

COUNTS = sorted({1, 2, 3, *(2**power + more for power in range(2, 13) for more in (-1, 0, 1))})


def order(count: int, seed: tuple[int, ...] = (0, 0)) -> list[int]:
    return permute(np.arange(count), count, seed).tolist()


def row_batch(items: np.ndarray) -> Batch:
    inputs = items[None, :].astype(np.int64)
    return Batch(inputs, inputs + 1, np.ones_like(inputs, dtype=bool), np.ones(len(items), bool))


def rows_of(count: int, rows: int, val_count: int = 0, seed: int = 0) -> ShuffledRows:
    return ShuffledRows(rows, seed, (count, row_batch), (val_count, row_batch))


def kept(batch: Batch) -> list[int]:
    return batch.inputs[batch.mask].tolist()


@pytest.mark.parametrize("count", COUNTS)
def test_each_item_has_one_place(count: int) -> None:
    assert sorted(order(count)) == list(range(count))


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.integers(1, 3000), st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**40)))
def test_each_item_has_one_place_for_any_seed(count: int, seed: tuple[int, int]) -> None:
    assert sorted(order(count, seed)) == list(range(count))


def test_an_item_finds_its_place_without_the_others() -> None:
    whole = order(1000)
    assert [int(permute(np.array([item]), 1000, (0, 0))[0]) for item in (0, 7, 999)] == [
        whole[0],
        whole[7],
        whole[999],
    ]


def test_seeds_and_epochs_give_other_orders() -> None:
    orders = {tuple(order(100, (seed, epoch))) for seed in range(10) for epoch in range(10)}
    assert len(orders) == 100


def test_the_order_looks_random() -> None:
    # Of random permutations, neighbours stay neighbours once on average, one item stays in place.
    places = np.array(order(10_000))
    assert (np.abs(np.diff(places)) == 1).sum() < 12
    assert (places == np.arange(10_000)).sum() < 10
    assert abs(np.corrcoef(places, np.arange(10_000))[0, 1]) < 0.05


def test_a_huge_count_needs_no_memory() -> None:
    found = permute(np.arange(1000) + 10**12, 10**13, (0, 0))
    assert len(set(found.tolist())) == 1000
    assert found.min() >= 0
    assert found.max() < 10**13


@settings(deadline=None, max_examples=80, derandomize=True)
@given(st.integers(1, 200), st.integers(1, 30), st.integers(0, 9))
def test_an_epoch_draws_each_item_once(count: int, rows: int, epoch: int) -> None:
    batches = rows_of(count, rows)
    steps = range(epoch * batches.steps_per_epoch, (epoch + 1) * batches.steps_per_epoch)
    assert sorted(item for step in steps for item in kept(batches.batch(step))) == list(
        range(count)
    )


def test_only_the_last_batch_of_an_epoch_is_filled_up_with_masked_rows() -> None:
    batches = rows_of(count=10, rows=4)
    assert [len(kept(batches.batch(step))) for step in range(6)] == [4, 4, 2, 4, 4, 2]
    assert all(batches.batch(step).inputs.shape == (1, 4) for step in range(6))


@pytest.mark.parametrize("count", [1, 3, 4, 5, VALIDATION_ITEMS])
def test_few_held_out_items_are_all_read_once(count: int) -> None:
    batches = list(rows_of(9, rows=4, val_count=count).validation())
    assert [item for batch in batches for item in kept(batch)] == list(range(count))
    assert all(batch.inputs.shape == (1, 4) for batch in batches)


def test_of_many_held_out_items_some_are_read_evenly_spaced() -> None:
    batches = rows_of(9, rows=64, val_count=5 * VALIDATION_ITEMS).validation()
    items = [item for batch in batches for item in kept(batch)]
    assert items == list(range(0, 5 * VALIDATION_ITEMS, 5))
