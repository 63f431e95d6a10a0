"""The contract that the training loop relies on, whatever learns behind it."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from burble.config import RunConfig
from burble.data.batch import Batch
from burble.training.initial import initial_weights
from burble.training.layout import Layout, check_numbers
from burble.training.learner import BatchFigures
from tests.training.both_learners import build_learner, every_learner, needs_native

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burble.config import LearnerKind
    from burble.training.learner import Arrays, Learner

VOCAB, ROWS, TIME = 11, 3, 5
COMMON: dict[str, Any] = {"hidden_size": 7, "seed": 5, "seq_len": TIME, "batch_size": ROWS}
EMBEDDING = {"embedding_size": 4, "num_layers": 2, "dropout": 0.3, "averaging": 0.9}
SCALAR = {
    "cell": "gru",
    "input": "scalar",
    "dropout": 0.3,
    "input_dropout": 0.2,
    "locked_dropout": False,
    "averaging": 0.0,
}
ONE_HOT = {"cell": "rnn", "input": "one-hot", "num_layers": 3, "residual": True, "dropout": 0.0}

every_network = pytest.mark.parametrize(
    "config",
    [
        pytest.param(RunConfig().with_options(COMMON | options), id=name)
        for name, options in {"lstm": EMBEDDING, "gru": SCALAR, "rnn": ONE_HOT}.items()
    ],
)
pytestmark = [every_learner, every_network]


def batch(seed: int, *, fresh: bool = False) -> Batch:
    ids = np.random.default_rng(seed).integers(VOCAB, size=(TIME + 1, ROWS))
    every = np.ones((TIME, ROWS), dtype=np.bool_)
    return Batch(ids[:-1], ids[1:], mask=every, reset=np.full(ROWS, fresh))


@pytest.fixture
def learner(kind: LearnerKind, config: RunConfig) -> Iterator[Learner]:
    with build_learner(kind, config, VOCAB, ROWS) as built:
        yield built


def learn(learner: Learner, seeds: range, rate: float = 0.01) -> list[Any]:
    return [learner.step(batch(seed), rate, 1.0) for seed in seeds]


def scores(learner: Learner, batches: list[Batch]) -> list[BatchFigures]:
    return [figures for _, figures in learner.score(batches)]


def assert_same(one: Arrays, other: Arrays) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], name)


@pytest.mark.parametrize("steps", [0, 3])
def test_the_state_has_the_names_and_shapes_of_its_layout(
    learner: Learner, config: RunConfig, steps: int
) -> None:
    learn(learner, range(steps))
    state = learner.state()
    shapes = {name: array.shape for name, array in state.items()}
    assert shapes == Layout(config, VOCAB, ROWS).shapes(steps)
    assert {array.dtype for array in state.values()} == {np.dtype(np.float32)}
    check_numbers(state)


def test_a_fresh_learner_has_the_weights_of_its_seed(learner: Learner, config: RunConfig) -> None:
    expected = initial_weights(config.network, VOCAB, config.training.seed)
    assert_same(learner.averaged(), expected)
    state = learner.state()
    assert_same({name: state[f"network.{name}"] for name in expected}, expected)


def test_a_step_changes_all_that_it_should(learner: Learner) -> None:
    learn(learner, range(1))
    before = learner.state()
    learn(learner, range(1, 2))
    after = learner.state()
    same = [name for name, array in before.items() if np.array_equal(array, after[name])]
    assert same == []


def test_what_is_restored_goes_on_as_before(learner: Learner) -> None:
    learn(learner, range(3))
    saved = learner.state()
    figures = learn(learner, range(3, 8))
    after = learner.state()
    learn(learner, range(20, 24))
    learner.restore(saved, 3)
    assert_same(learner.state(), saved)
    assert learn(learner, range(3, 8)) == figures
    assert_same(learner.state(), after)


def test_the_start_is_restored_without_moments(learner: Learner) -> None:
    start = learner.state()
    figures = learn(learner, range(3))
    learner.restore(start, 0)
    assert_same(learner.state(), start)
    assert learn(learner, range(3)) == figures


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_step_that_is_not_finite_changes_nothing(learner: Learner, number: float) -> None:
    learn(learner, range(3))
    broken = learner.state()
    broken["network.head.weight"] = np.full_like(broken["network.head.weight"], number)
    learner.restore(broken, 3)
    before = learner.state()
    figures = learner.step(batch(0), 0.01, 1.0)
    assert not figures.is_finite
    assert not math.isfinite(figures.loss)
    assert_same(learner.state(), before)


def test_what_a_failed_step_leaves_goes_on_as_without_it(learner: Learner) -> None:
    learn(learner, range(3))
    saved = learner.state()
    figures = learn(learner, range(3, 6))
    name = "network.head.bias"
    learner.restore(saved | {name: np.full_like(saved[name], np.nan)}, 3)
    learn(learner, range(9, 10))
    learner.restore(saved, 3)
    assert learn(learner, range(3, 6)) == figures


def test_weights_are_sound_up_to_a_size(learner: Learner) -> None:
    assert learner.is_sound()
    state = learner.state()
    for name in {"network.head.bias", "average.head.bias"} & state.keys():
        for value in (1e6, math.nan, -math.inf):
            learner.restore(state | {name: np.full(VOCAB, value, np.float32)}, 0)
            assert not learner.is_sound()


def test_averaged_are_the_averages_and_the_scores_are_theirs(
    learner: Learner, config: RunConfig
) -> None:
    learn(learner, range(6))
    state = learner.state()
    model = "average" if config.training.averaging else "network"
    averaged = {f"{model}.{name}": array for name, array in learner.averaged().items()}
    assert_same(averaged, {name: state[name] for name in averaged})
    figures = scores(learner, [batch(1), batch(2)])
    assert_same(learner.state(), state)
    learner.restore(state | {f"network.{n}": a for n, a in learner.averaged().items()}, 6)
    assert figures == scores(learner, [batch(1), batch(2)])


def test_what_is_given_out_is_a_copy(learner: Learner) -> None:
    learn(learner, range(2))
    before = learner.state()
    for array in [*learner.state().values(), *learner.averaged().values()]:
        array.fill(7)
    assert_same(learner.state(), before)


def test_scores_carry_the_state_and_begin_anew(learner: Learner) -> None:
    learn(learner, range(20), rate=0.1)
    first, carried = scores(learner, [batch(1), batch(2)])
    assert scores(learner, [batch(1), batch(2, fresh=True)])[0] == first
    assert scores(learner, [batch(2)]) == scores(learner, [batch(1), batch(2, fresh=True)])[1:]
    assert scores(learner, [batch(2)]) != [carried]


def test_a_batch_without_targets_scores_nothing_and_is_passed_over(learner: Learner) -> None:
    nothing = batch(3)
    nothing = Batch(nothing.inputs, nothing.targets, np.zeros_like(nothing.mask), nothing.reset)
    first, passed, second = scores(learner, [batch(1), nothing, batch(2)])
    assert passed == BatchFigures(0.0, 0)
    assert scores(learner, [batch(1), batch(2)]) == [first, second]


def test_scores_that_nobody_waits_for_leave_the_learner_as_it_was(learner: Learner) -> None:
    learn(learner, range(3))
    saved = learner.state()
    figures = learn(learner, range(3, 5))
    learner.restore(saved, 3)
    assert len(list(itertools.islice(learner.score([batch(1), batch(2)]), 1))) == 1
    assert learn(learner, range(3, 5)) == figures


@needs_native
def test_the_state_of_one_learner_goes_on_in_the_other(
    learner: Learner, kind: LearnerKind, config: RunConfig
) -> None:
    pytest.importorskip("torch", reason="torch is an extra")
    learn(learner, range(5))
    saved = learner.state()
    with build_learner("torch" if kind == "native" else "native", config, VOCAB, ROWS) as other:
        other.restore(saved, 5)
        assert_same(other.state(), saved)
        there, here = (learn(one, range(5, 12)) for one in (other, learner))
        for figures, expected in zip(there, here, strict=True):
            assert figures.loss == pytest.approx(expected.loss, rel=1e-5)
            assert figures.norm == pytest.approx(expected.norm, rel=1e-4)
        for name, array in other.state().items():
            np.testing.assert_allclose(array, learner.state()[name], atol=1e-4, err_msg=name)
        there, here = (scores(one, [batch(1), batch(2)]) for one in (other, learner))
        assert [found.loss for found in there] == pytest.approx([found.loss for found in here])
