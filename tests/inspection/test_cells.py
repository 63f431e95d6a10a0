from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.engine.numpy_model import NumpyModel
from burble.inspection.units.cells import (
    Unit,
    correlations,
    least_correlation,
    mean_outputs,
    search,
)
from burble.inspection.units.passage import find_most_variable, show_unit
from burble.inspection.units.reading import read_blocks, read_whole
from tests.models import random_model

if TYPE_CHECKING:
    from burble.engine.step_model import StepModel
    from burble.tokenizers.base import Ids

# Such small weights forget within the warm-up, so that lanes and one pass give the same states;
# int8 would keep the difference alive in its rounding.
FILE = random_model(num_layers=2, hidden_size=12, scale=0.4)


def engine() -> StepModel:
    return NumpyModel(FILE, "float32")


def some_ids(length: int, seed: int = 0) -> Ids:
    return np.random.default_rng(seed).integers(FILE.tokenizer.vocab_size, size=length)


@pytest.mark.parametrize("length", [1, 31, 600, 9_000])
def test_each_place_is_read_once_and_with_what_stands_before_it(length: int) -> None:
    model, ids = engine(), some_ids(length)
    places = np.concatenate([block.places for block in read_blocks(model, ids)])
    assert sorted(places) == list(range(length))
    whole = read_whole(model, ids)
    for block in read_blocks(model, ids):
        np.testing.assert_allclose(block.states, whole.states[block.places], atol=1e-5)


def test_correlations_are_pearsons() -> None:
    model, ids = engine(), some_ids(3000)
    values = np.random.default_rng(1).normal(2, 3, size=(2, 3000)).astype(np.float32)
    states = read_whole(model, ids).states
    readings = {
        "hidden": states[:, :, 0],
        "cell": states[:, :, 1],
        "tanh cell": np.tanh(states[:, :, 1]),
    }
    found = correlations(model, ids, values)
    assert set(found) == set(readings)
    for name, figures in found.items():
        units = readings[name].reshape(3000, -1)
        wanted = np.corrcoef(values, units.T)[:2, 2:]
        np.testing.assert_allclose(figures.reshape(2, -1), wanted, atol=1e-3)


def test_only_an_lstm_has_cells() -> None:
    gru = NumpyModel(random_model(cell="gru"))
    assert set(correlations(gru, some_ids(50), np.ones((1, 50), np.float32))) == {"hidden"}


def test_the_unit_that_a_property_was_made_of_is_found_and_its_figure_is_held_out() -> None:
    model, ids = engine(), some_ids(4000)
    unit = Unit(1, 7, "cell")
    values = unit.of(read_whole(model, ids)).astype(np.float32)
    # In the second half it is that unit upside down, and noise.
    # Noise as wide as the unit leaves 1/√2 of a correlation.
    noise = np.random.default_rng(2).normal(0, values.std(), 2000)
    values[2000:] = -values[2000:] + noise
    found = search(model, ids, {"made": values}, top=3)["made"]
    assert found[0].unit == unit
    assert found[0].chosen == pytest.approx(1, abs=1e-3)
    assert found[0].held_out == pytest.approx(-(0.5**0.5), abs=0.1)
    # Upside down, however large: what was chosen was not found again.
    assert not found[0].tracks
    chosen = [abs(tracker.chosen) for tracker in found]
    assert chosen == sorted(chosen, reverse=True)
    assert len({(tracker.unit.layer, tracker.unit.unit) for tracker in found}) == 3


def test_what_never_changes_in_a_half_is_tracked_by_nothing() -> None:
    values = np.zeros(2000, dtype=np.float32)
    values[1500:] = 1
    assert search(engine(), some_ids(2000), {"rare": values}, top=3) == {"rare": []}


def test_means_are_those_of_the_outputs() -> None:
    model, ids = engine(), some_ids(2000)
    wanted = read_whole(model, ids).outputs.mean(axis=0)
    np.testing.assert_allclose(mean_outputs(model, ids), wanted, atol=1e-3)


def test_a_passage_shows_the_unit_in_its_context() -> None:
    model, ids, unit = engine(), some_ids(1000), Unit(0, 3, "hidden")
    passage = show_unit(model, FILE.tokenizer, ids, unit, slice(900, 950))
    assert "".join(piece for piece, _ in passage) == FILE.tokenizer.decode(ids[900:950])
    wanted = unit.of(read_whole(model, ids))[900:950]
    np.testing.assert_allclose([value for _, value in passage], wanted, atol=1e-3)


def test_a_passage_of_bytes_shows_whole_characters() -> None:
    file = random_model(vocabulary=None)
    ids = file.tokenizer.encode("aé𝄞b")
    passage = show_unit(NumpyModel(file), file.tokenizer, ids, Unit(0, 0, "hidden"), slice(0, 99))
    assert [piece for piece, _ in passage] == ["a", "é", "𝄞", "b"]


def test_the_liveliest_stretch_is_where_values_vary_the_most() -> None:
    values = np.zeros(100, dtype=np.float32)
    values[40:60:2] = 1
    assert find_most_variable(values, np.array([0, 41, 80]), 20) == 41
    assert find_most_variable(values, np.array([0, 95]), 20) == 0
    assert find_most_variable(values[:5], np.array([0, 2]), 20) == 0


def test_noise_is_tracked_by_no_unit_and_a_unit_by_itself() -> None:
    model, ids = engine(), some_ids(4000)
    draw = np.random.default_rng(8)
    noise = {str(number): draw.normal(size=4000).astype(np.float32) for number in range(20)}
    # Slow noise is like itself over twenty places.
    slow = {
        f"slow {name}": np.convolve(values, np.ones(20), "same").astype(np.float32)
        for name, values in noise.items()
    }
    found = search(model, ids, noise | slow, top=5)
    assert not any(tracker.tracks for trackers in found.values() for tracker in trackers)
    itself = Unit(1, 7, "cell").of(read_whole(model, ids)).astype(np.float32)
    assert search(model, ids, {"itself": itself}, top=1)["itself"][0].tracks


def test_the_bound_falls_with_the_text_and_rises_with_the_units() -> None:
    short, long = (np.arange(length, dtype=np.float32) for length in (1000, 10**6))
    assert least_correlation(short, 5) == pytest.approx(0.359, abs=0.001)
    assert least_correlation(short, 50) > least_correlation(short, 5)
    assert least_correlation(long, 5) == 0.2
    assert least_correlation(short[:1], 1) < 1


def test_what_is_true_in_two_places_only_is_tracked_by_hardly_any_unit() -> None:
    rare = np.zeros(10_000, np.float32)
    rare[300:340] = rare[7000:7100] = 1
    assert least_correlation(rare, 5) > 0.95
    often = (np.arange(10_000) % 100 < 20).astype(np.float32)
    assert least_correlation(often, 5) < 0.25
