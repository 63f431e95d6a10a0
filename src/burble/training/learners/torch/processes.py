"""Several processes that learn as one with torch, each from its own rows of every batch.

All hold the same weights. A step sums their gradients and makes the same update everywhere.
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

# A process that dies closes its connections, and the others notice at once. This is for a machine
# that falls silent, and long enough for the leader to prepare a text of gigabytes.
_SILENCE = timedelta(minutes=30)


class TorchTeam(Team):
    """A process alone, which holds all rows."""

    def own(self, state: NetworkState) -> NetworkState:
        """Return this process's rows of the state of all."""
        return tuple(tuple(part[:, self.rows(part.shape[1])] for part in layer) for layer in state)

    def gather(self, state: NetworkState) -> NetworkState:
        """Return the state of all rows, from each process's own."""
        return state

    def add_up(self, network: Network, *figures: Tensor) -> list[float]:
        """Sum gradients, in place, and figures, (), over the processes."""
        del network
        return [float(figure.item()) for figure in figures]


class ProcessTeam(TorchTeam):
    """Processes over torch.distributed, whose group is open.

    One sum over one buffer, and not DistributedDataParallel: that averages without regard to
    masks, wraps the network, whose parameters are the model file's, and gains by overlapping sums
    with the backward pass of many layers; here nearly all weights are in one recurrent layer,
    whose gradient is ready only when backpropagation is over.
    """

    def __init__(self) -> None:
        self.rank = distributed.get_rank()
        self.size = distributed.get_world_size()

    def gather(self, state: NetworkState) -> NetworkState:
        return tuple(tuple(self._gathered(part, dim=1) for part in layer) for layer in state)

    def add_up(self, network: Network, *figures: Tensor) -> list[float]:
        parameters = list(network.parameters())
        # A process whose rows are all padding has none.
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        # float32 counts exactly up to 16 million, more than a batch has tokens.
        parts.append(torch.stack([figure.detach().float() for figure in figures]))
        flat = torch.cat([part.flatten() for part in parts])
        with _told_when_alone():
            distributed.all_reduce(flat)
        *gradients, sums = torch.split(flat, [part.numel() for part in parts])
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.view_as(parameter)
        return [float(figure) for figure in sums.tolist()]

    def sync(self, seconds: float, signal: int | None) -> tuple[float, int | None]:
        """Return the leader's clock, and a signal that any process was sent."""
        told = self._gathered(torch.tensor([[seconds, signal or 0]], dtype=torch.float64), dim=0)
        return float(told[0, 0]), int(told[:, 1].max()) or None

    def run_on_leader(self, task: Callable[[], T]) -> T:
        """Let the leader do it, and give all its result; where it fails, all end."""
        if not self.leads:
            followed: T = self._follow()
            return followed
        try:
            result = task()
        except BaseException as error:
            self._tell([None, getattr(error, "exit_code", 1)])
            raise
        self._tell([result, 0])
        return result

    def _follow(self) -> Any:
        told: list[Any] = [None, 0]
        self._tell(told)
        result, exit_code = told
        if exit_code:
            raise SystemExit(exit_code)
        return result

    def _gathered(self, part: Tensor, dim: int) -> Tensor:
        parts = [torch.empty_like(part) for _ in range(self.size)]
        with _told_when_alone():
            distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts, dim)

    def _tell(self, objects: list[Any]) -> None:
        with _told_when_alone():
            distributed.broadcast_object_list(objects)


@contextmanager
def open_team(device: str) -> Iterator[TorchTeam]:
    """Yield the team that torchrun started this process in, or a process alone."""
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield TorchTeam()
        return
    _take_device(device)
    # torch's optimizers import this module, whose defaults keep the group that is open then; its
    # threads would outlive the interpreter, and the process would abort at its end (torch 2.13).
    importlib.import_module("torch.distributed.nn.functional")
    # What lies in main memory, clocks and messages, need not pass through a GPU.
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
    """With GPUs, the one of this process's number on its machine becomes "cuda"."""
    if device not in {"cpu", "cuda"}:
        raise UsageError(
            f"Several processes learn on cpu or cuda, where each takes a GPU; found {device!r}."
        )
    if device == "cuda":
        try:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        except (RuntimeError, AssertionError) as error:
            raise UsageError(
                f"There is no GPU for each process: {brief(str(error))}. Start fewer processes."
            ) from error


@contextmanager
def _told_when_alone() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise BurbleError(
            "Another process of this run has ended or fell silent, so this one ends too. Its "
            f"message has the reason. What was saved can be resumed. ({error})"
        ) from error
