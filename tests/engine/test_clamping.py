from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from burble.cells import CellKind
from burble.engine.clamping import Clamp, ClampedModel
from burble.engine.generate import GenerationRequest, stream_text
from burble.engine.numpy_model import NumpyModel
from burble.inspection.units.reading import states_after
from tests.engine.engines import every_engine, open_engine
from tests.models import random_model

if TYPE_CHECKING:
    from burble.engine.step_model import StepModel
    from burble.model_file import ModelFile
    from burble.tokenizers.base import Ids

every_cell = pytest.mark.parametrize("cell", get_args(CellKind))


def texts(model: StepModel, time: int = 11, rows: int = 3) -> Ids:
    return np.random.default_rng(0).integers(model.vocab_size, size=(time, rows))


def without_unit(file: ModelFile, reader: str, bias: str, unit: int, value: float) -> ModelFile:
    """The same network, in which one matrix takes a unit to be `value`, as its weights tell."""
    weights = dict(file.weights)
    matrix = weights[reader].copy()
    weights[bias] = weights[bias] + np.float32(value) * matrix[:, unit]
    matrix[:, unit] = 0
    weights[reader] = matrix
    return replace(file, weights=weights)


@every_engine
@every_cell
def test_holding_nothing_changes_no_bit(kernel: str, cell: CellKind) -> None:
    file = random_model(cell=cell, num_layers=2)
    engine, held = open_engine(kernel, file), ClampedModel(file, [])
    ids = texts(held)
    one, _ = engine.forward(ids, engine.start(3))
    other, _ = held.forward(ids, held.start(3))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(("cell", "value"), [("lstm", 0.4), ("rnn", -0.7), ("gru", 0.0)])
def test_a_held_unit_is_that_number_to_all_that_read_it(cell: CellKind, value: float) -> None:
    file = random_model(cell=cell, num_layers=2, scale=0.5)
    unit = 5
    edited = without_unit(file, "layers.0.weight_hh", "layers.0.bias", unit, value)
    edited = without_unit(edited, "layers.1.weight_ih", "layers.1.bias", unit, value)
    expected = NumpyModel(edited, "float32")
    held = ClampedModel(file, [Clamp(0, unit, value)], "float32")
    ids = texts(held)
    # The model's units start from zero; the edited weights hold from before the first token on.
    start = held.start(3)
    start.values[:, 0, 0, unit] = value
    found, _ = held.forward(ids, start)
    wanted, _ = expected.forward(ids, expected.start(3))
    np.testing.assert_allclose(found, wanted, atol=2e-6)
    assert not np.allclose(found, NumpyModel(file, "float32").forward(ids, held.start(3))[0])


def test_several_units_are_held_at_once_in_every_state() -> None:
    held = ClampedModel(random_model(num_layers=2), [Clamp(0, 1, 0.25), Clamp(1, 3, -0.5)])
    for state in states_after(held, texts(held), held.start(3)):
        assert (state.values[:, 0, 0, 1] == 0.25).all()
        assert (state.values[:, 1, 0, 3] == -0.5).all()
        assert len(np.unique(state.values[:, 0, 0, 3])) == 3


def test_a_held_model_writes_another_text_from_the_same_seed() -> None:
    file = random_model(head_scale=3)
    request = GenerationRequest("ab", 60, seed=3)
    holds = [Clamp(0, unit, 0.0) for unit in range(6)]
    free, again, held = (
        "".join(stream_text(ClampedModel(file, some), file.tokenizer, request))
        for some in ([], [], holds)
    )
    assert free == again != held


@every_engine
@every_cell
def test_states_are_those_of_reading_on_and_on(kernel: str, cell: CellKind) -> None:
    model = open_engine(kernel, random_model(cell=cell, num_layers=2))
    ids = texts(model)
    passed = list(states_after(model, ids, model.start(3)))
    assert len(passed) == len(ids)
    for time, state in enumerate(passed):
        _, read = model.forward(ids[: time + 1], model.start(3))
        assert np.array_equal(state.values, read.values)
