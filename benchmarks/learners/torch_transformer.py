"""Learn with a small character transformer in PyTorch, at nanoGPT's sizes for a CPU."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.learners.common import (
    Ids,
    Learned,
    Task,
    in_threads,
    learn,
    num_parameters,
    read_text,
    settle_threads_of_torch,
)
from burble.data.scan import random_windows
from burble.evaluation.evaluate import WINDOWS_SEED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.learners.common import Update

LAYERS, HEADS, WIDTH, CONTEXT, BATCH = 4, 4, 128, 64, 12
RATE, LAST_RATE, WARM_UP = 1e-3, 1e-4, 0.05
BETAS, WEIGHT_DECAY, CLIP = (0.9, 0.99), 0.1, 1.0

# In one pass, a window moves by this many characters, so each is predicted from at least CONTEXT -
# STRIDE others.
STRIDE = 16
NUM_WINDOWS = 4096
GLANCED = 1024


class Block(nn.Module):
    """A block of causal attention and a perceptron, each with a residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH, bias=False)
        self.queries_keys_values = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.attention_out = nn.Linear(WIDTH, WIDTH, bias=False)
        self.perceptron_norm = nn.LayerNorm(WIDTH, bias=False)
        self.widen = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.narrow = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, stream: Tensor) -> Tensor:
        """Map (rows, time, width) to the same shape."""
        stream = stream + self.attention_out(self.attend(self.attention_norm(stream)))
        wide = functional.gelu(self.widen(self.perceptron_norm(stream)))
        return stream + self.narrow(wide)

    def attend(self, inputs: Tensor) -> Tensor:
        """Apply causal attention with `HEADS` heads."""
        rows, time, _ = inputs.shape
        split = self.queries_keys_values(inputs).view(rows, time, 3, HEADS, WIDTH // HEADS)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        return mixed.transpose(1, 2).reshape(rows, time, WIDTH)


class Transformer(nn.Module):
    """A transformer whose head shares the embedding's weights."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.characters = nn.Embedding(vocab_size, WIDTH)
        self.places = nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                ends_branch = name.endswith(("attention_out.weight", "narrow.weight"))
                nn.init.normal_(
                    parameter, std=0.02 / math.sqrt(2 * LAYERS) if ends_branch else 0.02
                )

    def forward(self, ids: Tensor) -> Tensor:
        """Map ids, (rows, time), to logits, (rows, time, vocab); time is at most `CONTEXT`."""
        stream = self.characters(ids) + self.places.weight[: ids.shape[1]]
        return functional.linear(self.norm(self.blocks(stream)), self.characters.weight)


def optimizer_of(network: nn.Module) -> torch.optim.AdamW:
    """Return AdamW with weight decay on matrices only."""
    matrices = [parameter for parameter in network.parameters() if parameter.ndim > 1]
    vectors = [parameter for parameter in network.parameters() if parameter.ndim == 1]
    groups = [
        {"params": matrices, "weight_decay": WEIGHT_DECAY},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=RATE, betas=BETAS, fused=True)


def rate_at(progress: float) -> float:
    """Return the step size: a warm-up over `WARM_UP` of the time, then a cosine to `LAST_RATE`."""
    if progress < WARM_UP:
        return RATE * max(progress / WARM_UP, 0.01)
    fallen = (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2
    return LAST_RATE + (RATE - LAST_RATE) * fallen


def bits(network: nn.Module, windows: Iterator[tuple[Tensor, Tensor]]) -> float:
    """Return the bits per target.

    windows: tokens, (rows, time + 1), and which targets count, (rows, time).
    """
    nats, count = 0.0, 0
    with torch.no_grad():
        for tokens, counts in windows:
            logits, targets = network(tokens[:, :-1])[counts], tokens[:, 1:][counts]
            nats += functional.cross_entropy(logits, targets, reduction="sum").item()
            count += len(targets)
    return nats / math.log(2) / count


def sliding(ids: Ids) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield windows that move by `STRIDE`, so that every id but the first is a target once."""
    last = len(ids) - 1 - CONTEXT
    starts = np.append(np.arange(0, last, STRIDE), last)
    # The first target in each window that no earlier window has.
    begins = np.append(0, starts[:-1] + CONTEXT) - starts
    for first in range(0, len(starts), 64):
        part = slice(first, first + 64)
        tokens = ids[starts[part, None] + np.arange(CONTEXT + 1)]
        counts = np.arange(CONTEXT) >= begins[part, None]
        yield torch.from_numpy(tokens), torch.from_numpy(counts)


def fresh(ids: Ids, count: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield up to `count` random windows of `CONTEXT`, with every position a target."""
    for batch in random_windows(ids, min(count, len(ids)), CONTEXT, WINDOWS_SEED):
        tokens = np.concatenate([batch.inputs, batch.targets[-1:]]).T
        yield torch.from_numpy(tokens), torch.from_numpy(batch.mask.T)


def windows(ids: Ids, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Return random windows and the target of each of their characters, both (rows, time)."""
    starts = rng.integers(len(ids) - CONTEXT, size=(BATCH, 1))
    tokens = torch.from_numpy(ids[starts + np.arange(CONTEXT + 1)])
    return tokens[:, :-1], tokens[:, 1:]


def prepare_updates(network: Transformer, ids: Ids, seed: int) -> Update:
    """Return a function that makes one update on random windows, every position a target."""
    rng = np.random.default_rng(seed)
    optimizer = optimizer_of(network)

    def update(progress: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate_at(progress)
        inputs, targets = windows(ids, rng)
        loss = functional.cross_entropy(network(inputs).flatten(0, 1), targets.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()

    return update


def learn_text(task: Task) -> Learned:
    """Learn with the sizes and rates above, and score the held-out parts."""
    text = read_text(task)
    threads = settle_threads_of_torch(
        lambda: prepare_updates(Transformer(text.vocab_size), text.train, task.seed)
    )
    torch.manual_seed(task.seed)
    network = Transformer(text.vocab_size)
    update = prepare_updates(network, text.train, task.seed)
    course = learn(
        network, task.seconds, update, lambda: bits(network, fresh(text.held_out, GLANCED))
    )
    network.load_state_dict(course.best)
    return Learned(
        bits=bits(network, sliding(text.tail)),
        sealed_bits=bits(network, sliding(text.sealed)),
        windows_bits=bits(network, fresh(text.tail, NUM_WINDOWS)),
        window=CONTEXT,
        seconds=course.seconds,
        updates=course.updates,
        targets=course.updates * BATCH * CONTEXT,
        parameters=num_parameters(network),
        detail=f"{LAYERS} layers, {HEADS} heads, {WIDTH} wide, context {CONTEXT}, batches of "
        f"{BATCH}, AdamW {RATE:g} with warm-up and cosine to {LAST_RATE:g}, {in_threads(threads)}; "
        f"one pass in windows of {CONTEXT} that move on by {STRIDE}",
    )
