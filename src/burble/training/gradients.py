"""Measure how far back learning reaches.

This is the gradient of the loss at one character with respect to the states of the network some
characters earlier.
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
"""How many characters back the gradient is measured."""

_WINDOWS = 256
_ROWS = 64

# Characters read first: later in a text, no state is like the fresh one.
_WARMUP = 50

Flow = dict[str, list[float]]
"""For each state of the cell, the norm of the gradient k = 0, 1, … characters back.

It is the mean over many windows, as a multiple of the norm at k = 0.
"""


@dataclass(frozen=True)
class FlowOfRun:
    """The gradient flow of a network before training, and after."""

    before: Flow
    after: Flow


def flow_of_run(file: ModelFile, ids: Ids) -> FlowOfRun:
    """Measure the gradient flow of a model and of its untrained network, on ids, (tokens,).

    Raises `TextError` if the text is shorter than a window.
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
    """Measure the gradient flow up to `farthest` characters back.

    The windows are spread evenly over ids, (tokens,). Raises `TextError` if the text is shorter
    than one of them.
    """
    length = _WARMUP + farthest + 2
    if len(ids) < length:
        raise TextError(
            f"The held-out text is too short to follow the gradient {farthest} characters back: "
            f"that needs at least {length:,} characters; found {len(ids):,}. Use more text."
        )
    exact = ExactNetwork.of(network, weights)
    starts = np.unique(np.linspace(0, len(ids) - length, windows).astype(np.int64))
    tokens = gather(ids, starts, length)
    parts = [tokens[:, first : first + _ROWS] for first in range(0, len(starts), _ROWS)]
    # With untrained weights the gradient may explode beyond float64, or start at zero.
    with np.errstate(over="ignore", invalid="ignore"):
        norms = np.sum([_sum_norms(exact, part) for part in parts], axis=0)
        relative = (norms / norms[:, :1]).tolist()
    return dict(zip(CELLS[network.cell].states, relative, strict=True))


def _sum_norms(network: ExactNetwork, tokens: Int64) -> Float64:
    """Return the gradient norms for the loss at the last token, summed over the rows.

    tokens: (time, rows). Return shape: (states of the cell, characters back).
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
        output = np.zeros_like(output)  # only the last output has a target
        norms.append([_norm_over_layers(totals, name) for name in names])
    return np.array(norms).T


def _norm_over_layers(totals: list[Values], name: str) -> float:
    """Return the norm over all layers of each row, summed over the rows."""
    squares = [np.square(layer[name]).sum(axis=1) for layer in totals]
    return float(np.sqrt(np.sum(squares, axis=0)).sum())
