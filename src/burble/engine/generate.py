"""The one decoding path: prompt → tokens → characters → text cut at a stop or at its length."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import numpy as np

from burble.config import SamplingConfig
from burble.errors import UsageError
from burble.sampling import PENALTY_TOKENS, choose, uniform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burble.engine.step_model import StepModel
    from burble.tokenizers.base import Ids, Tokenizer

_MAX_WINDOW = 1 << 31
_SEEDS = 1 << 63


@dataclass(frozen=True)
class GenerationRequest:
    """What to write; the same request gives the same text."""

    prompt: str = ""
    length: int = 300
    """Characters to write, the prompt not counted."""

    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    stop: tuple[str, ...] = ()
    """Texts to stop before."""

    seed: int = 0
    stream: int = 0
    """Numbers the samples of one seed; each has random numbers of its own."""

    window: int | None = None
    """Re-read this many tokens from a fresh state for each new one, as the Keras tutorial does."""

    def __post_init__(self) -> None:
        if self.length < 0:
            raise UsageError(f"length must be 0 or more; found {self.length}.")
        if self.window is not None and not 1 <= self.window <= _MAX_WINDOW:
            raise UsageError(f"window must be from 1 to {_MAX_WINDOW:,}; found {self.window}.")
        if not 0 <= self.seed < _SEEDS:
            raise UsageError(f"seed must be from 0 to 2⁶³-1; found {self.seed}.")
        if "" in self.stop:
            raise UsageError("A stop text must not be empty: it would stop before every text.")


def stream_text(
    model: StepModel, tokenizer: Tokenizer, request: GenerationRequest
) -> Iterator[str]:
    """The text after the prompt, in pieces as they become certain."""
    ids = prompt_ids(tokenizer, request.prompt)
    pieces = _characters(stream_tokens(model, ids, request), tokenizer, request.length)
    return _until_stop(pieces, request.stop)


def prompt_ids(tokenizer: Tokenizer, prompt: str) -> Ids:
    """Ids of the prompt. An empty one stands for the start of a line."""
    ids = tokenizer.encode(prompt)
    if len(ids) == 0:
        ids = tokenizer.encode("\n", unknown="skip")
    return ids if len(ids) else np.zeros(1, dtype=np.int64)


def stream_tokens(model: StepModel, prompt: Ids, request: GenerationRequest) -> Iterator[int]:
    """Tokens without end after `prompt`, (time,)."""
    history = deque(prompt.tolist(), maxlen=max(request.window or 0, PENALTY_TOKENS))
    logits, state = model.prefill(prompt[-request.window :] if request.window else prompt)
    for position in count():
        draw = uniform(request.seed, request.stream, position)
        token = choose(logits[0], list(history), request.sampling, draw)
        yield token
        history.append(token)
        if request.window:
            logits, _ = model.prefill(np.array(list(history)[-request.window :]))
        else:
            logits, state = model.step(np.array([token]), state)


def _characters(tokens: Iterator[int], tokenizer: Tokenizer, length: int) -> Iterator[str]:
    """Exactly `length` characters, as the tokens complete them."""
    decoder = tokenizer.stream_decoder()
    written = 0
    while written < length:
        piece = decoder.push(next(tokens))[: length - written]
        written += len(piece)
        if piece:
            yield piece


def _until_stop(pieces: Iterator[str], stops: tuple[str, ...]) -> Iterator[str]:
    """The pieces up to the stop text that is whole first; the start of one is held back."""
    pending = ""
    for piece in pieces:
        pending += piece
        found = [(place + len(s), place) for s in stops if (place := pending.find(s)) >= 0]
        if found:
            yield pending[: min(found)[1]]
            return
        certain = len(pending) - _held_back(pending, stops)
        if certain:
            yield pending[:certain]
        pending = pending[certain:]
    if pending:
        yield pending


def _held_back(text: str, stops: tuple[str, ...]) -> int:
    """Length of the longest end of `text` that begins a stop text."""
    longest = min(len(text), max((len(stop) for stop in stops), default=0))
    for size in range(longest, 0, -1):
        if any(stop.startswith(text[-size:]) for stop in stops):
            return size
    return 0
