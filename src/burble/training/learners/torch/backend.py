"""Torch on this machine: what a run asks of it before there is a learner."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from burble.training.learner import Throughput
from burble.training.learners.torch.device import find_device
from burble.training.learners.torch.learner import TorchLearner
from burble.training.learners.torch.precision import resolve_precision
from burble.training.learners.torch.processes import open_team

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burble.config import RunConfig
    from burble.training.learner import Learner
    from burble.training.learners.torch.processes import TorchTeam


# To import torch, to warm up, and to close.
_OVERHEAD = 4.0


class TorchBackend:
    """Torch, in one process of a team."""

    def __init__(self, team: TorchTeam) -> None:
        self.team = team

    def measure(self, config: RunConfig, vocab_size: int) -> tuple[RunConfig, Throughput]:
        _use_threads(config)
        # One process is timed with its share of a batch; the others are taken to be as fast.
        size = self.team.size
        share = config.with_options({"batch_size": config.data.batch_size // size})
        device = find_device(config.training.device)
        resolved, rate = resolve_precision(share, vocab_size, device)
        speed = Throughput({config.network.hidden_size: size * rate}, _OVERHEAD)
        return config.with_options({"precision": resolved.training.precision}), speed

    def build(self, config: RunConfig, vocab_size: int, rows: int) -> Learner:
        _use_threads(config)
        return TorchLearner(config, vocab_size, rows, self.team)


@contextmanager
def open_backend(device: str) -> Iterator[TorchBackend]:
    """Join the processes of this run, which find each other by their device."""
    with open_team(device) as team:
        yield TorchBackend(team)


def _use_threads(config: RunConfig) -> None:
    if config.training.threads is not None:
        torch.set_num_threads(config.training.threads)
