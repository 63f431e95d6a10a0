"""The gradient's flow in NumPy is the one that torch's automatic derivatives give."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is an extra")
from torch.nn import functional

from burble.cells import CELLS, CellKind
from burble.training.gradients import gradient_flow
from burble.training.learners.torch.network import Network
from tests.models import random_model

if TYPE_CHECKING:
    from torch import Tensor

    from burble.config import InputKind
    from burble.data.batch import Int64
    from burble.model_file import ModelFile

WARMUP, BACK, WINDOWS = 50, 60, 5
IDS = np.random.default_rng(0).integers(7, size=400)

networks = pytest.mark.parametrize(
    ("cell", "input", "num_layers", "residual"),
    [
        (cell, *rest)
        for cell in get_args(CellKind)
        for rest in (
            ("embedding", 1, False),
            ("one-hot", 2, False),
            ("scalar", 3, True),
        )
    ],
)


def build(cell: CellKind, input: InputKind, num_layers: int, residual: bool) -> ModelFile:  # noqa: A002, FBT001
    return random_model(
        cell=cell,
        input=input,
        num_layers=num_layers,
        hidden_size=6,
        embedding_size=3,
        residual=residual,
        vocabulary="abcdefg",
        scale=0.7,
    )


def as_torch(model: ModelFile) -> Network:
    return Network(model.network, model.weights).double()


def step(network: Network, ids: Tensor, states: list[tuple[Tensor, ...]]) -> Tensor:
    """One character a row, ids (rows,): logits, and `states` become those after it.

    Every operation is one of its own here, which those of the fused layers are not, so all states
    are in autograd's graph: an output that is made of the cell passes its gradient on to the cell.
    """
    hidden = network.embedding(ids).double()
    for depth, (layer, before) in enumerate(zip(network.cells(), states, strict=True)):
        weights = (layer.weight_ih, layer.weight_hh, layer.bias, layer.get_buffer("zero_bias"))
        match network.kind:
            case "lstm":
                states[depth] = torch.lstm_cell(hidden, before, *weights)
            case "gru":
                states[depth] = (torch.gru_cell(hidden, *before, *weights),)
            case "rnn":
                states[depth] = (torch.rnn_tanh_cell(hidden, *before, *weights),)
        output = states[depth][0]
        hidden = output + hidden if network.residual and depth > 0 else output
    return network.head(hidden)


def fresh_states(network: Network, rows: int) -> list[tuple[Tensor, ...]]:
    return [tuple(part[0] for part in layer) for layer in network.start(rows)]


def torch_flow(network: Network, tokens: Int64) -> dict[str, list[float]]:
    """The flow in rows of tokens, (time, rows), by automatic derivatives."""
    states = fresh_states(network, tokens.shape[1])
    seen: list[list[tuple[Tensor, ...]]] = []
    for ids in torch.from_numpy(tokens[:-1]):
        logits = step(network, ids, states)
        seen.append(list(states))
    loss = functional.cross_entropy(logits, torch.from_numpy(tokens[-1]), reduction="sum")
    flow = {}
    for place, name in enumerate(CELLS[network.kind].states):
        every = [layer[place] for after in reversed(seen[WARMUP:]) for layer in after]
        gradients = torch.stack(torch.autograd.grad(loss, every, retain_graph=True))
        by_step = gradients.view(-1, len(states), *gradients.shape[1:])
        norms = by_step.square().sum(dim=(1, 3)).sqrt().sum(dim=1)
        flow[name] = (norms / norms[0]).tolist()
    return flow


@networks
def test_the_flow_is_that_of_automatic_derivatives(
    cell: CellKind,
    input: InputKind,  # noqa: A002
    num_layers: int,
    residual: bool,  # noqa: FBT001
) -> None:
    model = build(cell, input, num_layers, residual)
    length = WARMUP + BACK + 2
    starts = np.linspace(0, len(IDS) - length, WINDOWS).astype(int)
    tokens = np.stack([IDS[start : start + length] for start in starts], axis=1)
    found = gradient_flow(model.network, model.weights, IDS, BACK, WINDOWS)
    wanted = torch_flow(as_torch(model), tokens)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        assert min(values) > 0
        assert found[name] == pytest.approx(values, rel=1e-9, abs=0)


@networks
def test_stepping_is_reading(
    cell: CellKind,
    input: InputKind,  # noqa: A002
    num_layers: int,
    residual: bool,  # noqa: FBT001
) -> None:
    """What is followed there is the network that learns."""
    network = as_torch(build(cell, input, num_layers, residual)).float().eval()
    ids = torch.from_numpy(IDS[:30, None])
    logits, _ = network(ids, network.start(1))
    network, states = network.double(), fresh_states(network.double(), 1)
    for token, wanted in zip(ids, logits, strict=True):
        torch.testing.assert_close(step(network, token, states).float(), wanted)
