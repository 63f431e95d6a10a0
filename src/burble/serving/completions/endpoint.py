"""`/v1/completions`: turn a request into jobs, and their chunks into OpenAI's responses."""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from burble.engine.generate import GenerationRequest, count_unknown, random_seed, read_prompt
from burble.errors import BurbleError, brief
from burble.serving.completions import logprobs
from burble.serving.completions.admission import Admission
from burble.serving.completions.job import Job
from burble.serving.completions.logprobs import LogprobColumns
from burble.serving.completions.models import ServedModel
from burble.serving.completions.outbox import Chunk, Outbox
from burble.serving.completions.requests import CompletionRequest
from burble.serving.completions.responses import Head, Usage
from burble.serving.http.errors import RefusalError, closing, json_response, refuse_text
from burble.serving.http.limits import Limits

_log = logging.getLogger("burble")

_DONE = object()
_FAREWELL_SECONDS = 1.0
_SHOWN = 40  # characters of a number that a message shows


def check(request: CompletionRequest, limits: Limits) -> None:
    """Check what no schema can: the server's limits, and options that exclude each other."""
    longest = max(map(len, request.prompts))
    for param, asks, count, most in (
        ("n", "n and prompt ask for {} texts", request.num_texts, limits.max_choices),
        ("max_tokens", "max_tokens asks for {} tokens", request.max_tokens, limits.max_tokens),
        ("prompt", "A prompt has {} characters", longest, limits.max_prompt),
    ):
        asked = asks.format(brief(f"{count:,}", _SHOWN))
        _require(count <= most, param, f"{asked}; at most {most:,} are allowed. Ask for fewer.")
    _require(
        request.best_of in {None, request.n},
        "best_of",
        f"best_of must be the same as n; found {request.best_of}. Leave it out.",
    )
    _require(
        kept_bytes(request) <= limits.max_kept,
        "logprobs",
        "logprobs of so many tokens do not fit into one answer. Set stream to true, or ask for "
        "fewer tokens or a shorter prompt.",
    )


def kept_bytes(request: CompletionRequest) -> int:
    """Return the memory, in bytes, of log-probabilities that are sent in one piece."""
    if request.logprobs is None:
        return 0
    # A character of the prompt is one token, or up to four in a byte vocabulary.
    echoed = sum(len(prompt.encode("utf-8", "replace")) for prompt in request.prompts)
    return logprobs.kept_bytes(
        echoed=request.n * echoed if request.echo else 0,
        written=0 if request.stream else request.num_texts * request.max_tokens,
        top=request.logprobs,
    )


def _require(condition: bool, param: str, otherwise: str) -> None:  # noqa: FBT001
    if not condition:
        raise RefusalError(400, otherwise, param=param)


class CompletionResponse(Response):
    """The response to one request; it stops as soon as its client disconnects."""

    def __init__(
        self, admission: Admission, model: ServedModel, request: CompletionRequest
    ) -> None:
        super().__init__()
        self._admission = admission
        self._model = model
        self._request = request
        self._outbox = Outbox()
        self._jobs: list[Job] = []
        self._started = time.perf_counter()
        self._seed = random_seed() if request.seed is None else request.seed
        self._head = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = asyncio.ensure_future(self._answer(scope, receive, send))
        leaving = asyncio.ensure_future(_wait_for_disconnect(receive))
        try:
            await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.wait({answering, leaving})
        if not answering.cancelled():
            answering.result()

    def _count(self) -> None:
        metrics, usage = self._admission.metrics, self._usage()
        metrics.prompt_tokens += usage["prompt_tokens"]
        metrics.tokens += usage["completion_tokens"]

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await _run_in_slices(self._read_prompts())
            self._begin()
            if self._request.stream:
                await self._stream(send)
            else:
                await (await self._complete())(scope, receive, send)
        finally:
            self._admission.scheduler.cancel(self._jobs)
            self._count()

    def _begin(self) -> None:
        """Send the first chunks, then submit, or a job that ends in between would lose its text."""
        for job in self._jobs:
            first = job.first_chunk()
            if first.text or first.is_last:
                self._admission.scheduler.send_first(job, first)
        self._admission.scheduler.submit(job for job in self._jobs if not job.done)

    def _read_prompts(self) -> Iterator[None]:
        request = self._request
        try:
            prompts = [
                read_prompt(self._model.file, prompt, request.unknown) for prompt in request.prompts
            ]
        except BurbleError as error:
            raise refuse_text(error, "prompt") from error
        self._head = self._make_head()
        for number, prompt in enumerate(prompts):
            for stream in range(request.n):
                job = self._make_job(number * request.n + stream, prompt, stream)
                yield from job.read_prompt()
                self._jobs.append(job)

    def _make_head(self) -> str:
        file, texts = self._model.file, self._request.prompts
        head: Head = {
            "id": f"cmpl-{secrets.token_hex(12)}",
            "object": "text_completion",
            "created": int(time.time()),
            "model": self._model.name,
            "seed": self._seed,
            "unknown_chars": sum(count_unknown(file, text) for text in texts),
        }
        return json.dumps(head)[:-1]

    def _make_job(self, index: int, prompt: str, stream: int) -> Job:
        request = self._request
        wanted = GenerationRequest(
            prompt=prompt,
            max_characters=None,
            max_tokens=request.max_tokens,
            sampling=request.sampling(),
            stop=request.stops,
            seed=self._seed,
            stream=stream,
        )
        return Job(
            self._model,
            wanted,
            index=index,
            outbox=self._outbox,
            logprobs=request.logprobs,
            echo=request.echo,
        )

    async def _chunks(self) -> AsyncIterator[list[tuple[int, Chunk]]]:
        left = len(self._jobs)
        is_first = True
        while left:
            chunks = await self._outbox.take()
            self._admission.scheduler.acknowledge(
                self._outbox, sum(chunk.size for _, chunk in chunks)
            )
            for _, chunk in chunks:
                if chunk.error is not None:
                    raise chunk.error
            left -= sum(chunk.is_last for _, chunk in chunks)
            if is_first:
                self._admission.metrics.first_text(time.perf_counter() - self._started)
            is_first = False
            yield chunks

    async def _complete(self) -> Response:
        choices = [_Choice() for _ in self._jobs]
        async for chunks in self._chunks():
            for index, chunk in chunks:
                choices[index].add(chunk)
        found = [choice.json(index, self._request) for index, choice in enumerate(choices)]
        return json_response(self._json(found, usage=self._usage()))

    def _json(self, choices: list[str], usage: Usage | None = None) -> str:
        end = "" if usage is None else f', "usage": {json.dumps(usage)}'
        return f'{self._head}, "choices": [{", ".join(choices)}]{end}}}'

    async def _stream(self, send: Send) -> None:
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [
                    (b"content-type", b"text/event-stream; charset=utf-8"),
                    (b"cache-control", b"no-store"),
                    (b"x-accel-buffering", b"no"),
                ],
            }
        )
        try:
            async for chunks in self._chunks():
                await _send_part(send, "".join(self._events(chunks)))
            last = [_event(self._json([], usage=self._usage()))]
            is_wanted = self._request.stream_options and self._request.stream_options.include_usage
            await _send_part(send, "".join([*(last if is_wanted else []), _event("[DONE]")]))
        except asyncio.CancelledError:
            await _break_off(send, closing())
            raise
        except Exception:  # noqa: BLE001 - whatever it is
            # Raising it would cut the connection of a client that is still reading.
            _log.exception("A text failed while it was being streamed.")
            failure = "The server failed. Ask again; its log has more."
            await _break_off(send, RefusalError(500, failure))
        else:
            await send({"type": "http.response.body", "body": b""})

    def _events(self, chunks: list[tuple[int, Chunk]]) -> Iterator[str]:
        grown: dict[int, _Choice] = {}
        for index, chunk in chunks:
            grown.setdefault(index, _Choice()).add(chunk)
        for index, choice in grown.items():
            yield _event(self._json([choice.json(index, self._request)]))

    def _usage(self) -> Usage:
        read = [job.num_prompt_tokens for job in self._jobs[:: self._request.n]]
        written = sum(job.num_tokens for job in self._jobs)
        return {
            "prompt_tokens": sum(read),
            "completion_tokens": written,
            "total_tokens": sum(read) + written,
        }


@dataclass
class _Choice:
    text: str = ""
    tokens: LogprobColumns = field(default_factory=LogprobColumns)
    finish_reason: str | None = None

    def add(self, chunk: Chunk) -> None:
        self.text += chunk.text
        self.tokens.add(chunk.tokens)
        self.finish_reason = chunk.finish_reason or self.finish_reason

    def json(self, index: int, request: CompletionRequest) -> str:
        fields = {"index": index, "text": self.text, "finish_reason": self.finish_reason}
        top = request.logprobs
        found = "null" if top is None else self.tokens.json(top)
        return f'{json.dumps(fields)[:-1]}, "logprobs": {found}}}'


async def _run_in_slices(work: Iterator[None]) -> None:
    """Run on other threads, one slice at a time, so that other clients get their turn."""
    while await asyncio.to_thread(next, work, _DONE) is not _DONE:
        pass


def _event(content: str) -> str:
    return f"data: {content}\n\n"


async def _send_part(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


async def _break_off(send: Send, why: RefusalError) -> None:
    """End a response that has begun: its status is sent already, so the error becomes an event."""
    # A client that does not read does not read this either.
    with suppress(TimeoutError):
        async with asyncio.timeout(_FAREWELL_SECONDS):
            await _send_part(send, _event(json.dumps(why.body)))
            await send({"type": "http.response.body", "body": b""})


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
