"""A character LSTM in PyTorch as people write it: random windows, Adam, nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from burble.evaluation.evaluate import WINDOW
from learners.common import (
    THREADS,
    Learned,
    Task,
    fresh_windows,
    glance,
    learn,
    one_pass,
    read_text,
    recurrent_bits,
    torch_windows,
)

if TYPE_CHECKING:
    State = tuple[Tensor, Tensor]

HIDDEN, LAYERS = 256, 2
BATCH, TIME = 64, 128
LEARNING_RATE = 2e-3


class CharLstm(nn.Module):
    """Embedding, LSTM, head."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, HIDDEN)
        self.lstm = nn.LSTM(HIDDEN, HIDDEN, LAYERS, batch_first=True)
        self.head = nn.Linear(HIDDEN, vocab_size)

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Ids (rows, time) to logits (rows, time, vocab) and the state after them."""
        hidden, state = self.lstm(self.embedding(ids), state)
        return self.head(hidden), state


def learn_text(task: Task) -> Learned:
    """Windows from a fresh state, every position a target."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(task.seed)
    rng = np.random.default_rng(task.seed)
    text = read_text(task)
    network = CharLstm(text.vocab_size)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)

    def update(_: float) -> None:
        inputs, targets = torch_windows(text.train, BATCH, TIME, rng)
        logits, _state = network(inputs)
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    course = learn(
        network, task.seconds, update, lambda: recurrent_bits(network, glance(text.held_out))
    )
    last = recurrent_bits(network, one_pass(text.held_out))
    network.load_state_dict(course.best)
    return Learned(
        bits=recurrent_bits(network, one_pass(text.held_out)),
        windows_bits=recurrent_bits(network, fresh_windows(text.held_out)),
        window=WINDOW,
        last_bits=last,
        seconds=course.seconds,
        updates=course.updates,
        targets=course.updates * BATCH * TIME,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        detail=f"nn.Embedding, nn.LSTM {LAYERS}×{HIDDEN}, Adam {LEARNING_RATE:g}, random windows "
        f"of {TIME}, batches of {BATCH}",
    )
