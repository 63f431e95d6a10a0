from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.engine.numpy_model import NumpyModel
from burble.serving.completions.prefix_cache import PrefixCache
from tests.models import random_model

if TYPE_CHECKING:
    from collections.abc import Generator

    from burble.arithmetic import Float32
    from burble.engine.step_model import State
    from burble.tokenizers.base import Ids


class Counting(NumpyModel):
    """Counts the tokens that it reads."""

    count = 0

    def prefill(self, ids: Ids, state: State | None = None) -> tuple[Float32, State]:
        self.count += len(ids)
        return super().prefill(ids, state)


@pytest.fixture
def model() -> Counting:
    return Counting(random_model())


def text(seed: int, length: int) -> Ids:
    return np.random.default_rng(seed).integers(0, 9, length)


def finish(reading: Generator[None, None, State]) -> State:
    while True:
        try:
            next(reading)
        except StopIteration as end:
            state: State = end.value
            return state


def assert_right(prefix_cache: PrefixCache, model: Counting, ids: Ids) -> int:
    """The state is that of reading all at once; how many tokens were read for it."""
    model.count = 0
    state = finish(prefix_cache.read(ids))
    count = model.count
    expected = model.prefill(ids)[1] if len(ids) else model.start(1)
    assert np.array_equal(state.values, expected.values)
    return count


@pytest.mark.parametrize("length", [0, 1, 511, 512, 513, 1024, 1500])
def test_a_text_is_read_once(model: Counting, length: int) -> None:
    prefix_cache = PrefixCache(model)
    assert assert_right(prefix_cache, model, text(0, length)) == length
    assert assert_right(prefix_cache, model, text(0, length)) == 0


def test_a_text_that_goes_on_is_read_from_where_it_ended(model: Counting) -> None:
    prefix_cache = PrefixCache(model)
    assert_right(prefix_cache, model, text(0, 1024))
    assert assert_right(prefix_cache, model, text(0, 1300)) == 1300 - 1024


def test_a_text_that_goes_on_differently_is_read_from_shortly_before(model: Counting) -> None:
    prefix_cache = PrefixCache(model)
    assert_right(prefix_cache, model, text(0, 2000))
    branch = np.concatenate([text(0, 1100), text(1, 50)])
    assert assert_right(prefix_cache, model, branch) == 1150 - 1024
    assert assert_right(prefix_cache, model, text(2, 1150)) == 1150


def test_what_was_not_used_for_longest_is_forgotten(model: Counting) -> None:
    prefix_cache = PrefixCache(model, most=2)
    assert_right(prefix_cache, model, text(0, 10))
    assert_right(prefix_cache, model, text(1, 10))
    assert assert_right(prefix_cache, model, text(0, 10)) == 0
    assert_right(prefix_cache, model, text(2, 10))
    assert assert_right(prefix_cache, model, text(0, 10)) == 0
    assert assert_right(prefix_cache, model, text(1, 10)) == 10
