"""The loss of a network on a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from burble.training.learners.torch.network import reset_rows

if TYPE_CHECKING:
    from torch import Tensor

    from burble.data.batch import Batch
    from burble.training.learners.torch.network import Masks, Network, NetworkState

_NOT_A_TARGET = -100


def loss_of(
    network: Network,
    batch: Batch,
    state: NetworkState,
    device: torch.device,
    masks: Masks = (),
) -> tuple[Tensor, Tensor, NetworkState]:
    """Return the mean cross-entropy of the targets in nats, how many were right, and the new state.

    A target is right if the network gave it the highest probability. Masked targets do not count.
    """
    state = reset_rows(state, torch.from_numpy(batch.reset).to(device))
    logits, state = network(torch.from_numpy(batch.inputs).to(device), state, masks)
    targets = torch.from_numpy(batch.targets).to(device)
    targets = targets.masked_fill(~torch.from_numpy(batch.mask).to(device), _NOT_A_TARGET)
    loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    correct = (logits.detach().argmax(dim=-1) == targets).sum()
    return loss, correct, state
