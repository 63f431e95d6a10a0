"""A moving average of the weights. A run saves the average and trains the raw weights."""

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

    It smooths the noise of the last steps and of dropout. decay: the share of the average that
    remains at each step. With 0 there is no average, and the raw weights are the model.
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
        """Update the average after a step. steps, rate: see `share_of_new`."""
        if self._averages:
            share = share_of_new(self._decay, steps, rate)
            torch._foreach_lerp_(
                list(self._averages.values()), list(self._parameters.values()), share
            )

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Use the averages as the weights of the network inside a `with` block."""
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
        """Return the averages by the names of the parameters. Without averaging, return {}."""
        return dict(self._averages)

    def load(self, state: dict[str, Tensor]) -> None:
        """Set the averages to copies of these."""
        for name in self._averages:
            self._averages[name].copy_(state[name])
