"""The contract that the training loop relies on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from burble.config import RunConfig
from burble.data.batch import Batch
from burble.training.dropout import draw_masks
from burble.training.initial import initial_weights
from burble.training.layout import Layout, check_numbers
from burble.training.learners.registry import choose_learner, open_backend
from burble.training.learners.torch.loss import loss_of
from burble.training.learners.torch.network import Network

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burble.training.learner import Arrays, Learner

VOCAB, ROWS, TIME = 11, 3, 5
CONFIG = RunConfig().with_options(
    {
        "hidden_size": 7,
        "embedding_size": 4,
        "num_layers": 2,
        "dropout": 0.3,
        "seed": 5,
        "averaging": 0.9,
        "device": "cpu",
        "precision": "float32",
    }
)


def batch(seed: int) -> Batch:
    ids = np.random.default_rng(seed).integers(VOCAB, size=(TIME + 1, ROWS))
    every = np.ones((TIME, ROWS), dtype=np.bool_)
    return Batch(ids[:-1], ids[1:], mask=every, reset=np.zeros(ROWS, dtype=np.bool_))


@pytest.fixture
def learner() -> Iterator[Learner]:
    with open_backend(choose_learner(CONFIG.training)) as backend:
        yield backend.build(CONFIG, VOCAB, ROWS)


def learn(learner: Learner, seeds: range, rate: float = 0.01) -> list[Any]:
    return [learner.step(batch(seed), rate, 1.0) for seed in seeds]


def assert_same(one: Arrays, other: Arrays) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        np.testing.assert_array_equal(array, other[name], name)


@pytest.mark.parametrize("steps", [0, 3])
def test_the_state_has_the_names_and_shapes_of_its_layout(learner: Learner, steps: int) -> None:
    learn(learner, range(steps))
    state = learner.state()
    shapes = {name: array.shape for name, array in state.items()}
    assert shapes == Layout(CONFIG, VOCAB, ROWS).shapes(steps)
    assert {array.dtype for array in state.values()} == {np.dtype(np.float32)}
    check_numbers(state)


def test_a_fresh_learner_has_the_weights_of_its_seed(learner: Learner) -> None:
    expected = initial_weights(CONFIG.network, VOCAB, CONFIG.training.seed)
    assert_same(learner.averaged(), expected)
    state = learner.state()
    assert_same({name: state[f"network.{name}"] for name in expected}, expected)


@pytest.mark.parametrize("locked", [True, False])
@pytest.mark.parametrize("kind", ["embedding", "one-hot", "scalar"])
def test_a_step_drops_what_seed_and_step_draw(kind: str, *, locked: bool) -> None:
    config = CONFIG.with_options({"input": kind, "input_dropout": 0.2, "locked_dropout": locked})
    with open_backend("cpu") as backend:
        learner = backend.build(config, VOCAB, ROWS)
    # Steps of size zero leave the weights as they are.
    losses = [learner.step(batch(0), 0.0, 1.0).loss for _ in range(3)]
    weights = initial_weights(config.network, VOCAB, config.training.seed)
    network = Network(config.network, weights)
    state = network.start(ROWS)
    for step, loss in enumerate(losses):
        drawn = draw_masks(config, VOCAB, step, (TIME, ROWS))
        masks = tuple(torch.from_numpy(mask) for mask in drawn if mask is not None)
        assert len(masks) == 3
        expected, _, state = loss_of(network, batch(0), state, torch.device("cpu"), masks)
        assert loss == pytest.approx(expected.item(), rel=1e-6)
    assert len(set(losses)) == 3


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


def test_a_step_that_is_not_finite_changes_nothing(learner: Learner) -> None:
    learn(learner, range(3))
    broken = {name: np.full_like(array, np.nan) for name, array in learner.state().items()}
    learner.restore(broken, 3)
    before = learner.state()
    figures = learner.step(batch(0), 0.01, 1.0)
    assert not figures.is_finite
    assert math.isnan(figures.loss)
    assert_same(learner.state(), before)


def test_weights_are_sound_up_to_a_size(learner: Learner) -> None:
    assert learner.is_sound()
    state = learner.state()
    for name in ("network.head.bias", "average.head.bias"):
        for value in (1e6, math.nan, -math.inf):
            learner.restore(state | {name: np.full(VOCAB, value, np.float32)}, 0)
            assert not learner.is_sound()


def test_averaged_are_the_averages_and_the_scores_are_theirs(learner: Learner) -> None:
    learn(learner, range(6))
    state = learner.state()
    averaged = {f"average.{name}": array for name, array in learner.averaged().items()}
    assert_same(averaged, {name: state[name] for name in averaged})
    figures = [found for _, found in learner.score([batch(1), batch(2)])]
    assert_same(learner.state(), state)
    learner.restore(state | {f"network.{n}": a for n, a in learner.averaged().items()}, 6)
    assert figures == [found for _, found in learner.score([batch(1), batch(2)])]
