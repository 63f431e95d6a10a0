"""How far back learning reaches: the gradient of the loss at one character with respect to the
state that the network was in some characters earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from burble.cells import CELLS
from burble.data.batch import gather
from burble.errors import TextError
from burble.training.initial import initial_weights
from burble.training.learners.torch.network import Network

if TYPE_CHECKING:
    from torch import Tensor

    from burble.model_file import ModelFile
    from burble.tokenizers.base import Ids
    from burble.training.learners.torch.network import NetworkState

FARTHEST = 200
"""Characters to go back."""

_WINDOWS = 256
_ROWS = 64

# What is read before, so that no state is near the fresh one, which no text ever comes back to.
_WARMUP = 50

Flow = dict[str, list[float]]
"""For each state of the cell: the gradient's norm k characters back,
k = 0, 1, …, the mean over many windows, as a multiple of that at k = 0.
"""


@dataclass(frozen=True)
class FlowOfRun:
    """The flow in a network before it learned anything, and after."""

    before: Flow
    after: Flow


def flow_of_run(file: ModelFile, ids: Ids) -> FlowOfRun:
    """The flow in the model and in the fresh network of its seed, on ids, (tokens,).

    Raises `TextError` for a text shorter than a window.
    """
    fresh = initial_weights(file.network, file.tokenizer.vocab_size, file.provenance.seed)
    before, after = (
        gradient_flow(Network(file.network, weights), ids) for weights in (fresh, file.weights)
    )
    return FlowOfRun(before, after)


def gradient_flow(
    network: Network, ids: Ids, farthest: int = FARTHEST, windows: int = _WINDOWS
) -> Flow:
    """The flow back to `farthest` characters, on windows spread evenly over ids, (tokens,)."""
    length = _WARMUP + farthest + 2
    if len(ids) < length:
        raise TextError(
            f"To follow the gradient {farthest} characters back takes a held-out text of at least "
            f"{length:,} characters; found {len(ids):,}. Give more text."
        )
    # Far back the gradient is smaller than any float32.
    network = network.double().eval()
    starts = np.unique(np.linspace(0, len(ids) - length, windows).astype(np.int64))
    tokens = torch.from_numpy(gather(ids, starts, length))
    parts = torch.split(tokens, _ROWS, dim=1)
    norms = torch.stack([_norms(network, part) for part in parts]).sum(dim=0)
    relative = (norms / norms[:, :1]).tolist()
    return dict(zip(CELLS[network.kind].states, relative, strict=True))


def _norms(network: Network, tokens: Tensor) -> Tensor:
    """Of tokens (time, rows), the last is to be foreseen: the norms of the gradients of that loss,
    summed over the rows, (tensors of the state, characters back).
    """
    state = _warmed(network, tokens[:_WARMUP])
    states: list[NetworkState] = []
    for ids in tokens[_WARMUP:-1]:
        logits, state = network.step(ids, state)
        states.append(state)
    # A sum, so that each row's gradient is its own.
    loss = functional.cross_entropy(logits, tokens[-1], reduction="sum")
    every = [part for state in reversed(states) for layer in state for part in layer]
    gradients = torch.stack(torch.autograd.grad(loss, every))
    shape = (len(states), len(state), len(state[0]), *gradients.shape[1:])
    # Of all layers together.
    return gradients.view(shape).square().sum(dim=(1, -1)).sqrt().sum(dim=-1).T


@torch.no_grad()
def _warmed(network: Network, tokens: Tensor) -> NetworkState:
    fresh = network.start(tokens.shape[1])
    state = tuple(tuple(part.squeeze(0) for part in layer) for layer in fresh)
    for ids in tokens:
        _, state = network.step(ids, state)
    return state
