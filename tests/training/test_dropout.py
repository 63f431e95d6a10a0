"""What is dropped follows from seed, step and place: in C, in NumPy, in every process of a team."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from burble.config import TrainingConfig
from burble.native.library import library
from burble.philox import philox4x64
from burble.training import dropout
from burble.training.dropout import INPUT, draw_factors, draw_mask, numpy_factors

if TYPE_CHECKING:
    from burble.arithmetic import Float32

SHAPE = (6, 4, 50)

needs_library = pytest.mark.skipif(library() is None, reason="without the C library")


def mask(
    place: int = 1, step: int = 3, shape: tuple[int, int, int] = SHAPE, **options: Any
) -> Float32:
    found = draw_mask(TrainingConfig(**{"dropout": 0.4, "seed": 9, **options}), place, step, shape)
    assert found is not None
    return found


@needs_library
@pytest.mark.parametrize("rate", [1e-12, 0.1, 0.5, 1 / 3, 0.999999])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 1000])
def test_numpy_draws_what_c_draws(rate: float, count: int) -> None:
    key = (2**63 - 1, 10**12)
    expected = draw_factors(rate, key, 2, count)
    assert numpy_factors(rate, key, 2, count).tobytes() == expected.tobytes()


@pytest.mark.parametrize("native", [pytest.param(True, marks=needs_library), False])
def test_factors_are_those_of_the_words_halves(
    monkeypatch: pytest.MonkeyPatch, *, native: bool
) -> None:
    if not native:
        monkeypatch.setattr(dropout, "library", lambda: None)
    words = [word for block in range(2) for word in philox4x64((block, 3, 0, 0), (9, 4))]
    halves = [half for word in words for half in (word & (2**32 - 1), word >> 32)]
    expected = [0 if half < 0.25 * 2**32 else np.float32(1 / 0.75) for half in halves]
    assert 0 < expected.count(0) < 16
    assert draw_factors(0.25, (9, 4), 3, 16).tolist() == expected


def test_locked_dropout_drops_the_same_units_at_every_time() -> None:
    assert mask().shape == (1, 4, 50)
    np.testing.assert_array_equal(mask(), mask(shape=(1, 4, 50)))
    assert len({row.tobytes() for row in mask()[0]}) == 4


def test_free_dropout_draws_anew_at_every_time() -> None:
    found = mask(locked_dropout=False)
    assert found.shape == SHAPE
    assert len({row.tobytes() for row in found.reshape(-1, 50)}) == 24
    # Numbered time first, so that the first time is that of locked ones.
    np.testing.assert_array_equal(found[:1], mask())


def test_dropout_keeps_the_mean_and_scales_what_stays() -> None:
    found = mask(shape=(100, 20, 50), locked_dropout=False)
    assert set(found.flat) == {0, np.float32(1 / 0.6)}
    assert found.mean() == pytest.approx(1, abs=0.01)


def test_places_steps_and_seeds_drop_others() -> None:
    drawn = [mask(), mask(place=2), mask(step=4), mask(seed=10), mask(INPUT, input_dropout=0.4)]
    assert len({found.tobytes() for found in drawn}) == len(drawn)


def test_each_place_has_its_rate() -> None:
    rates = TrainingConfig(dropout=0.2, input_dropout=0.5)
    found = [draw_mask(rates, place, 0, (1, 100, 100)) for place in (INPUT, 1, 2)]
    shares = [float((factors == 0).mean()) for factors in found if factors is not None]
    assert shares == pytest.approx([0.5, 0.2, 0.2], abs=0.02)
    assert draw_mask(TrainingConfig(dropout=0, input_dropout=0.1), 1, 0, SHAPE) is None
    assert draw_mask(TrainingConfig(dropout=0.1, input_dropout=0), INPUT, 0, SHAPE) is None


@needs_library
def test_c_draws_any_stretch_of_the_numbers() -> None:
    native, key = library(), np.array([9, 4], np.uint64)
    assert native is not None
    whole = numpy_factors(0.4, (9, 4), 2, 64)
    for first in range(20):
        for count in range(1, 30):
            found = np.full(count + 1, 99, np.float32)
            native.burble_dropout(0.4, key.ctypes.data, 2, first, count, found.ctypes.data)
            assert found.tolist() == [*whole[first : first + count].tolist(), 99]
