"""Both learners compute the same: gradients, updates, and runs."""

from __future__ import annotations

import itertools
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from burble.cells import CellKind
from burble.config import BatchingKind, InputKind, RunConfig
from burble.data.registry import BATCHINGS
from tests.data.texts import made_up_text, prepared
from tests.training.both_learners import build_learner, needs_native
from tests.training.runs import TINY, train_tiny

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from burble.data.batch import Batching
    from burble.training.learner import Arrays
    from burble.training.learners.native.learner import NativeLearner
    from burble.training.learners.torch.learner import TorchLearner

pytestmark = needs_native

# Of the largest number of a tensor.
CLOSE = 1e-5

# Odd sizes, more than one group of 16 rows; Adam's epsilon is above the noise of a gradient.
SIZES: dict[str, Any] = {
    "hidden_size": 21,
    "embedding_size": 10,
    "seq_len": 9,
    "batch_size": 19,
    "stride": 3,
    "epsilon": 1e-2,
    "seed": 3,
}
DROPOUT: dict[str, dict[str, Any]] = {
    "nothing": {"dropout": 0.0},
    "locked": {"dropout": 0.3, "input_dropout": 0.4},
    "unlocked": {"dropout": 0.4, "input_dropout": 0.3, "locked_dropout": False},
    "input": {"dropout": 0.0, "input_dropout": 0.5, "locked_dropout": False},
}
KNOBS: dict[str, tuple[Any, ...]] = {
    "cell": get_args(CellKind),
    "input": get_args(InputKind),
    "num_layers": (1, 2, 3),
    "residual": (False, True),
    "batching": get_args(BatchingKind),
    "drops": tuple(DROPOUT),
    "grad_clip": (0.0, 0.05),
}


def covering_pairs() -> list[tuple[Any, ...]]:
    """Choose cases in which each two values of two knobs meet."""
    product = list(itertools.product(*KNOBS.values()))
    random.Random(0).shuffle(product)  # noqa: S311 - not a secret
    met: set[Any] = set()
    chosen = []
    for case in product:
        pairs = set(itertools.combinations(enumerate(case), 2))
        if not pairs <= met:
            met |= pairs
            chosen.append(case)
    return chosen


def name_of(case: tuple[Any, ...]) -> str:
    return "-".join(map(str, case))


class Both(NamedTuple):
    native: NativeLearner
    torch: TorchLearner
    batching: Batching


@contextmanager
def both(config: RunConfig) -> Iterator[Both]:
    """Build both learners for a made-up text."""
    text = prepared(made_up_text(80), made_up_text(20))
    batching = BATCHINGS[config.data.batching](text, config.data, config.training.seed)
    sizes = (config, text.tokenizer.vocab_size, batching.rows)
    with build_learner("native", *sizes) as native, build_learner("torch", *sizes) as other:
        yield Both(native, other, batching)  # type: ignore[arg-type]


def assert_near(found: Arrays, expected: Arrays) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        largest = np.abs(array).max()
        np.testing.assert_allclose(found[name], array, rtol=0, atol=CLOSE * largest, err_msg=name)


def gradients(learner: TorchLearner) -> Arrays:
    named = learner._network.named_parameters()
    return {name: tensor.grad.numpy() for name, tensor in named if tensor.grad is not None}


@pytest.mark.parametrize("case", covering_pairs(), ids=name_of)
def test_gradients_and_what_a_step_makes_of_them(case: tuple[Any, ...]) -> None:
    options = dict(zip(KNOBS, case, strict=True))
    options |= DROPOUT[options.pop("drops")]
    config = RunConfig().with_options(SIZES | options)
    with both(config) as (native, other, batching):
        for step in range(3):
            batch = batching.batch(step)
            native.restore(other.state(), step)
            found, expected = (one.step(batch, 0.01, 1.0) for one in (native, other))
            assert found.correct == expected.correct
            assert found.loss == pytest.approx(expected.loss, rel=1e-6)
            assert found.norm == pytest.approx(expected.norm, rel=CLOSE)
            limit = config.training.grad_clip
            assert limit < expected.norm
            scale = limit / expected.norm if limit else 1.0  # torch clips in place
            names = native.network.shapes
            own = {name: scale * native.network.tensor("gradients", name) for name in names}
            assert_near(own, gradients(other))
            assert_near(native.state(), other.state())
        for (_, found), (_, expected) in zip(
            native.score(batching.validation()), other.score(batching.validation()), strict=True
        ):
            assert found.correct == expected.correct
            assert found.loss == pytest.approx(expected.loss, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "lstm", "dropout": 0.2},
        {"cell": "gru", "batching": "windows", "stride": 7, "input": "scalar", "num_layers": 2},
        {"cell": "rnn", "batching": "sentences", "input": "one-hot", "locked_dropout": False},
    ],
    ids=lambda options: options["cell"],
)
def test_losses_stay_together_for_two_hundred_steps(options: dict[str, Any]) -> None:
    config = RunConfig().with_options(TINY | {"averaging": 0.9} | options)
    with both(config) as (native, other, batching):
        for step in range(200):
            batch, rate = batching.batch(step), 0.003 * min(1, step / 50)
            found, expected = (one.step(batch, rate, 1.0) for one in (native, other))
            assert found.loss == pytest.approx(expected.loss, abs=1e-3)
        validation = list(batching.validation())
        for (_, found), (_, expected) in zip(
            native.score(validation), other.score(validation), strict=True
        ):
            assert found.loss == pytest.approx(expected.loss, abs=1e-3)


def test_runs_end_together(tmp_path: Path) -> None:
    nats = []
    for learner in ("native", "torch"):
        (tmp_path / learner).mkdir()
        result = train_tiny(tmp_path / learner, steps=200, learner=learner, device="cpu")
        nats.append(result.val_nats_per_char)
    assert nats[0] == pytest.approx(nats[1], abs=1e-3)
