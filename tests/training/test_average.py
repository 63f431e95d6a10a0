from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from burble.config import NetworkConfig
from burble.model_file import ModelFile
from burble.training import averaging
from burble.training.initial import initial_weights
from burble.training.learners.torch.average import WeightAverage
from burble.training.learners.torch.network import Network
from tests.training.runs import saved_state, train_tiny

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

DECAY = 0.9


def network(seed: int = 0) -> Network:
    config = NetworkConfig(hidden_size=5, embedding_size=3)
    return Network(config, initial_weights(config, 7, seed))


def weights(of: Network) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in of.state_dict().items()}


def assert_same(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all(one[name].equal(other[name]) for name in one)


def assert_different(one: dict[str, Tensor], other: dict[str, Tensor]) -> None:
    assert one.keys() == other.keys()
    assert not any(one[name].equal(other[name]) for name in one)


@torch.no_grad()
def move(of: Network, seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    for parameter in of.parameters():
        parameter.add_(torch.randn(parameter.shape, generator=draw))


def averaged(steps: int = 6, decay: float = DECAY) -> tuple[Network, WeightAverage]:
    """A network some steps on its way, and its average."""
    learner = network()
    running = WeightAverage(learner, decay)
    for step in range(steps):
        move(learner, step)
        running.update(step + 1, 1.0)
    return learner, running


def test_it_is_what_a_plain_loop_makes() -> None:
    learner = network()
    running = WeightAverage(learner, DECAY)
    expected = {name: tensor.double().numpy() for name, tensor in weights(learner).items()}
    rates = [0.02, 0.5, *np.linspace(1.0, 0.0, 200)]
    for step, rate in enumerate(rates):
        move(learner, step)
        running.update(step + 1, rate)
        for name, tensor in weights(learner).items():
            early = averaging._FIRST_SHARE / (step + 1 + averaging._FIRST_SHARE)
            share = min(1.0, max((1 - DECAY) / rate, early)) if rate > 0 else 1.0
            expected[name] = (1 - share) * expected[name] + share * tensor.double().numpy()
        for name, tensor in running.state().items():
            np.testing.assert_allclose(tensor.numpy(), expected[name], rtol=1e-4, atol=1e-4)


def test_far_into_a_run_the_decay_is_the_share_that_stays() -> None:
    learner, running = averaged()
    before = {name: tensor.clone() for name, tensor in running.state().items()}
    move(learner, 99)
    running.update(10**6, 1.0)
    for name, tensor in running.state().items():
        expected = DECAY * before[name] + (1 - DECAY) * learner.get_parameter(name)
        torch.testing.assert_close(tensor, expected)


def test_early_steps_forget_the_random_start() -> None:
    learner = network()
    running = WeightAverage(learner, 0.9999)
    start = weights(learner)
    with torch.no_grad():
        for parameter in learner.parameters():
            parameter.zero_()
    for step in range(200):
        running.update(step + 1, 1.0)
    # The decay alone would keep 98 % of it.
    for name, tensor in running.state().items():
        assert tensor.norm() <= 0.01 * start[name].norm()


def test_without_decay_there_is_no_average() -> None:
    learner, running = averaged(decay=0.0)
    raw = weights(learner)
    assert running.state() == {}
    with running.applied():
        assert_same(weights(learner), raw)
    running.load({})
    assert_same(weights(learner), raw)


def test_the_start_is_averaged_too_and_stays_where_it_was() -> None:
    learner = network()
    start = weights(learner)
    running = WeightAverage(learner, DECAY)
    assert_same(running.state(), start)
    move(learner, 0)
    assert_same(running.state(), start)


def test_applied_swaps_and_swaps_back_also_after_an_error() -> None:
    learner, running = averaged()
    raw = weights(learner)
    mean = {name: tensor.clone() for name, tensor in running.state().items()}
    assert_different(raw, mean)
    with running.applied():
        assert_same(weights(learner), mean)
    assert_same(weights(learner), raw)
    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error), running.applied():
            raise error
        assert_same(weights(learner), raw)
        assert_same(running.state(), mean)


def test_after_a_swap_the_network_learns_and_the_average_follows_as_ever() -> None:
    one, other = averaged(), averaged()
    with other[1].applied():
        pass
    for learner, running in (one, other):
        optimizer = torch.optim.SGD(learner.parameters(), lr=0.1)
        ids = torch.tensor([[1], [2], [3]])
        learner(ids, learner.start(1))[0].square().sum().backward()
        optimizer.step()
        running.update(7, 1.0)
    assert_same(weights(one[0]), weights(other[0]))
    assert_same(one[1].state(), other[1].state())


def test_what_it_was_is_loaded_and_goes_on_alike() -> None:
    learner, running = averaged()
    saved = {name: tensor.clone() for name, tensor in running.state().items()}
    again = WeightAverage(learner, DECAY)
    again.load(saved)
    assert_same(again.state(), saved)
    move(learner, 50)
    for mean in (running, again):
        mean.update(7, 0.8)
    assert_same(again.state(), running.state())
    assert_different(again.state(), saved)


def tensors(folder: Path, kind: str) -> dict[str, Tensor]:
    """Those of the last checkpoint whose names begin with `kind`."""
    found = saved_state(folder / "run").tensors
    prefix = f"{kind}."
    return {
        name.removeprefix(prefix): torch.from_numpy(array)
        for name, array in found.items()
        if name.startswith(prefix)
    }


def model(folder: Path) -> dict[str, Tensor]:
    loaded = ModelFile.load(folder / "run")
    return {name: torch.from_numpy(array) for name, array in loaded.weights.items()}


def test_the_saved_model_is_the_average_and_not_the_raw_weights(tmp_path: Path) -> None:
    # With nothing held out the last model is kept; a constant step size leaves it some noise.
    train_tiny(tmp_path, averaging=DECAY, val_fraction=0, schedule="constant")
    assert_same(model(tmp_path), tensors(tmp_path, "average"))
    assert_different(model(tmp_path), tensors(tmp_path, "network"))


def test_without_averaging_the_saved_model_is_the_raw_weights(tmp_path: Path) -> None:
    train_tiny(tmp_path, averaging=0, val_fraction=0)
    assert tensors(tmp_path, "average") == {}
    assert_same(model(tmp_path), tensors(tmp_path, "network"))
