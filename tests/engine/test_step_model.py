"""What every engine promises: one state of numbers, and the same numbers however a text is read."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from burble.cells import CELLS
from burble.config import InputKind
from burble.engine import input_table
from burble.engine.numpy_model import NumpyModel
from burble.engine.step_model import State, reset
from tests.engine.engines import ENGINES, every_engine, open_engine
from tests.models import random_model

if TYPE_CHECKING:
    from burble.cells import CellKind
    from burble.engine.step_model import StepModel
    from burble.tokenizers.base import Ids

TIME, ROWS = 9, 4

every_cell = pytest.mark.parametrize("cell", CELLS)
every_input = pytest.mark.parametrize("kind", get_args(InputKind))
every_native = pytest.mark.parametrize("kernel", ENGINES[1:])

# What cells do to a state they do in NumPy, and each kernel shows it with one of them: that all do
# the same is tested below.
every_pair = pytest.mark.parametrize(
    ("kernel", "cell"),
    [("numpy", cell) for cell in CELLS]
    + list(zip(ENGINES[1:], itertools.cycle(CELLS), strict=False)),
)


def engine(kernel: str, cell: CellKind = "lstm", **options: Any) -> StepModel:
    return open_engine(kernel, random_model(cell=cell, **{"num_layers": 2, **options}))


def texts(model: StepModel, rows: int = ROWS, seed: int = 0) -> Ids:
    return np.random.default_rng(seed).integers(model.vocab_size, size=(TIME, rows))


def same(one: Any, other: Any) -> bool:
    """Bit for bit, the sign of zero and the type included."""
    return bool(
        one.dtype == other.dtype == np.float32
        and one.shape == other.shape
        and np.array_equal(
            np.ascontiguousarray(one).view(np.uint32), np.ascontiguousarray(other).view(np.uint32)
        )
    )


def same_state(one: State, other: State) -> bool:
    return same(one.values, other.values)


@every_pair
def test_a_fresh_state_is_zeros(kernel: str, cell: CellKind) -> None:
    state = engine(kernel, cell, num_layers=3, hidden_size=5).start(ROWS)
    assert same(state.values, np.zeros((ROWS, 3, len(CELLS[cell].states), 5), np.float32))


@every_pair
def test_a_text_is_read_the_same_in_any_parts(kernel: str, cell: CellKind) -> None:
    model = engine(kernel, cell, residual=True)
    ids = texts(model)
    whole, after = model.forward(ids, model.start(ROWS))
    for cut in range(TIME + 1):
        first, state = model.forward(ids[:cut], model.start(ROWS))
        second, state = model.forward(ids[cut:], state)
        assert same(np.concatenate([first, second]), whole)
        assert same_state(state, after)
    state = model.start(ROWS)
    for time in range(TIME):
        stepped, state = model.step(ids[time], state)
        assert same(stepped, whole[time])
    assert same_state(state, after)


@every_pair
def test_a_prompt_is_read_as_a_row_of_a_text(kernel: str, cell: CellKind) -> None:
    model = engine(kernel, cell, residual=True)
    ids = texts(model, rows=1)
    whole, after = model.forward(ids, model.start(1))
    logits, state = model.prefill(ids[:, 0])
    assert same(logits, whole[-1])
    assert same_state(state, after)
    _, half = model.prefill(ids[:7, 0])
    before = half.values.copy()
    rest, end = model.prefill(ids[7:, 0], half)
    assert same(rest, logits)
    assert same_state(end, state)
    assert same(half.values, before)


@every_pair
def test_rows_picked_in_any_order_read_on(kernel: str, cell: CellKind) -> None:
    rows = [3, 1, 1, 2]
    model = engine(kernel, cell)
    picked = np.array(rows, dtype=np.int64)
    _, state = model.forward(texts(model), model.start(ROWS))
    following = texts(model, seed=1)[0]
    expected, after = model.step(following, state)
    logits, read = model.step(following[picked], State(state.values[picked]))
    assert logits.shape == (len(rows), model.vocab_size)
    assert same(logits, expected[picked])
    assert same_state(read, State(after.values[picked]))


@pytest.mark.parametrize("rows", [[3, 1, 0, 2], [2], [1, 1, 1], []])
def test_select_picks_rows_in_order(rows: list[int]) -> None:
    state = State(np.arange(ROWS * 6, dtype=np.float32).reshape(ROWS, 3, 2, 1))
    picked = state.values[np.array(rows, dtype=np.int64)]
    assert picked.shape == (len(rows), 3, 2, 1)
    assert all(same(found, state.values[row]) for found, row in zip(picked, rows, strict=True))


def test_reset_clears_the_marked_rows_only() -> None:
    state = State(np.arange(1, ROWS * 6 + 1, dtype=np.float32).reshape(ROWS, 3, 2, 1))
    before = state.values.copy()
    marked = np.array([True, False, True, False])
    again = reset(state, marked)
    assert same(again.values[marked], np.zeros((2, 3, 2, 1), np.float32))
    assert same(again.values[~marked], before[~marked])
    assert same(state.values, before)


@every_pair
def test_a_row_that_was_reset_reads_on_as_a_fresh_one(kernel: str, cell: CellKind) -> None:
    model = engine(kernel, cell)
    _, state = model.forward(texts(model), model.start(ROWS))
    ids = texts(model, seed=1)
    marked = np.array([True, False, False, True])
    logits, _ = model.forward(ids, reset(state, marked))
    fresh, _ = model.forward(ids, model.start(ROWS))
    carried, _ = model.forward(ids, state)
    assert same(logits[:, marked], fresh[:, marked])
    assert same(logits[:, ~marked], carried[:, ~marked])


@every_pair
def test_a_state_can_be_read_on_from_again_and_again(kernel: str, cell: CellKind) -> None:
    model = engine(kernel, cell)
    _, state = model.prefill(texts(model)[:, 0])
    before = state.values.copy()
    first, _ = model.step(np.array([1]), state)
    model.step(np.array([2]), state)
    model.forward(np.array([[3], [4]]), state)
    again, _ = model.step(np.array([1]), state)
    assert same(first, again)
    assert same(state.values, before)


@every_pair
@every_input
def test_one_unit_and_one_token_are_enough(kernel: str, cell: CellKind, kind: InputKind) -> None:
    options = {"input": kind, "hidden_size": 1, "embedding_size": 1, "vocabulary": "a"}
    model = engine(kernel, cell, residual=True, **options)
    logits, state = model.prefill(np.zeros(5, dtype=np.uint8))
    assert logits.shape == (1, 1)
    logits, _ = model.step(np.zeros(1, dtype=np.uint8), state)
    assert np.isfinite(logits).all()


@every_engine
def test_the_scalar_input_is_the_id_as_a_share_of_the_vocabulary(kernel: str) -> None:
    file = random_model(cell="rnn", input="scalar", vocabulary="abcd", hidden_size=3)
    weights = file.weights
    before = 2 / 4 * weights["layers.0.weight_ih"][:, 0] + weights["layers.0.bias"]
    _, state = open_engine(kernel, file).prefill(np.array([2]))
    # To a fresh state, there is no product yet that could be rounded to int8.
    np.testing.assert_allclose(state.values[0, 0, 0], np.tanh(before), rtol=1e-6)


@every_engine
def test_the_weights_of_the_file_stay_as_they_are(kernel: str) -> None:
    file, untouched = random_model(num_layers=2), random_model(num_layers=2)
    model = open_engine(kernel, file)
    model.forward(texts(model), model.start(ROWS))
    assert all(same(file.weights[name], weight) for name, weight in untouched.weights.items())


# One arithmetic.


def assert_as_numpy(kernel: str, **options: Any) -> None:
    """Bit for bit, from a state that is not fresh."""
    file = random_model(**options)
    reference, model = NumpyModel(file), open_engine(kernel, file)
    ids = texts(model, rows=5)
    _, state = reference.forward(ids, reference.start(5))
    expected, after = reference.forward(ids[::-1], state)
    logits, found = model.forward(ids[::-1], state)
    assert same(logits, expected)
    assert same_state(found, after)


# Each cell with each input; the depth goes along.
@every_native
@every_cell
@pytest.mark.parametrize(("kind", "num_layers"), [("embedding", 1), ("one-hot", 3), ("scalar", 3)])
def test_every_engine_computes_the_same_numbers(
    kernel: str, cell: CellKind, kind: InputKind, num_layers: int
) -> None:
    for residual in {False, num_layers > 1}:
        options = {"input": kind, "num_layers": num_layers, "residual": residual}
        assert_as_numpy(kernel, cell=cell, hidden_size=13, **options)


@every_native
@every_cell
def test_every_engine_computes_the_same_numbers_at_odd_sizes(kernel: str, cell: CellKind) -> None:
    for hidden_size in (1, 2, 3, 4, 5, 15, 16, 17, 31, 64, 65, 130):
        assert_as_numpy(kernel, cell=cell, num_layers=2, hidden_size=hidden_size, residual=True)


@every_engine
def test_an_embedding_too_large_for_a_table_is_read_by_the_row(
    kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"embedding_size": 5, "num_layers": 2, "vocabulary": None}
    model = engine(kernel, **options)
    folded, _ = model.forward(texts(model), model.start(ROWS))
    monkeypatch.setattr(input_table, "MAX_FOLDED", 0)
    model = engine(kernel, **options)
    by_the_row, _ = model.forward(texts(model), model.start(ROWS))
    assert 0 < np.abs(folded - by_the_row).max() < 0.1 * np.abs(folded).max()
    assert_as_numpy(kernel, **options)


@every_engine
@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e-10, 1e3, 1e15])
def test_weights_of_any_size_give_numbers_and_no_warning(kernel: str, scale: float) -> None:
    assert_as_numpy(kernel, num_layers=2, scale=scale, residual=True)
    model = engine(kernel, scale=scale, residual=True)
    logits, state = model.forward(texts(model), model.start(ROWS))
    assert np.isfinite(logits).all()
    assert np.isfinite(state.values).all()
