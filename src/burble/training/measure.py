"""Loss of a network on batches: while it learns, and on the held-out text."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

from burble.score import NOTHING, Score
from burble.training.network import reset_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torch import Tensor

    from burble.data.batch import Batch
    from burble.tokenizers.base import Tokenizer
    from burble.training.network import Network, NetworkState

_NOT_A_TARGET = -100

# These fix a figure to about 0.03 bits.
_ENOUGH_TOKENS = 1 << 15


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


def affordable(batches: Iterable[Batch], seconds: float) -> Iterator[Batch]:
    """The first of the batches, for as long as `seconds`, but enough for a figure in any case."""
    started, num_read = time.monotonic(), 0
    for batch in batches:
        if num_read >= _ENOUGH_TOKENS and time.monotonic() - started > seconds:
            return
        yield batch
        num_read += batch.inputs.size


@torch.no_grad()
def score_network(
    network: Network, batches: Iterable[Batch], tokenizer: Tokenizer, device: torch.device
) -> tuple[Score, int]:
    """Score held-out batches, without dropout, the state carried from batch to batch; and how many
    they were.
    """
    network.eval()
    total = NOTHING
    state = None
    num_batches = 0
    for batch in batches:
        num_batches += 1
        if not batch.mask.any():
            continue
        if state is None:
            state = network.start(batch.inputs.shape[1])
        loss, correct, state = loss_of(network, batch, state, device)
        total += batch_score(loss.item(), int(correct.item()), batch, tokenizer)
    network.train()
    return total, num_batches
