"""Measure how fast torch trains on this machine, and choose the precision by it."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import torch

from burble.capacity import operations
from burble.config import RunConfig
from burble.data.batch import Batch, random_batch
from burble.errors import UsageError
from burble.training.initial import initial_weights
from burble.training.learners.torch.loss import loss_of
from burble.training.learners.torch.network import Network

if TYPE_CHECKING:
    from burble.cells import CellKind
    from burble.config import TrainingPrecision

# The first steps build oneDNN's primitives. The others are timed.
_WARM_UP = 3
_TIMED = 5

# bfloat16 must be faster by this factor, which is more than the noise of the measurement.
_WORTH = 1.1


def has_bfloat16(cell: CellKind, device: torch.device) -> bool:
    """Return whether torch can train this cell in bfloat16. Processors need AVX-512 for LSTM."""
    options = {
        "cell": cell,
        "precision": "bfloat16",
        "hidden_size": 8,
        "seq_len": 2,
        "batch_size": 2,
    }
    try:
        training_rate(RunConfig().with_options(options), vocab_size=2, device=device)
    except RuntimeError:
        return False
    return True


def check_precision(config: RunConfig, device: torch.device) -> None:
    """Raise `UsageError` if this machine cannot train in the configured precision."""
    cell = config.network.cell
    if config.training.precision == "bfloat16" and not has_bfloat16(cell, device):
        raise UsageError(
            f"This machine cannot train {cell} cells in bfloat16: torch does not support that on "
            "its processor.",
            "Use float32, also to resume a run from another machine.",
            "Use --precision float32, also to resume a run from another machine.",
        )


def resolve_precision(
    config: RunConfig, vocab_size: int, device: torch.device
) -> tuple[RunConfig, float]:
    """Return the configuration with its precision decided, and its `training_rate`.

    Raises `UsageError` if this machine cannot train in the configured precision.
    """
    check_precision(config, device)
    asked: tuple[TrainingPrecision, ...] = ("float32",)
    if config.training.precision != "auto":
        asked = (config.training.precision,)
    elif has_bfloat16(config.network.cell, device):
        asked = ("float32", "bfloat16")
    found = [config.with_options({"precision": precision}) for precision in asked]
    rates = [training_rate(one, vocab_size, device) for one in found]
    best = 1 if rates[-1] > _WORTH * rates[0] else 0
    return found[best], rates[best]


def training_rate(config: RunConfig, vocab_size: int, device: torch.device) -> float:
    """Return the floating-point operations a second of training steps on random text."""
    weights = initial_weights(config.network, vocab_size, config.training.seed)
    network = Network(config.network, weights, config.training.precision).to(device)
    batch = random_batch(config.data, vocab_size)
    seconds = [_step_seconds(network, batch, device) for _ in range(_WARM_UP + _TIMED)]
    work = operations(config.network, vocab_size) * batch.num_targets
    return work / statistics.median(seconds[_WARM_UP:])


def _step_seconds(network: Network, batch: Batch, device: torch.device) -> float:
    started = time.perf_counter()
    loss, _, _ = loss_of(network, batch, network.start(batch.inputs.shape[1]), device)
    loss.backward()  # type: ignore[no-untyped-call]
    loss.item()  # waits for the GPU
    network.zero_grad(set_to_none=True)
    return time.perf_counter() - started
