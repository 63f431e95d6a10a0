"""Learn with a plain PyTorch loop around an LSTM, as an experienced user would write it.

Small batches go through the text with the state carried, AdamW, and a step size that falls to zero
over the time: the best of the settings tried on two cores (docs/log.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.learners.common import (
    Ids,
    Learned,
    Task,
    fresh_windows,
    glance,
    in_threads,
    learn,
    num_parameters,
    one_pass,
    read_text,
    recurrent_bits,
    settle_threads_of_torch,
)
from burble.evaluation.evaluate import WINDOW

if TYPE_CHECKING:
    from benchmarks.learners.common import Update

    State = tuple[Tensor, Tensor]

EMBEDDING, HIDDEN = 64, 256
ROWS, TIME = 16, 32
LEARNING_RATE, WARM_UP = 4e-3, 30
# A larger rate is better in short runs: 2.760 against 2.901 bits on Shakespeare after 500 updates.
SHORT_RATE, SHORT_SECONDS = 1e-2, 20
# Without dropout, a short text that is read many times is memorised: Alice in 60 s has 2.109 bits
# without, 2.016 with 0.2 and 1.961 with 0.4. Shakespeare, read 2.6 times, has 2.205 without and
# 2.264 with 0.1.
REREAD_DROPOUT, SHORT_TEXT = 0.4, 500_000
BETAS, WEIGHT_DECAY, CLIP = (0.9, 0.99), 0.01, 1.0


class CharLstm(nn.Module):
    """A network of an embedding, an LSTM and a head."""

    def __init__(self, vocab_size: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(HIDDEN, vocab_size)
        with torch.no_grad():
            for gate in self.lstm.weight_hh_l0.split(HIDDEN):
                nn.init.orthogonal_(gate)
            self.lstm.bias_ih_l0.zero_()
            self.lstm.bias_hh_l0.zero_()
            # Start with an open forget gate, so that the memory lasts.
            self.lstm.bias_ih_l0[HIDDEN : 2 * HIDDEN] = 1

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Map ids, (time, rows), to logits, (time, rows, vocab), and the state after them."""
        hidden, state = self.lstm(self.embedding(ids), state)
        return self.head(self.dropout(hidden)), state


class Streams:
    """The text in `ROWS` parallel streams, read `TIME` characters at a time."""

    def __init__(self, ids: Ids) -> None:
        length = (len(ids) - 1) // ROWS
        cut = torch.from_numpy(ids)
        self._inputs = cut[: length * ROWS].view(ROWS, length).t().contiguous()
        self._targets = cut[1 : length * ROWS + 1].view(ROWS, length).t().contiguous()
        self._place = 0

    def read_on(self) -> tuple[Tensor, Tensor, bool]:
        """Return the next inputs and targets, (time, rows), and whether the text starts again."""
        if self._place + TIME > len(self._inputs):
            self._place = 0
        part = slice(self._place, self._place + TIME)
        self._place += TIME
        return self._inputs[part], self._targets[part], part.start == 0


def highest_rate(seconds: float) -> float:
    """Return the step size after the warm-up, for a run of this many seconds."""
    return SHORT_RATE if seconds <= SHORT_SECONDS else LEARNING_RATE


def best_dropout(seconds: float, num_characters: int) -> float:
    """Return the dropout before the head, for a run of `seconds` on a text of this length."""
    is_read_often = seconds > SHORT_SECONDS and num_characters < SHORT_TEXT
    return REREAD_DROPOUT if is_read_often else 0.0


def prepare_updates(network: CharLstm, ids: Ids, rate: float) -> Update:
    """Return a function that makes one update."""
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=rate, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True
    )
    streams = Streams(ids)
    state: State | None = None
    updates = 0

    def update(progress: float) -> None:
        nonlocal state, updates
        updates += 1
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, updates / WARM_UP) * (1 - progress)
        inputs, targets, anew = streams.read_on()
        logits, after = network(inputs, None if anew else state)
        state = after[0].detach(), after[1].detach()
        loss = functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()

    return update


def learn_text(task: Task) -> Learned:
    """Learn from the text in order, every position a target."""
    text = read_text(task)
    rate = highest_rate(task.seconds)
    dropout = best_dropout(task.seconds, len(text.train))
    threads = settle_threads_of_torch(
        lambda: prepare_updates(CharLstm(text.vocab_size, dropout), text.train, rate)
    )
    torch.manual_seed(task.seed)
    network = CharLstm(text.vocab_size, dropout)
    update = prepare_updates(network, text.train, rate)
    course = learn(
        network, task.seconds, update, lambda: recurrent_bits(network, glance(text.held_out))
    )
    network.load_state_dict(course.best)
    return Learned(
        bits=recurrent_bits(network, one_pass(text.tail)),
        sealed_bits=recurrent_bits(network, one_pass(text.sealed)),
        windows_bits=recurrent_bits(network, fresh_windows(text.tail)),
        window=WINDOW,
        seconds=course.seconds,
        updates=course.updates,
        targets=course.updates * ROWS * TIME,
        parameters=num_parameters(network),
        detail=f"nn.LSTM 1×{HIDDEN}, batches of {ROWS}×{TIME}, state carried, AdamW "
        f"{rate:g} down to 0, dropout {dropout:g}, {in_threads(threads)}",
    )
