"""A window slid over the text, and one target after it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from burble.config import PRESETS, DataConfig, NormalizationConfig
from burble.data.windows import WindowBatching, count_patterns
from burble.text.normalization import normalize

from .texts import numbered, targets

if TYPE_CHECKING:
    from pathlib import Path


def naive_starts(num_ids: int, seq_len: int, stride: int) -> list[int]:
    return list(range(0, num_ids - seq_len, stride))


def batching_of(num_ids: int, *, num_val: int = 0, **options: int) -> WindowBatching:
    return WindowBatching(numbered(num_ids, num_val), DataConfig(**options), seed=0)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.integers(0, 200), st.integers(1, 50), st.integers(1, 60))
def test_as_many_windows_as_a_loop_would_make(num_ids: int, seq_len: int, stride: int) -> None:
    assert count_patterns(num_ids, seq_len, stride) == len(naive_starts(num_ids, seq_len, stride))


def test_the_tutorials_text_gives_the_tutorials_patterns(alice: Path) -> None:
    text = normalize(alice.read_text("utf-8"), NormalizationConfig(lowercase=True))
    assert (len(text), len(set(text))) == (144_434, 47)
    data = PRESETS["tutorial"].data
    assert count_patterns(len(text), data.seq_len, data.stride) == 144_334


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.integers(1, 20), st.integers(1, 25), st.integers(1, 9), st.integers(1, 150))
def test_an_epoch_asks_once_after_each_window(
    seq_len: int, stride: int, rows: int, more: int
) -> None:
    batching = batching_of(seq_len + more, seq_len=seq_len, stride=stride, batch_size=rows)
    steps = range(batching.steps_per_epoch, 2 * batching.steps_per_epoch)
    found = Counter(targets(batching.batch(step) for step in steps))
    starts = naive_starts(seq_len + more, seq_len, stride)
    assert found == Counter(start + seq_len for start in starts)


def test_each_row_has_one_target_at_its_end_and_a_fresh_state() -> None:
    batching = batching_of(100, seq_len=8, stride=3, batch_size=5)
    batch = batching.batch(0)
    assert batch.mask.sum(axis=0).tolist() == [1] * 5
    assert batch.mask[-1].all()
    assert batch.reset.all()
    assert np.array_equal(batch.inputs[-1] - batch.inputs[0], [7] * 5)
    assert (batch.inputs[0] % 3 == 0).all()


def test_validation_asks_after_each_held_out_window_once() -> None:
    batching = batching_of(50, num_val=40, seq_len=8, stride=5, batch_size=3)
    starts = naive_starts(40, 8, 5)
    assert targets(batching.validation()) == [50 + start + 8 for start in starts]
