from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")

from burble.cells import CellKind
from burble.config import InputKind, NetworkConfig
from burble.training.initial import initial_weights
from burble.training.learners.torch.network import Network, reset_rows
from tests.training.runs import needs_bfloat16

if TYPE_CHECKING:
    from torch import Tensor

VOCAB = 11


def build(**options: object) -> Network:
    config = NetworkConfig(**{"hidden_size": 20, "embedding_size": 6, **options})  # type: ignore[arg-type]
    return Network(config, initial_weights(config, VOCAB, 0))


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
def test_parameters_are_the_weights_it_is_given(cell: CellKind, kind: InputKind) -> None:
    config = NetworkConfig(cell=cell, input=kind, num_layers=2, hidden_size=20, embedding_size=6)
    weights = initial_weights(config, VOCAB, 0)
    found = Network(config, weights).state_dict()
    assert found.keys() == weights.keys()
    for name, tensor in found.items():
        np.testing.assert_array_equal(tensor.numpy(), weights[name])


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


@pytest.mark.parametrize("kind", get_args(InputKind))
def test_masks_multiply_the_input_and_what_each_layer_puts_out(kind: InputKind) -> None:
    network = build(num_layers=2, residual=True, input=kind)
    first, second = network.cells()
    draw = torch.Generator().manual_seed(2)
    width = network.cells()[0].weight_ih.shape[1]
    # One for all times, one for each.
    shapes = [(1, 3, width), (5, 3, 20), (1, 3, 20)]
    masks = tuple(torch.rand(shape, generator=draw) for shape in shapes)
    inputs = network.embedding(ids()) * masks[0]
    below = first.run(inputs, network.start(3)[0])[0] * masks[1]
    top = (second.run(below, network.start(3)[1])[0] + below) * masks[2]
    logits, _ = network(ids(), network.start(3), masks)
    torch.testing.assert_close(logits, network.head(top))


def test_a_mask_that_is_none_drops_nothing() -> None:
    network = build(num_layers=2)
    plain, _ = network(ids(), network.start(3))
    unmasked, _ = network(ids(), network.start(3), (None, None, None))
    masked, _ = network(ids(), network.start(3), (None, torch.zeros(1, 3, 20), None))
    assert unmasked.equal(plain)
    assert not masked.equal(plain)
