"""What every engine promises of its state: it can be split, picked from, reset and carried."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from burble.config import CellKind, InputKind
from burble.engine.step_model import NumpyModel
from tests.models import random_model

if TYPE_CHECKING:
    from burble.engine.cells import Float32
    from burble.engine.step_model import State
    from burble.tokenizers.base import Ids

TIME, ROWS = 9, 4

every_cell = pytest.mark.parametrize("cell", get_args(CellKind))


def engine(cell: CellKind = "lstm", **options: object) -> NumpyModel:
    return NumpyModel(random_model(cell=cell, **{"num_layers": 2, **options}))  # type: ignore[arg-type]


def texts(model: NumpyModel, rows: int = ROWS, seed: int = 0) -> Ids:
    return np.random.default_rng(seed).integers(model.vocab_size, size=(TIME, rows))


def assert_close(one: Float32, other: Float32) -> None:
    np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-5)


def assert_same_state(one: State, other: State, *, atol: float = 1e-5) -> None:
    for layer, same in zip(one.layers, other.layers, strict=True):
        for part, expected in zip(layer, same, strict=True):
            np.testing.assert_allclose(part, expected, atol=atol, rtol=0)


@every_cell
def test_prefill_is_step_by_step(cell: CellKind) -> None:
    model = engine(cell, residual=True)
    ids = texts(model, rows=1)
    logits, state = model.prefill(ids[:, 0])
    stepped, one = np.empty(0), model.start(1)
    for token in ids:
        stepped, one = model.step(token, one)
    assert logits.shape == (1, model.vocab_size)
    assert_close(logits, stepped)
    assert_same_state(state, one)


@every_cell
def test_forward_is_step_by_step(cell: CellKind) -> None:
    model = engine(cell)
    ids = texts(model)
    logits, state = model.forward(ids, model.start(ROWS))
    one = model.start(ROWS)
    for time in range(TIME):
        stepped, one = model.step(ids[time], one)
        assert stepped.shape == (ROWS, model.vocab_size)
        assert_close(logits[time], stepped)
    assert_same_state(state, one)


@every_cell
def test_a_text_is_read_the_same_in_any_parts(cell: CellKind) -> None:
    model = engine(cell)
    ids = texts(model)
    whole, after = model.forward(ids, model.start(ROWS))
    for cut in range(TIME + 1):
        first, state = model.forward(ids[:cut], model.start(ROWS))
        second, state = model.forward(ids[cut:], state)
        assert_close(np.concatenate([first, second]), whole)
        assert_same_state(state, after)


@every_cell
def test_rows_side_by_side_are_read_as_if_alone(cell: CellKind) -> None:
    model = engine(cell)
    ids = texts(model)
    together, _ = model.forward(ids, model.start(ROWS))
    for row in range(ROWS):
        alone, _ = model.prefill(ids[:, row])
        assert_close(together[-1, row], alone[0])


@every_cell
@pytest.mark.parametrize("rows", [[3, 1, 0, 2], [2], [1, 1, 1], []])
def test_select_picks_rows_in_order(cell: CellKind, rows: list[int]) -> None:
    model = engine(cell)
    picked = np.array(rows, dtype=np.int64)
    _, state = model.forward(texts(model), model.start(ROWS))
    following = texts(model, seed=1)[0]
    expected, _ = model.step(following, state)
    logits, _ = model.step(following[picked], model.select(state, picked))
    assert logits.shape == (len(rows), model.vocab_size)
    assert_close(logits, expected[picked])


@every_cell
def test_reset_clears_the_marked_rows_only(cell: CellKind) -> None:
    model = engine(cell)
    _, state = model.forward(texts(model), model.start(ROWS))
    marked = np.array([True, False, True, False])
    again = model.reset(state, marked)
    for before, after in zip(state.layers, again.layers, strict=True):
        for old, new in zip(before, after, strict=True):
            assert np.count_nonzero(new[marked]) == 0
            assert np.array_equal(new[~marked], old[~marked])
            assert np.count_nonzero(old[marked])
            assert new.dtype == np.float32


@every_cell
def test_a_row_that_was_reset_reads_on_as_a_fresh_one(cell: CellKind) -> None:
    model = engine(cell)
    _, state = model.forward(texts(model), model.start(ROWS))
    ids = texts(model, seed=1)
    logits, _ = model.forward(ids, model.reset(state, np.ones(ROWS, dtype=bool)))
    fresh, _ = model.forward(ids, model.start(ROWS))
    assert_close(logits, fresh)


@every_cell
def test_a_state_can_be_read_on_from_again_and_again(cell: CellKind) -> None:
    model = engine(cell)
    _, state = model.prefill(texts(model)[:, 0])
    first, _ = model.step(np.array([1]), state)
    model.step(np.array([2]), state)
    model.reset(state, np.array([True]))
    again, _ = model.step(np.array([1]), state)
    assert np.array_equal(first, again)


@every_cell
def test_the_state_matters(cell: CellKind) -> None:
    model = engine(cell)
    one, _ = model.prefill(np.array([1, 2, 3]))
    other, _ = model.prefill(np.array([4, 2, 3]))
    assert np.abs(one - other).max() > 1e-4


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.int64])
def test_ids_of_any_type_are_read(dtype: type[np.integer]) -> None:
    model = engine()
    expected, _ = model.prefill(np.array([1, 2, 3]))
    logits, _ = model.prefill(np.array([1, 2, 3], dtype=dtype))
    assert np.array_equal(logits, expected)


@pytest.mark.parametrize("kind", get_args(InputKind))
@every_cell
def test_one_unit_and_one_token_are_enough(cell: CellKind, kind: InputKind) -> None:
    model = engine(cell, input=kind, hidden_size=1, embedding_size=1, vocabulary="a", residual=True)
    logits, state = model.prefill(np.zeros(5, dtype=np.uint8))
    assert logits.shape == (1, 1)
    logits, _ = model.step(np.zeros(1, dtype=np.uint8), state)
    assert np.isfinite(logits).all()


def test_the_scalar_input_is_the_id_as_a_share_of_the_vocabulary() -> None:
    file = random_model(cell="rnn", input="scalar", vocabulary="abcd", hidden_size=3)
    weights = file.weights
    before = 2 / 4 * weights["layers.0.weight_ih"][:, 0] + weights["layers.0.bias"]
    expected = weights["head.weight"] @ np.tanh(before) + weights["head.bias"]
    logits, _ = NumpyModel(file).prefill(np.array([2]))
    assert_close(logits[0], expected)


def test_the_weights_of_the_file_stay_as_they_are() -> None:
    file, same = random_model(num_layers=2), random_model(num_layers=2)
    model = NumpyModel(file)
    model.forward(texts(model), model.start(ROWS))
    assert all(np.array_equal(file.weights[name], same.weights[name]) for name in same.weights)
