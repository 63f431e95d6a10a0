"""How fast this machine learns: a quick measurement that the plan rests on."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from burble.training.network import Network
from burble.training.plan import operations

if TYPE_CHECKING:
    from burble.config import RunConfig

# The first steps make oneDNN's primitives; then a few for the median.
_WARM_UP = 3
_TIMED = 5


def training_rate(config: RunConfig, vocab_size: int, device: torch.device) -> float:
    """Floating-point operations a second in steps of `config`'s network on random text."""
    # torch's own initial values draw from the global stream, which is not ours to change.
    with torch.random.fork_rng(devices=[]):
        network = Network(config.network, vocab_size).to(device)
    shape = (config.data.seq_len + 1, config.data.batch_size)
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(vocab_size, shape, generator=generator).to(device)
    seconds = [_step_seconds(network, tokens) for _ in range(_WARM_UP + _TIMED)]
    work = operations(config.network, vocab_size) * config.data.seq_len * config.data.batch_size
    return work / statistics.median(seconds[_WARM_UP:])


def _step_seconds(network: Network, tokens: torch.Tensor) -> float:
    started = time.perf_counter()
    logits, _ = network(tokens[:-1], network.start(tokens.shape[1]))
    loss = functional.cross_entropy(logits.flatten(0, 1), tokens[1:].flatten())
    loss.backward()  # type: ignore[no-untyped-call]
    loss.item()  # waits for whatever still runs on a GPU
    network.zero_grad(set_to_none=True)
    return time.perf_counter() - started
