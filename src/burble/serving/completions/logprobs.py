"""Log-probabilities of tokens, from reading them again: the writing loop does not keep them."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from burble.arithmetic import Float32
from burble.engine.scoring import log_softmax
from burble.engine.step_model import State, StepModel
from burble.tokenizers.base import Ids, Tokenizer

# Tokens read at once.
_AT_ONCE = 256


# Bytes of a token's Python objects, of its JSON, and of the JSON of each alternative.
_OBJECT_BYTES = 300
_TOKEN_BYTES = 40
_NAMED_BYTES = 30
# The JSON of each text, and of the response.
_COPIES = 2


def kept_bytes(echoed: int, written: int, top: int) -> int:
    """Return the memory of log-probabilities in bytes. top: alternatives listed for each token."""
    json_bytes = _COPIES * (_TOKEN_BYTES + top * _NAMED_BYTES)
    return echoed * (_OBJECT_BYTES + json_bytes) + written * json_bytes


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token, its log-probability in nats, and the likeliest alternatives, each as JSON."""

    # Encoded on the reading thread, so that the event loop only has to join them.
    token: str
    logprob: str  # null for the first token of all, which has none
    top: str
    text: str = ""  # the characters that it completes
    offset: int = 0  # characters before it

    @property
    def size(self) -> int:
        return _OBJECT_BYTES + len(self.top)


class Replay:
    def __init__(
        self, model: StepModel, labels: Sequence[str], state: Float32, last: int, top: int
    ) -> None:
        """labels: as JSON. state: before `last` is read. top: how many alternatives to list."""
        self._model = model
        self._labels = labels
        self._state = State(state[None].copy())
        self._last = last
        self._top = min(top, model.vocab_size)

    def unpredicted(self) -> TokenLogprob:
        """Return the first token of a text, which has no log-probability."""
        return TokenLogprob(self._labels[self._last], "null", "null")

    def read(self, ids: Ids) -> list[TokenLogprob]:
        before = np.concatenate([[self._last], ids[:-1]])
        logits, self._state = self._model.forward(before[:, None], self._state)
        self._last = int(ids[-1])
        log_p = log_softmax(logits[:, 0])
        best = np.argsort(-log_p, axis=1, kind="stable")[:, : self._top]
        likely = np.take_along_axis(log_p, best, axis=1)
        own = np.take_along_axis(log_p, ids[:, None], axis=1)[:, 0]
        return [
            TokenLogprob(self._labels[token], repr(logprob), self._named(others, logprobs))
            for token, logprob, others, logprobs in zip(
                ids.tolist(), own.tolist(), best.tolist(), likely.tolist(), strict=True
            )
        ]

    def _named(self, tokens: list[int], logprobs: list[float]) -> str:
        if not tokens:
            return "null"
        named = zip(tokens, logprobs, strict=True)
        return "{" + ", ".join(f"{self._labels[token]}: {value!r}" for token, value in named) + "}"


class Aligned:
    def __init__(self, replay: Replay, tokenizer: Tokenizer) -> None:
        self._replay = replay
        self._decoder = tokenizer.stream_decoder()
        self._waiting: deque[TokenLogprob] = deque()
        self._offset = 0

    def begin(self, first: int) -> None:
        self._add(np.array([first]), [self._replay.unpredicted()])

    def read(self, ids: Ids) -> Iterator[None]:
        for start in range(0, len(ids), _AT_ONCE):
            if start:
                yield
            part = ids[start : start + _AT_ONCE]
            self._add(part, self._replay.read(part))

    def _add(self, ids: Ids, tokens: list[TokenLogprob]) -> None:
        for token, found in zip(ids, tokens, strict=True):
            text = self._decoder.push(np.array([token]))
            self._waiting.append(
                TokenLogprob(found.token, found.logprob, found.top, text, self._offset)
            )
            self._offset += len(text)

    def take(self, length: int) -> list[TokenLogprob]:
        taken: list[TokenLogprob] = []
        while self._waiting and len(self._waiting[0].text) <= length:
            taken.append(self._waiting.popleft())
            length -= len(taken[-1].text)
        return taken


class LogprobColumns:
    """The `logprobs` object of OpenAI's API. Kept as JSON: a third of the memory of objects."""

    def __init__(self) -> None:
        self._columns: tuple[list[str], ...] = ([], [], [], [])

    def add(self, tokens: Sequence[TokenLogprob]) -> None:
        rows = ((one.token, one.logprob, one.top, str(one.offset)) for one in tokens)
        for column, found in zip(self._columns, zip(*rows, strict=True), strict=False):
            column.append(", ".join(found))

    def json(self, num_top: int) -> str:
        token, logprob, top, offset = (f"[{', '.join(column)}]" for column in self._columns)
        return (
            f'{{"tokens": {token}, "token_logprobs": {logprob}, '
            f'"top_logprobs": {top if num_top else "null"}, "text_offset": {offset}}}'
        )


def token_labels(tokenizer: Tokenizer) -> list[str]:
    """Return the JSON of each token's text; a part of a character appears as its bytes."""
    return [json.dumps(_label(tokenizer, token)) for token in range(tokenizer.vocab_size)]


def _label(tokenizer: Tokenizer, token: int) -> str:
    data = tokenizer.token_bytes(token)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in data)
