"""How fast torch learns on this machine, and in which precision."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, get_args

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from burble.capacity import operations
from burble.cells import CellKind
from burble.config import RunConfig
from burble.training.initial import initial_weights
from burble.training.learners.torch import precision
from burble.training.learners.torch.network import Network
from burble.training.learners.torch.precision import resolve_precision, training_rate
from tests.training.runs import needs_bfloat16

if TYPE_CHECKING:
    from burble.config import NetworkConfig

VOCAB = 90


def rate_among(rates: dict[str, float], config: RunConfig, *_: object, **__: object) -> float:
    """A machine of known speed."""
    return rates[config.training.precision]


def counted(config: NetworkConfig, time: int = 40, rows: int = 2) -> float:
    """What torch counts for one character, forward and backward."""
    # oneDNN's fused layers are one operation that is not counted; float64 goes another way.
    network = Network(config, initial_weights(config, VOCAB, 0)).double()
    ids = torch.randint(VOCAB, (time + 1, rows), generator=torch.Generator().manual_seed(0))
    with FlopCounterMode(display=False) as counter:
        logits, _ = network(ids[:-1], network.start(rows))
        functional.cross_entropy(logits.flatten(0, 1), ids[1:].flatten()).backward()
    return counter.get_total_flops() / (time * rows)


@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("cell", get_args(CellKind))
def test_operations_are_those_that_torch_counts(cell: CellKind, num_layers: int) -> None:
    options = {"cell": cell, "num_layers": num_layers, "hidden_size": 48, "embedding_size": 40}
    config = RunConfig().with_options(options).network
    # Of 40 steps, torch leaves out the gradient of the first one's state, which nobody wants.
    assert operations(config, VOCAB) == pytest.approx(counted(config), rel=0.01)


@pytest.mark.parametrize("input_kind", ["embedding", "one-hot", "scalar"])
def test_the_rate_of_this_machine_is_a_number_to_divide_by(input_kind: str) -> None:
    options = {"hidden_size": 32, "seq_len": 12, "batch_size": 4, "input": input_kind}
    rate = training_rate(RunConfig().with_options(options), VOCAB, torch.device("cpu"))
    assert math.isfinite(rate)
    # The slowest processor makes a million a second, the fastest GPU a few 10^15.
    assert 1e6 < rate < 1e16


def test_the_precision_is_measured_only_where_none_was_asked_for() -> None:
    config = RunConfig().with_options({"hidden_size": 32, "seq_len": 12, "batch_size": 4})
    settled, _ = resolve_precision(config, VOCAB, torch.device("cpu"))
    assert settled.training.precision in {"float32", "bfloat16"}
    assert settled == config.with_options({"precision": settled.training.precision})
    asked = config.with_options({"precision": "float32"})
    assert resolve_precision(asked, VOCAB, torch.device("cpu"))[0] == asked


@needs_bfloat16
def test_a_precision_that_was_asked_for_stays() -> None:
    options = {"hidden_size": 32, "seq_len": 12, "batch_size": 4, "precision": "bfloat16"}
    asked = RunConfig().with_options(options)
    assert resolve_precision(asked, VOCAB, torch.device("cpu"))[0] == asked


@needs_bfloat16
def test_of_two_precisions_the_clearly_faster_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    for faster, expected in ((2.0, "bfloat16"), (1.01, "float32"), (0.2, "float32")):
        rates = {"float32": 1e9, "bfloat16": faster * 1e9}
        monkeypatch.setattr(precision, "training_rate", partial(rate_among, rates))
        settled, rate = precision.resolve_precision(RunConfig(), VOCAB, torch.device("cpu"))
        assert (settled.training.precision, rate) == (expected, rates[expected])


def test_measuring_the_machine_leaves_the_global_random_numbers_alone() -> None:
    before = torch.get_rng_state()
    training_rate(RunConfig().with_options({"hidden_size": 16}), VOCAB, torch.device("cpu"))
    assert torch.get_rng_state().equal(before)
