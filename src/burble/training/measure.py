"""Loss of a network on batches: while it learns, and on the held-out text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from burble.score import NOTHING, Score
from burble.training.network import reset_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from burble.data.batch import Batch
    from burble.tokenizers.base import Tokenizer
    from burble.training.network import Network, NetworkState

_NOT_A_TARGET = -100


def loss_of(
    network: Network, batch: Batch, state: NetworkState, device: torch.device
) -> tuple[Tensor, Tensor, NetworkState]:
    """Cross-entropy of the unmasked targets: their mean in nats, how many were the likeliest, and
    the state after them.
    """
    state = reset_rows(state, torch.from_numpy(batch.reset).to(device))
    logits, state = network(torch.from_numpy(batch.inputs).to(device), state)
    targets = torch.from_numpy(batch.targets).to(device)
    targets = targets.masked_fill(~torch.from_numpy(batch.mask).to(device), _NOT_A_TARGET)
    loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    correct = (logits.detach().argmax(dim=-1) == targets).sum()
    return loss, correct, state


def batch_score(loss: float, correct: int, batch: Batch, tokenizer: Tokenizer) -> Score:
    """What `loss_of` found, as a score."""
    targets = batch.targets[batch.mask]
    characters = tokenizer.count_characters(targets)
    return Score(loss * len(targets), len(targets), correct, characters)


@torch.no_grad()
def score_network(
    network: Network, batches: Iterable[Batch], tokenizer: Tokenizer, device: torch.device
) -> Score:
    """Score held-out batches, without dropout, the state carried from batch to batch."""
    network.eval()
    total = NOTHING
    state = None
    for batch in batches:
        if not batch.mask.any():
            continue
        if state is None:
            state = network.start(batch.inputs.shape[1])
        loss, correct, state = loss_of(network, batch, state, device)
        total += batch_score(loss.item(), int(correct.item()), batch, tokenizer)
    network.train()
    return total
