from __future__ import annotations

import math
from typing import TYPE_CHECKING, get_args

import numpy as np
import pytest
import torch
from torch.nn import functional

from burble.cells import CellKind
from burble.config import NetworkConfig
from burble.errors import TextError
from burble.model_file import ModelFile, Provenance
from burble.tokenizers.char import CharTokenizer
from burble.training.initial import initial_weights
from burble.training.learners.torch.gradients import flow_of_run, gradient_flow
from burble.training.learners.torch.network import Network

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from burble.config import InputKind

VOCAB, HIDDEN, WARMUP, BACK = 7, 4, 50, 5
IDS = np.random.default_rng(0).integers(VOCAB, size=WARMUP + BACK + 2)

every_cell = pytest.mark.parametrize("cell", get_args(CellKind))


def build(cell: CellKind, input: InputKind = "embedding", num_layers: int = 1) -> Network:  # noqa: A002
    config = NetworkConfig(cell, input, num_layers, HIDDEN, embedding_size=3, residual=True)
    return Network(config, initial_weights(config, VOCAB, 1)).double()


def lstm_step(network: Network, token: int, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hidden, cell and output gate, from the formulas."""
    layer = network.cells()[0]
    x = network.embedding(torch.tensor([token]))[0]
    i, f, g, o = (layer.weight_ih @ x + layer.weight_hh @ h + layer.bias).chunk(4)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c, o.sigmoid()


def loss_with(network: Network, back: int, change: Callable[[Tensor, Tensor], Tensor]) -> float:
    """The loss at the last of IDS when the state `back` characters before was changed."""
    h = c = torch.zeros(HIDDEN, dtype=torch.float64)
    last = len(IDS) - 2
    with torch.no_grad():
        for place, token in enumerate(IDS[:-1].tolist()):
            h, c, output = lstm_step(network, token, h, c)
            if place == last - back:
                h, c = change(torch.stack([h, c]), output)
        logits = network.head(h)
        return functional.cross_entropy(logits[None], torch.tensor([int(IDS[-1])])).item()


def numeric_gradient(network: Network, back: int, part: int) -> float:
    """The norm of the gradient with respect to the hidden, 0, or the cell, 1, by differences.

    A changed cell changes the hidden that is made of it, as well.
    """
    total = 0.0
    for unit in range(HIDDEN):

        def losses(step: float, unit: int = unit) -> float:
            def change(state: Tensor, output: Tensor) -> Tensor:
                state[part, unit] += step
                if part == 1:
                    state[0] = output * state[1].tanh()
                return state

            return loss_with(network, back, change)

        total += ((losses(1e-5) - losses(-1e-5)) / 2e-5) ** 2
    return math.sqrt(total)


@pytest.mark.parametrize(("name", "part"), [("hidden", 0), ("cell", 1)])
def test_the_flow_is_what_differences_tell(name: str, part: int) -> None:
    network = build("lstm")
    found = gradient_flow(network, IDS, farthest=BACK, windows=1)[name]
    numeric = [numeric_gradient(network, back, part) for back in range(BACK + 1)]
    assert found == pytest.approx([value / numeric[0] for value in numeric], rel=1e-5)


@every_cell
@pytest.mark.parametrize("input", ["embedding", "one-hot", "scalar"])
def test_stepping_is_reading(cell: CellKind, input: InputKind) -> None:  # noqa: A002
    network = build(cell, input, num_layers=2).float().eval()
    ids = torch.from_numpy(IDS[:, None])
    logits, after = network(ids, network.start(1))
    state = tuple(tuple(part[0] for part in layer) for layer in network.start(1))
    for token, wanted in zip(ids, logits, strict=True):
        stepped, state = network.step(token, state)
        torch.testing.assert_close(stepped, wanted, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(
        torch.stack(state[1]), torch.stack([part[0] for part in after[1]]), atol=1e-5, rtol=1e-4
    )


@every_cell
@pytest.mark.parametrize("input", ["embedding", "one-hot", "scalar"])
def test_every_network_has_a_flow_from_one_on(cell: CellKind, input: InputKind) -> None:  # noqa: A002
    flow = gradient_flow(build(cell, input, num_layers=2), IDS, farthest=BACK, windows=1)
    assert list(flow) == (["hidden", "cell"] if cell == "lstm" else ["hidden"])
    for values in flow.values():
        assert len(values) == BACK + 1
        assert values[0] == 1
        assert all(value > 0 for value in values)


def test_an_open_forget_gate_keeps_the_gradient_of_the_cell_whole() -> None:
    network = build("lstm")
    layer = network.cells()[0]
    with torch.no_grad():
        layer.weight_hh.zero_()
        layer.bias[HIDDEN : 2 * HIDDEN] = 50.0
        # Nothing gets in, so that the cell stays where its derivative is one.
        layer.bias[:HIDDEN] = -50.0
    flow = gradient_flow(network, IDS, farthest=BACK, windows=1)
    # The newest passes through the last output gate only, and so do all before it.
    assert flow["cell"] == pytest.approx([1.0] * (BACK + 1), rel=1e-6)
    assert flow["hidden"] == [1.0] + [0.0] * BACK


def test_an_rnn_without_recurrence_passes_nothing_back() -> None:
    network = build("rnn")
    with torch.no_grad():
        network.cells()[0].weight_hh.zero_()
    assert gradient_flow(network, IDS, farthest=BACK, windows=1)["hidden"] == [1.0] + [0.0] * BACK


def test_many_windows_come_to_something_between_the_least_and_the_most_of_them() -> None:
    network = build("rnn")
    ids = np.random.default_rng(3).integers(VOCAB, size=400)
    length = WARMUP + BACK + 2
    starts = np.linspace(0, 400 - length, 100).astype(int)
    both = gradient_flow(network, ids, farthest=BACK, windows=100)["hidden"]
    singles = [
        gradient_flow(network, ids[start : start + length], farthest=BACK, windows=1)["hidden"]
        for start in sorted(set(starts))
    ]
    assert min(one[3] for one in singles) < both[3] < max(one[3] for one in singles)


def test_before_is_the_network_the_run_started_from_and_after_is_the_model() -> None:
    config = NetworkConfig(hidden_size=HIDDEN, embedding_size=3)
    fresh = initial_weights(config, VOCAB, 5)
    weights = fresh | {"layers.0.weight_hh": fresh["layers.0.weight_hh"] / 2}
    file = ModelFile(config, CharTokenizer("abcdefg"), weights, provenance=Provenance(seed=5))
    ids = np.random.default_rng(4).integers(VOCAB, size=300)
    flow = flow_of_run(file, ids)
    assert flow.before == gradient_flow(Network(config, fresh), ids)
    assert flow.after != flow.before
    assert len(flow.after["cell"]) == 201


def test_a_short_text_is_refused() -> None:
    with pytest.raises(TextError, match="at least 252 characters; found 57"):
        gradient_flow(build("rnn"), IDS)
