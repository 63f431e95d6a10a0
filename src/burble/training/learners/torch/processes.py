"""A team of processes that train one model with torch, each on its own rows of every batch.

All have the same weights. A step sums their gradients, and every process makes the same update.
"""

from __future__ import annotations

import importlib
import os
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import distributed

from burble.errors import BurbleError, UsageError, brief
from burble.training.team import Team

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

    from burble.training.learners.torch.network import Network, NetworkState

T = TypeVar("T")

# A process that dies closes its connections, which the others notice at once. This timeout is for a
# machine that stops responding. It leaves the leader time to prepare gigabytes of text.
_SILENCE = timedelta(minutes=30)


class TorchTeam(Team):
    """A single process, which has all rows."""

    def shard_state(self, state: NetworkState) -> NetworkState:
        """Return this process's rows of the state of all rows."""
        return tuple(tuple(part[:, self.rows(part.shape[1])] for part in layer) for layer in state)

    def gather(self, state: NetworkState) -> NetworkState:
        """Return the state of all rows, collected from all processes."""
        return state

    def add_up(self, network: Network, *figures: Tensor) -> list[float]:
        """Sum the gradients over all processes, in place, and return the sums of figures, ()."""
        del network
        return [float(figure.item()) for figure in figures]


class ProcessTeam(TorchTeam):
    """Several processes, connected by torch.distributed.

    It sums one buffer instead of using DistributedDataParallel, which ignores masks in its average
    and wraps the network, whose parameters must keep the names of the model file. Its gain, to sum
    during the backward pass, would be small here: nearly all weights are in one recurrent layer,
    whose gradient is complete only at the end.
    """

    def __init__(self) -> None:
        self.rank = distributed.get_rank()
        self.size = distributed.get_world_size()

    def gather(self, state: NetworkState) -> NetworkState:
        return tuple(tuple(self._gather_parts(part, dim=1) for part in layer) for layer in state)

    def add_up(self, network: Network, *figures: Tensor) -> list[float]:
        parameters = list(network.parameters())
        # A process whose rows are all padding has no gradients.
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        # float32 counts exactly up to 16 million, more than a batch has tokens.
        parts.append(torch.stack([figure.detach().float() for figure in figures]))
        flat = torch.cat([part.flatten() for part in parts])
        with _raise_on_lost_process():
            distributed.all_reduce(flat)
        *gradients, sums = torch.split(flat, [part.numel() for part in parts])
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.view_as(parameter)
        return [float(figure) for figure in sums.tolist()]

    def sync(self, seconds: float, signal: int | None) -> tuple[float, int | None]:
        """Return the leader's clock, and a signal that any of the processes received."""
        own = torch.tensor([[seconds, signal or 0]], dtype=torch.float64)
        received = self._gather_parts(own, dim=0)
        return float(received[0, 0]), int(received[:, 1].max()) or None

    def run_on_leader(self, task: Callable[[], T]) -> T:
        """Run a task on the leader and return its result in every process. If it fails, all end."""
        if not self.leads:
            followed: T = self._receive()
            return followed
        try:
            result = task()
        except BaseException as error:
            self._broadcast([None, getattr(error, "exit_code", 1)])
            raise
        self._broadcast([result, 0])
        return result

    def _receive(self) -> Any:
        received: list[Any] = [None, 0]
        self._broadcast(received)
        result, exit_code = received
        if exit_code:
            raise SystemExit(exit_code)
        return result

    def _gather_parts(self, part: Tensor, dim: int) -> Tensor:
        parts = [torch.empty_like(part) for _ in range(self.size)]
        with _raise_on_lost_process():
            distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts, dim)

    def _broadcast(self, objects: list[Any]) -> None:
        with _raise_on_lost_process():
            distributed.broadcast_object_list(objects)


@contextmanager
def open_team(device: str) -> Iterator[TorchTeam]:
    """Yield the team of processes that torchrun started, or a team of this process alone.

    Raises `UsageError` if the processes cannot connect or use the device.
    """
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield TorchTeam()
        return
    _take_device(device)
    # torch's optimizers import this module, and its default arguments keep the group that is open,
    # whose threads abort the process at its end (torch 2.13). So import it before opening one.
    importlib.import_module("torch.distributed.nn.functional")
    # Clocks and messages are in main memory and need not pass through a GPU.
    backend = "gloo" if device == "cpu" else "cpu:gloo,cuda:nccl"
    try:
        distributed.init_process_group(backend, timeout=_SILENCE)
    except (ValueError, RuntimeError) as error:
        raise UsageError(
            f"The processes did not find each other: {brief(str(error))}. Check that all are "
            "started with the same address."
        ) from error
    try:
        yield ProcessTeam()
    finally:
        distributed.destroy_process_group()


def _take_device(device: str) -> None:
    """Select the GPU that belongs to this process on its machine."""
    if device not in {"cpu", "cuda"}:
        raise UsageError(
            f"Several processes can train on cpu or cuda only; found the device {device!r}."
        )
    if device == "cuda":
        try:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        except (RuntimeError, AssertionError) as error:
            raise UsageError(
                f"There is no GPU for each process: {brief(str(error))}. Start fewer processes."
            ) from error


@contextmanager
def _raise_on_lost_process() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise BurbleError(
            "Another process of this run has ended or fell silent, so this one ends too. Its "
            f"message has the reason. What was saved can be resumed. ({error})"
        ) from error
