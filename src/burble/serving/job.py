"""`Job`: one text being written for a client, with its tokens' log-probabilities if asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from burble.engine.generate import Writing, prompt_ids
from burble.serving.logprobs import Aligned, Replay

if TYPE_CHECKING:
    import asyncio

    from burble.engine.generate import GenerationRequest
    from burble.engine.stream import Stream
    from burble.serving.logprobs import TokenLogprob
    from burble.serving.models import ServedModel


@dataclass(frozen=True)
class Piece:
    """Text that has become certain, and what ended it."""

    text: str = ""
    tokens: list[TokenLogprob] = field(default_factory=list)
    finish_reason: str | None = None
    error: Exception | None = None

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it."""
        return self.finish_reason is not None or self.error is not None


class Job:
    """A text being written. To build it reads the prompt, which takes its time."""

    def __init__(
        self,
        model: ServedModel,
        request: GenerationRequest,
        *,
        index: int,
        outbox: asyncio.Queue[tuple[int, Piece]],
        logprobs: int | None = None,
        echo: bool = False,
    ) -> None:
        """request: its length is in tokens. index: which of its client's texts it is. outbox:
        where its pieces go. logprobs: how many other tokens to name for each. echo: give the
        prompt first.
        """
        self.engine = model.engine
        self.index = index
        self.outbox = outbox
        self.turn = 0
        """Tokens written since it last waited."""

        self.num_tokens = 0
        tokenizer = model.file.tokenizer
        self.prompt_length = len(tokenizer.encode(request.prompt))
        self.cancelled = False
        self._request = request
        before = model.prefixes.read(prompt_ids(tokenizer, request.prompt)[:-1])
        self._writing = Writing(model.engine, tokenizer, request, before.values[0])
        self._aligned = None
        if logprobs is not None:
            replay, prompt = self._replay(model, logprobs, echo=echo)
            self._aligned = Aligned(replay, tokenizer, prompt)
        self._echo = echo

    def first_piece(self) -> Piece:
        """What there is before anything is written: the prompt, where it is asked for."""
        text = self._request.prompt if self._echo else ""
        tokens = self._aligned.take(len(text)) if self._aligned else []
        return Piece(text, tokens, self._finish_reason())

    def _replay(
        self, model: ServedModel, top: int, *, echo: bool
    ) -> tuple[Replay, list[TokenLogprob]]:
        """What gives the log-probabilities of new tokens, and those of the prompt."""
        tokenizer, request = model.file.tokenizer, self._request
        if echo and request.prompt:
            ids = prompt_ids(tokenizer, request.prompt)
            replay = Replay.from_start(model.engine, int(ids[0]), top)
            return replay, [replay.unforeseen(int(ids[0])), *replay.read(ids[1:])]
        stream = self._writing.stream
        return Replay(model.engine, stream.state, stream.last, top), []

    @property
    def done(self) -> bool:
        """Whether nothing is left to write."""
        return self._writing.done

    def go_on(self, count: int) -> Stream:
        """The stream, free to write `count` tokens, or as many as are left."""
        return self._writing.go_on(min(count, self._request.length - self.num_tokens))

    def take(self) -> Piece:
        """What has become certain since the last call."""
        text = self._writing.take()
        newest = self._writing.newest
        self.num_tokens += len(newest)
        self.turn += len(newest)
        if not self.done and self.num_tokens == self._request.length:
            text += self._writing.finish()
        tokens: list[TokenLogprob] = []
        if self._aligned is not None:
            self._aligned.read(newest)
            tokens = self._aligned.take(len(text))
        return Piece(text, tokens, self._finish_reason())

    def _finish_reason(self) -> str | None:
        if not self.done:
            return None
        return "stop" if self._writing.stopped else "length"
