from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from burble.cells import CellKind
from burble.config import InputKind, NetworkConfig, TrainingConfig
from burble.training.learners.torch.network import Dropout, Network, reset_rows
from tests.training.runs import needs_bfloat16

if TYPE_CHECKING:
    from torch import Tensor

VOCAB = 11


def build(**options: object) -> Network:
    config = NetworkConfig(**{"hidden_size": 20, "embedding_size": 6, **options})  # type: ignore[arg-type]
    return Network(config, VOCAB, generator=torch.Generator().manual_seed(0))


def learns(network: Network) -> tuple[Tensor, Tensor]:
    """Logits, and the gradient of the first recurrence after one reading."""
    logits, _ = network(ids(), network.start(3))
    logits.logsumexp(-1).sum().backward()
    gradient = network.get_parameter("layers.0.weight_hh").grad
    assert gradient is not None
    return logits.detach(), gradient


def ids(time: int = 5, rows: int = 3) -> Tensor:
    return torch.randint(0, VOCAB, (time, rows), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", get_args(InputKind))
@pytest.mark.parametrize("cell", get_args(CellKind))
def test_parameters_are_the_tensors_of_the_model_file(cell: CellKind, kind: InputKind) -> None:
    config = NetworkConfig(cell=cell, input=kind, num_layers=2, hidden_size=20, embedding_size=6)
    found = {name: tuple(t.shape) for name, t in Network(config, VOCAB).state_dict().items()}
    assert found == config.tensor_shapes(VOCAB)


def test_forget_gates_start_open_and_all_other_biases_at_zero() -> None:
    bias = build().get_parameter("layers.0.bias").detach()
    expected = torch.zeros(80)
    expected[20:40] = 1
    assert bias.equal(expected)


@pytest.mark.parametrize("cell", get_args(CellKind))
def test_each_gates_recurrent_weights_start_orthogonal(cell: CellKind) -> None:
    weight = build(cell=cell).get_parameter("layers.0.weight_hh").detach()
    for gate in torch.split(weight, 20):
        torch.testing.assert_close(gate @ gate.T, torch.eye(20), atol=1e-5, rtol=0)


def test_the_same_generator_builds_the_same_network() -> None:
    one, other = build(num_layers=3).state_dict(), build(num_layers=3).state_dict()
    assert all(one[name].equal(other[name]) for name in one)


@pytest.mark.parametrize("cell", [pytest.param("lstm", marks=needs_bfloat16), "gru", "rnn"])
def test_bfloat16_is_near_float32_and_only_for_learning(cell: CellKind) -> None:
    full, lower = build(cell=cell, num_layers=2), build(cell=cell, num_layers=2)
    lower.precision = "bfloat16"
    for one, other in zip(learns(full), learns(lower), strict=True):
        assert other.dtype == torch.float32
        assert not other.equal(one)
        torch.testing.assert_close(other, one, atol=0.02, rtol=0.1)
    full.eval()
    lower.eval()
    assert full(ids(), full.start(3))[0].equal(lower(ids(), lower.start(3))[0])
    assert all(part.dtype == torch.float32 for layer in full.start(3) for part in layer)


@pytest.mark.parametrize("cell", get_args(CellKind))
def test_a_text_read_in_two_halves_gives_the_same_logits(cell: CellKind) -> None:
    network, text = build(cell=cell, num_layers=2), ids(10)
    whole, _ = network(text, network.start(3))
    first, state = network(text[:4], network.start(3))
    second, _ = network(text[4:], state)
    torch.testing.assert_close(whole, torch.cat([first, second]))


@pytest.mark.parametrize("cell", get_args(CellKind))
def test_a_reset_row_forgets_and_the_others_do_not(cell: CellKind) -> None:
    network = build(cell=cell, num_layers=2)
    _, state = network(ids(), network.start(3))
    again = reset_rows(state, torch.tensor([False, True, False]))
    for before, after in zip(state, again, strict=True):
        for old, new in zip(before, after, strict=True):
            assert new[:, 1].count_nonzero() == 0
            assert new[:, [0, 2]].equal(old[:, [0, 2]])
            assert not new.requires_grad


def test_residual_layers_add_their_input() -> None:
    plain, residual = build(num_layers=2), build(num_layers=2, residual=True)
    residual.load_state_dict(plain.state_dict())
    plain_top = plain.cells()[1]
    below, _ = plain.cells()[0].run(plain.embedding(ids()), plain.start(3)[0])
    top, _ = plain_top.run(below, plain.start(3)[1])
    logits, _ = residual(ids(), residual.start(3))
    torch.testing.assert_close(logits, residual.head(top + below))


def dropped(*, locked: bool, rate: float = 0.4) -> Tensor:
    dropout = Dropout(rate, locked=locked, generator=torch.Generator().manual_seed(3))
    return dropout(torch.ones(50, 8, 100))


def test_locked_dropout_drops_the_same_units_at_every_time_and_free_draws_anew() -> None:
    locked, free = dropped(locked=True), dropped(locked=False)
    assert locked.equal(locked[:1].expand_as(locked))
    assert not locked[:, 0].equal(locked[:, 1])
    assert not free[0].equal(free[1])
    # It keeps the mean and scales what stays.
    assert free.unique().tolist() == [0.0, pytest.approx(1 / 0.6)]
    assert math.isclose(free.mean().item(), 1.0, abs_tol=0.02)


def test_dropout_is_off_when_not_learning() -> None:
    network = Network(NetworkConfig(hidden_size=8), VOCAB, TrainingConfig(dropout=0.9)).eval()
    one, _ = network(ids(), network.start(3))
    other, _ = network(ids(), network.start(3))
    assert one.equal(other)
