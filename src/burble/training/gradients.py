"""How far back learning reaches: the gradient of the loss at one character with respect to the
state that the network was in some characters earlier.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burble.cells import CELLS
from burble.data.batch import gather
from burble.errors import TextError
from burble.training.exact_network import ExactNetwork
from burble.training.initial import initial_weights

if TYPE_CHECKING:
    from burble.config import NetworkConfig
    from burble.data.batch import Int64
    from burble.model_file import ModelFile, Weights
    from burble.tokenizers.base import Ids
    from burble.training.derivatives import Float64, Values
    from burble.training.exact_network import Step

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
    """Measure the flow in the model and in the fresh network of its seed, on ids, (tokens,).

    Raises `TextError` for a text shorter than a window.
    """
    after = gradient_flow(file.network, file.weights, ids)
    fresh = initial_weights(file.network, file.tokenizer.vocab_size, file.provenance.seed)
    return FlowOfRun(gradient_flow(file.network, fresh, ids), after)


def gradient_flow(
    network: NetworkConfig,
    weights: Weights,
    ids: Ids,
    farthest: int = FARTHEST,
    windows: int = _WINDOWS,
) -> Flow:
    """Measure the flow back to `farthest` characters, on windows spread evenly over ids, (tokens,).

    Raises `TextError` for a text shorter than a window.
    """
    length = _WARMUP + farthest + 2
    if len(ids) < length:
        raise TextError(
            f"To follow the gradient {farthest} characters back takes a held-out text of at least "
            f"{length:,} characters; found {len(ids):,}. Give more text."
        )
    exact = ExactNetwork.of(network, weights)
    starts = np.unique(np.linspace(0, len(ids) - length, windows).astype(np.int64))
    tokens = gather(ids, starts, length)
    parts = [tokens[:, first : first + _ROWS] for first in range(0, len(starts), _ROWS)]
    # Weights that nobody learned may let it explode beyond float64, or begin at zero.
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sum([_norms(exact, part) for part in parts], axis=0)
        relative = (norms / norms[:, :1]).tolist()
    return dict(zip(CELLS[network.cell].states, relative, strict=True))


def _norms(network: ExactNetwork, tokens: Int64) -> Float64:
    """Return the norms of the gradients of the loss at the last of tokens, (time, rows), summed
    over the rows: (states of the cell, characters back).
    """
    states = network.start(tokens.shape[1])
    steps: list[Step] = []
    for ids in tokens[:-1]:
        steps.append(network.step(ids, states))
        states = steps[-1].states
    output = network.loss_gradient(steps[-1].output, tokens[-1])
    gradients = network.start(tokens.shape[1])
    names = CELLS[network.config.cell].states
    norms = []
    for step in reversed(steps[_WARMUP:]):
        totals, gradients = network.back(step, gradients, output)
        output = np.zeros_like(output)  # only the last output is asked for a character
        norms.append([_norm_over_layers(totals, name) for name in names])
    return np.array(norms).T


def _norm_over_layers(totals: list[Values], name: str) -> float:
    """Return the norm of all layers together for each row, summed over the rows."""
    squares = [np.square(layer[name]).sum(axis=1) for layer in totals]
    return float(np.sqrt(np.sum(squares, axis=0)).sum())
