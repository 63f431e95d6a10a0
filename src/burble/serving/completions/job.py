"""`Job`: one text being written for a client, with its tokens' log-probabilities if asked for."""

from collections.abc import Iterator

from burble.engine.generate import Generation, GenerationRequest, prompt_ids
from burble.engine.stream import Stream
from burble.serving.completions.logprobs import Aligned, Replay, TokenLogprob
from burble.serving.completions.models import ServedModel
from burble.serving.completions.outbox import Chunk, Outbox

# Tokens of a round with log-probabilities: with 20 alternatives each takes 1 KB, and one client may
# have 64 texts.
_LOGPROBS_AT_ONCE = 32


class Job:
    _generation: Generation

    def __init__(
        self,
        model: ServedModel,
        request: GenerationRequest,
        *,
        index: int,
        outbox: Outbox,
        logprobs: int | None = None,
        echo: bool = False,
    ) -> None:
        """outbox: receives the chunks, under `index`. logprobs: how many alternatives to list."""
        self.engine = model.engine
        self.index = index
        self.outbox = outbox
        self.turn = 0  # tokens written since it last waited
        self.num_tokens = 0
        self.cancelled = False
        self._model = model
        self._request = request
        self._ids = prompt_ids(model.file.tokenizer, request.prompt)
        self._logprobs = logprobs
        self._aligned: Aligned | None = None
        self._echo = echo

    @property
    def num_prompt_tokens(self) -> int:
        return len(self._ids) if self._request.prompt else 0

    def read_prompt(self) -> Iterator[None]:
        """Read the prompt, yielding after each part so that other clients get their turn."""
        model, ids = self._model, self._ids
        state = (yield from model.prefix_cache.read(ids[:-1])).values[0]
        self._generation = Generation(model.engine, model.file.tokenizer, self._request, state)
        if self._logprobs is None:
            return
        is_echoed = self._echo and self._request.prompt
        before = model.engine.start(1).values[0] if is_echoed else state
        last = int(ids[0] if is_echoed else ids[-1])
        replay = Replay(model.engine, model.labels, before, last, self._logprobs)
        self._aligned = Aligned(replay, model.file.tokenizer)
        if is_echoed:
            self._aligned.begin(last)
            yield from self._aligned.read(ids[1:])

    def first_chunk(self) -> Chunk:
        """Return the first chunk: the prompt if it is echoed, else no text."""
        text = self._request.prompt if self._echo else ""
        tokens = self._aligned.take(len(text)) if self._aligned else []
        return Chunk(text, tokens, self._finish_reason())

    @property
    def done(self) -> bool:
        return self._generation.done

    @property
    def stream(self) -> Stream:
        return self._generation.stream

    def next_stream(self, count: int) -> None:
        if self._logprobs is not None:
            count = min(count, _LOGPROBS_AT_ONCE)
        self._generation.next_stream(count)

    def collect(self) -> Chunk:
        text = self._generation.collect()
        newest = self._generation.newest
        self.num_tokens += len(newest)
        self.turn += len(newest)
        tokens: list[TokenLogprob] = []
        if self._aligned is not None:
            for _ in self._aligned.read(newest):
                pass
            tokens = self._aligned.take(len(text))
        return Chunk(text, tokens, self._finish_reason())

    def _finish_reason(self) -> str | None:
        if not self.done:
            return None
        return "stop" if self._generation.stopped else "length"
