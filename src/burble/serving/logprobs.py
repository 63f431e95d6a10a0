"""How likely each token was: writing does not tell, reading the same tokens again does."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from burble.engine.scoring import log_softmax
from burble.engine.step_model import State

if TYPE_CHECKING:
    from burble.arithmetic import Float32
    from burble.engine.step_model import StepModel
    from burble.tokenizers.base import Ids, Tokenizer

# Logits of this many tokens are held at a time.
_AT_ONCE = 256


@dataclass(frozen=True)
class TokenLogprob:
    """A token, how likely it was in nats, and the likeliest ones in its place."""

    token: int
    logprob: float | None
    """None for the first token of all, which nothing foresees."""

    top: list[tuple[int, float]]
    text: str = ""
    """The characters that it completes."""


class Replay:
    """Reads along with what is written."""

    def __init__(self, model: StepModel, state: Float32, last: int, top: int) -> None:
        """state: (layers, tensors, hidden), before the token `last` is read. top: how many of the
        likeliest to name.
        """
        self._model = model
        self._state = State(state[None].copy())
        self._last = last
        self._top = min(top, model.vocab_size)

    @classmethod
    def from_start(cls, model: StepModel, first: int, top: int) -> Replay:
        """Of a text whose first token is `first`."""
        return cls(model, model.start(1).values[0], first, top)

    @staticmethod
    def unforeseen(token: int) -> TokenLogprob:
        """The first token of a text."""
        return TokenLogprob(token, None, [])

    def read(self, ids: Ids) -> list[TokenLogprob]:
        """How likely the next tokens, (tokens,), were."""
        return [
            found
            for start in range(0, len(ids), _AT_ONCE)
            for found in self._read(ids[start : start + _AT_ONCE])
        ]

    def _read(self, ids: Ids) -> list[TokenLogprob]:
        before = np.concatenate([[self._last], ids[:-1]])
        logits, self._state = self._model.forward(before[:, None], self._state)
        self._last = int(ids[-1])
        log_p = log_softmax(logits[:, 0])
        best = np.argsort(-log_p, axis=1, kind="stable")[:, : self._top]
        return [
            TokenLogprob(token, float(row[token]), [(other, float(row[other])) for other in likely])
            for token, row, likely in zip(ids.tolist(), log_p, best.tolist(), strict=True)
        ]


class Aligned:
    """Tokens handed out together with the text that they complete."""

    def __init__(self, replay: Replay, tokenizer: Tokenizer, prompt: list[TokenLogprob]) -> None:
        self._replay = replay
        self._decoder = tokenizer.stream_decoder()
        self._waiting: deque[TokenLogprob] = deque()
        self._add(prompt)

    def read(self, ids: Ids) -> None:
        """These tokens were written."""
        self._add(self._replay.read(ids))

    def _add(self, tokens: list[TokenLogprob]) -> None:
        for found in tokens:
            text = self._decoder.push(np.array([found.token]))
            self._waiting.append(TokenLogprob(found.token, found.logprob, found.top, text))

    def take(self, length: int) -> list[TokenLogprob]:
        """The tokens of the next `length` characters."""
        taken: list[TokenLogprob] = []
        while self._waiting and len(self._waiting[0].text) <= length:
            taken.append(self._waiting.popleft())
            length -= len(taken[-1].text)
        return taken


def token_label(tokenizer: Tokenizer, token: int) -> str:
    """A token as text; one that is only a part of a character by its byte."""
    text = tokenizer.decode(np.array([token]))
    is_part = tokenizer.kind == "byte" and not text.isascii()
    return f"bytes:\\x{token:02x}" if is_part else text
