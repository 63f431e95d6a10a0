from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

from burble.cells import CellKind
from burble.errors import TextError
from burble.model_file import Provenance
from burble.training.gradients import flow_of_run, gradient_flow
from burble.training.initial import initial_weights
from tests.models import random_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from burble.config import InputKind
    from burble.model_file import ModelFile
    from burble.training.gradients import Flow

    Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

VOCAB, HIDDEN, WARMUP, BACK = 7, 4, 50, 5
IDS = np.random.default_rng(0).integers(VOCAB, size=WARMUP + BACK + 2)


def build(cell: CellKind, input: InputKind = "embedding", num_layers: int = 1) -> ModelFile:  # noqa: A002
    return random_model(
        cell=cell,
        input=input,
        num_layers=num_layers,
        hidden_size=HIDDEN,
        embedding_size=3,
        residual=True,
        vocabulary="abcdefg",
        seed=1,
    )


def flow_of(model: ModelFile) -> Flow:
    return gradient_flow(model.network, model.weights, IDS, farthest=BACK, windows=1)


def lstm_step(model: ModelFile, token: int, h: Array, c: Array) -> tuple[Array, Array, Array]:
    """Hidden, cell and output gate, from the formulas."""
    weights = model.weights
    x = weights["embedding.weight"][token].astype(np.float64)
    gates = weights["layers.0.weight_ih"] @ x + weights["layers.0.weight_hh"] @ h
    i, f, g, o = np.split(gates + weights["layers.0.bias"], 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c, sigmoid(o)


def sigmoid(x: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-x))
    return result


def loss_with(model: ModelFile, back: int, change: Callable[[Array, Array], Array]) -> float:
    """The loss at the last of IDS when the state `back` characters before was changed."""
    h = c = np.zeros(HIDDEN)
    last = len(IDS) - 2
    for place, token in enumerate(IDS[:-1].tolist()):
        h, c, output = lstm_step(model, token, h, c)
        if place == last - back:
            h, c = change(np.stack([h, c]), output)
    logits = model.weights["head.weight"] @ h + model.weights["head.bias"]
    return float(np.log(np.exp(logits).sum()) - logits[IDS[-1]])


def numeric_gradient(model: ModelFile, back: int, part: int) -> float:
    """The norm of the gradient with respect to the hidden, 0, or the cell, 1, by differences.

    A changed cell changes the hidden that is made of it, as well.
    """
    total = 0.0
    for unit in range(HIDDEN):

        def losses(step: float, unit: int = unit) -> float:
            def change(state: Array, output: Array) -> Array:
                state[part, unit] += step
                if part == 1:
                    state[0] = output * np.tanh(state[1])
                return state

            return loss_with(model, back, change)

        total += ((losses(1e-5) - losses(-1e-5)) / 2e-5) ** 2
    return math.sqrt(total)


@pytest.mark.parametrize(("name", "part"), [("hidden", 0), ("cell", 1)])
def test_the_flow_is_what_differences_tell(name: str, part: int) -> None:
    model = build("lstm")
    numeric = [numeric_gradient(model, back, part) for back in range(BACK + 1)]
    assert flow_of(model)[name] == pytest.approx(
        [value / numeric[0] for value in numeric], rel=1e-5
    )


@pytest.mark.parametrize("cell", get_args(CellKind))
@pytest.mark.parametrize("input", ["embedding", "one-hot", "scalar"])
def test_every_network_has_a_flow_from_one_on(cell: CellKind, input: InputKind) -> None:  # noqa: A002
    flow = flow_of(build(cell, input, num_layers=2))
    assert list(flow) == (["hidden", "cell"] if cell == "lstm" else ["hidden"])
    for values in flow.values():
        assert len(values) == BACK + 1
        assert values[0] == 1
        assert all(value > 0 for value in values)


def test_an_open_forget_gate_keeps_the_gradient_of_the_cell_whole() -> None:
    model = build("lstm")
    model.weights["layers.0.weight_hh"][:] = 0
    bias = model.weights["layers.0.bias"]
    bias[HIDDEN : 2 * HIDDEN] = 50
    # Nothing gets in, so that the cell stays where its derivative is one.
    bias[:HIDDEN] = -50
    flow = flow_of(model)
    # The newest passes through the last output gate only, and so do all before it.
    assert flow["cell"] == pytest.approx([1.0] * (BACK + 1), rel=1e-6)
    assert flow["hidden"] == [1.0] + [0.0] * BACK


def test_an_rnn_without_recurrence_passes_nothing_back() -> None:
    model = build("rnn")
    model.weights["layers.0.weight_hh"][:] = 0
    assert flow_of(model)["hidden"] == [1.0] + [0.0] * BACK


def test_weights_beyond_all_learning_raise_no_warning() -> None:
    model = build("rnn")
    model.weights["layers.0.weight_hh"][:] = 1e38
    model.weights["head.weight"][:] = 0
    assert len(flow_of(model)["hidden"]) == BACK + 1


def test_many_windows_come_to_something_between_the_least_and_the_most_of_them() -> None:
    model = build("rnn")
    ids = np.random.default_rng(3).integers(VOCAB, size=400)
    length = WARMUP + BACK + 2
    starts = np.linspace(0, 400 - length, 100).astype(int)

    def measure(ids: np.ndarray[tuple[int], np.dtype[np.int64]], windows: int) -> float:
        return gradient_flow(model.network, model.weights, ids, BACK, windows)["hidden"][3]

    singles = [measure(ids[start : start + length], 1) for start in sorted(set(starts))]
    assert min(singles) < measure(ids, 100) < max(singles)


def test_before_is_the_network_the_run_started_from_and_after_is_the_model() -> None:
    model = replace(build("lstm"), provenance=Provenance(seed=5))
    fresh = initial_weights(model.network, VOCAB, 5)
    ids = np.random.default_rng(4).integers(VOCAB, size=300)
    flow = flow_of_run(model, ids)
    assert flow.before == gradient_flow(model.network, fresh, ids)
    assert flow.after == gradient_flow(model.network, model.weights, ids)
    assert len(flow.after["cell"]) == 201


def test_a_short_text_is_refused() -> None:
    model = build("rnn")
    with pytest.raises(TextError, match="at least 252 characters; found 57"):
        gradient_flow(model.network, model.weights, IDS)
