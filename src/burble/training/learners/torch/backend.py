"""`TorchBackend`: measure this machine and build the learner that uses torch."""

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


# Seconds to import torch, warm up and finish.
_OVERHEAD = 4.0


class TorchBackend:
    """Compute with torch, in one process of a team."""

    def __init__(self, team: TorchTeam) -> None:
        self.team = team

    def measure(self, config: RunConfig, vocab_size: int) -> tuple[RunConfig, Throughput]:
        _use_threads(config)
        # One process is timed with its share of a batch. We assume that the others are as fast.
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
    """Yield the backend of this process, connected with the other processes of the run.

    Raises `UsageError` if they cannot connect or use the device.
    """
    with open_team(device) as team:
        yield TorchBackend(team)


def _use_threads(config: RunConfig) -> None:
    if config.training.threads is not None:
        torch.set_num_threads(config.training.threads)
