"""A running average of the weights: what a run keeps and saves, while the raw weights go on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

from burble.training.averaging import share_of_new

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from burble.training.learners.torch.network import Network


class WeightAverage:
    """Exponential moving average of a network's parameters (Polyak and Juditsky 1992).

    It evens out the noise of the last steps and of dropout. decay: what stays of it at each step;
    0 keeps no average, and the raw weights are the model.
    """

    def __init__(self, network: Network, decay: float) -> None:
        self._parameters = dict(network.named_parameters())
        self._decay = decay
        self._averages = {
            name: parameter.detach().clone()
            for name, parameter in self._parameters.items()
            if decay > 0
        }

    @torch.no_grad()
    def update(self, steps: int, rate: float) -> None:
        """After a step; steps and rate as for `share_of_new`."""
        if self._averages:
            share = share_of_new(self._decay, steps, rate)
            torch._foreach_lerp_(
                list(self._averages.values()), list(self._parameters.values()), share
            )

    @contextmanager
    def applied(self) -> Iterator[None]:
        """While entered, the network has the averages for weights."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, average in self._averages.items():
            parameter = self._parameters[name]
            parameter.data, self._averages[name] = average, parameter.data

    def state(self) -> dict[str, Tensor]:
        """The averages, by the parameters' names; nothing without averaging."""
        return dict(self._averages)

    def load(self, state: dict[str, Tensor]) -> None:
        for name in self._averages:
            self._averages[name].copy_(state[name])
