"""The gate algebra, against the formulas of the papers written out unit by unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from burble.cells import CELLS, MEANINGS, CellKind
from burble.engine.cells import STEPS

if TYPE_CHECKING:
    from burble.engine.cells import Float32, Values

ROWS, HIDDEN = 3, 4

Blocks = list[float]
"""What one unit gets from one side, gate by gate."""


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def lstm(from_input: Blocks, from_state: Blocks, state: tuple[float, ...]) -> tuple[float, ...]:
    i, f, g, o = (x + h for x, h in zip(from_input, from_state, strict=True))
    cell = sigmoid(f) * state[1] + sigmoid(i) * math.tanh(g)
    return sigmoid(o) * math.tanh(cell), cell


def gru(from_input: Blocks, from_state: Blocks, state: tuple[float, ...]) -> tuple[float, ...]:
    reset = sigmoid(from_input[0] + from_state[0])
    update = sigmoid(from_input[1] + from_state[1])
    candidate = math.tanh(from_input[2] + reset * from_state[2])
    return ((1 - update) * candidate + update * state[0],)


def rnn(from_input: Blocks, from_state: Blocks, _: tuple[float, ...]) -> tuple[float, ...]:
    return (math.tanh(from_input[0] + from_state[0]),)


UNITS = {"lstm": lstm, "gru": gru, "rnn": rnn}


def numbers(*shape: int, seed: int, reach: float = 1.0) -> Float32:
    return (np.random.default_rng(seed).normal(size=shape) * reach).astype(np.float32)


def step(kind: CellKind, from_input: Float32, from_state: Float32, state: Values) -> Values:
    values = STEPS[kind](from_input, from_state, state)
    assert set(values) == set(CELLS[kind].values)
    return {name: values[name] for name in CELLS[kind].states}


def state_of(kind: CellKind) -> Values:
    return {name: numbers(ROWS, HIDDEN, seed=7 + n) for n, name in enumerate(CELLS[kind].states)}


def test_the_table_has_every_kind_and_says_what_its_values_mean() -> None:
    assert list(CELLS) == list(get_args(CellKind))
    for cell in CELLS.values():
        assert set(cell.values) <= set(MEANINGS)
        assert cell.onnx is None or sorted(cell.onnx.gates) == sorted(cell.gates)


@pytest.mark.parametrize("kind", CELLS)
def test_one_step_is_the_formula(kind: CellKind) -> None:
    width = len(CELLS[kind].gates) * HIDDEN
    from_input, from_state = numbers(ROWS, width, seed=1), numbers(ROWS, width, seed=2)
    before = state_of(kind)
    after = step(kind, from_input, from_state, before)
    for row, unit in np.ndindex(ROWS, HIDDEN):
        expected = UNITS[kind](
            from_input[row, unit::HIDDEN].tolist(),
            from_state[row, unit::HIDDEN].tolist(),
            tuple(float(part[row, unit]) for part in before.values()),
        )
        np.testing.assert_allclose(
            [part[row, unit] for part in after.values()], expected, rtol=1e-5
        )


@pytest.mark.parametrize("kind", CELLS)
def test_a_step_makes_a_new_state_and_keeps_its_type(kind: CellKind) -> None:
    width = len(CELLS[kind].gates) * HIDDEN
    given = numbers(ROWS, width, seed=1), numbers(ROWS, width, seed=2), state_of(kind)
    after = step(kind, *given)
    assert all(part.dtype == np.float32 for part in after.values())
    for name, part in state_of(kind).items():
        assert np.array_equal(part, given[2][name])


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("reach", [100.0, 1e4, 1e30])
def test_gates_far_from_zero_saturate_without_a_warning(kind: CellKind, reach: float) -> None:
    width = len(CELLS[kind].gates) * HIDDEN
    given = numbers(ROWS, width, seed=1, reach=reach), numbers(ROWS, width, seed=2, reach=reach)
    after = step(kind, *given, state_of(kind))
    assert all(np.isfinite(part).all() for part in after.values())
    assert (np.abs(after["hidden"]) <= 4).all()
