"""The one decoding path: prompt → tokens → characters → text cut at a stop or at its length."""

import os
import sys
import time
import unicodedata
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from burble.arithmetic import Float32
from burble.config import MAX_SEED, SamplingConfig, UnknownPolicy
from burble.engine.step_model import StepModel
from burble.engine.stream import CHUNK, Stream
from burble.errors import UsageError, brief
from burble.knobs import check_knobs, knob
from burble.model_file import ModelFile
from burble.text.normalization import normalize
from burble.tokenizers.base import Ids, Tokenizer

_PROMPT_SECONDS = 0.01


@dataclass(frozen=True)
class GenerationRequest:
    """What to write; the same request gives the same text."""

    prompt: str = ""
    max_characters: int | None = knob(
        300, "Characters to write after the prompt.", low=0, slider=(10, 2000, 10)
    )
    max_tokens: int | None = knob(
        None, "The same in tokens; of both, whichever is reached first counts.", low=0
    )
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    stop: tuple[str, ...] = ()  # texts to stop before
    seed: int = knob(0, "The same seed writes the same text.", low=0, high=MAX_SEED)
    stream: int = 0  # numbers the samples of one seed; each has random numbers of its own
    window: int | None = knob(
        None,
        "Re-read this many tokens for each new one, as the Keras tutorial does (slow).",
        low=1,
        high=2**31,
    )

    def __post_init__(self) -> None:
        check_knobs(self)
        if "" in self.stop:
            raise UsageError(
                "A stop text must not be empty: it would stop before every text. Leave it out."
            )


class Writing:
    """A request being carried out: a model writes on its stream, and `take` gives the text."""

    def __init__(
        self,
        model: StepModel,
        tokenizer: Tokenizer,
        request: GenerationRequest,
        state: Float32 | None = None,
    ) -> None:
        """state: (layers, states, hidden), after the prompt but its last token, if it is known."""
        ids = prompt_ids(tokenizer, request.prompt)
        encoded = [(stop, tokenizer.encode(stop, "skip")) for stop in request.stop]
        self._request = request
        self._model = model
        self._decoder = tokenizer.stream_decoder()
        self._characters_left = _limit(request.max_characters)
        self._tokens_left = _limit(request.max_tokens)
        self._pending = ""
        self.newest: Ids = ids[:0]  # the tokens behind what `take` gave last
        self.stopped = False  # whether a stop text has ended it
        self.stream = Stream(
            self._state_before_last(ids) if state is None else state,
            ids,
            request.sampling,
            key=(request.seed, request.stream),
            stops=[found for stop, found in encoded if tokenizer.decode(found) == stop],
            remember=request.window or 0,
        )
        self.done = self._is_at_length()

    def go_on(self, count: int = CHUNK) -> Stream:
        most = 1 if self._request.window else count
        self.stream.allow(min(most, self._characters_left, self._tokens_left))
        return self.stream

    def take(self) -> str:
        self.newest = self.stream.take()
        self._tokens_left -= len(self.newest)
        text = self._decoder.push(self.newest)
        if not self._tokens_left:
            text += self._decoder.finish()
        text = text[: self._characters_left]
        self._characters_left -= len(text)
        self._pending += text
        end = _stop_place(self._pending, self._request.stop)
        self.stopped = end is not None
        self.done = self.stopped or self._is_at_length()
        if end is None:
            end = len(self._pending)
            if not self.done:
                end -= _held_back(self._pending, self._request.stop)
        certain, self._pending = self._pending[:end], self._pending[end:]
        if self._request.window and not self.done:
            window = self.stream.newest(self._request.window)
            self.stream.state[:] = self._state_before_last(window)
        return certain

    def _is_at_length(self) -> bool:
        return not (self._characters_left and self._tokens_left)

    def _state_before_last(self, ids: Ids) -> Float32:
        """The state after all of ids but the last, which is read when the next is chosen."""
        read = ids[-self._request.window : -1] if self._request.window else ids[:-1]
        state = self._model.prefill(read)[1] if len(read) else self._model.start(1)
        values: Float32 = state.values[0]
        return values


def _limit(length: int | None) -> int:
    return sys.maxsize if length is None else length


def stream_text(
    model: StepModel, tokenizer: Tokenizer, request: GenerationRequest
) -> Iterator[str]:
    return _pieces(model, Writing(model, tokenizer, request))


def _pieces(model: StepModel, writing: Writing) -> Iterator[str]:
    count = 1
    while not writing.done:
        started = time.perf_counter()
        model.write([writing.go_on(count)])
        if text := writing.take():
            yield text
        # Few calls where the model is fast, and a piece every few moments where it is not.
        is_prompt = time.perf_counter() - started < _PROMPT_SECONDS
        count = min(2 * count, CHUNK) if is_prompt else max(count // 2, 1)


def write_texts(
    model: StepModel, tokenizer: Tokenizer, requests: Sequence[GenerationRequest], rows: int = 64
) -> list[str]:
    """The texts of many requests, `rows` at a time side by side; each as if it were alone."""
    texts = [""] * len(requests)
    waiting = deque(enumerate(requests))
    going: list[tuple[int, Writing]] = []
    while waiting or going:
        while waiting and len(going) < rows:
            place, request = waiting.popleft()
            going.append((place, Writing(model, tokenizer, request)))
        going = [(place, writing) for place, writing in going if not writing.done]
        model.write([writing.go_on() for _, writing in going])
        for place, writing in going:
            texts[place] += writing.take()
    return texts


def encode_text(file: ModelFile, text: str, unknown: UnknownPolicy = "error") -> Ids:
    """The text's tokens, (tokens,), normalised as the model's own text was."""
    if unknown not in get_args(UnknownPolicy):
        raise UsageError(f"unknown must be error, skip or nearest; found {unknown!r}.")
    if not isinstance(text, str):
        raise UsageError(f"The text must be a str; found {brief(repr(text))}.")
    return file.tokenizer.encode(_normalized(file, text), unknown)


def count_unknown(file: ModelFile, text: str) -> int:
    return file.tokenizer.count_unknown(_normalized(file, text))


def _normalized(file: ModelFile, text: str) -> str:
    """Normalise as the model's own text was; where that was left as it is, in the normal form of
    which most is known. Keyboards and files differ in how they write an accent.
    """
    normalized = normalize(text, file.normalization)
    count = file.tokenizer.count_unknown
    if file.normalization.unicode_form is not None or not count(normalized):
        return normalized
    forms = (unicodedata.normalize(form, normalized) for form in ("NFC", "NFD"))
    return min([normalized, *forms], key=count)


def read_prompt(file: ModelFile, prompt: str, unknown: UnknownPolicy = "error") -> str:
    """The prompt as the model reads it: normalised as its text was, and encodable."""
    return file.tokenizer.decode(encode_text(file, prompt, unknown))


def prompt_ids(tokenizer: Tokenizer, prompt: str) -> Ids:
    """Ids of the prompt. An empty one stands for the start of a line."""
    ids = tokenizer.encode(prompt)
    if len(ids) == 0:
        ids = tokenizer.encode("\n", unknown="skip")
    return ids if len(ids) else np.zeros(1, dtype=np.int64)


def _stop_place(text: str, stops: tuple[str, ...]) -> int | None:
    found = [(place + len(stop), place) for stop in stops if (place := text.find(stop)) >= 0]
    return min(found)[1] if found else None


def _held_back(text: str, stops: tuple[str, ...]) -> int:
    longest = min(len(text), max((len(stop) for stop in stops), default=0))
    for size in range(longest, 0, -1):
        if any(stop.startswith(text[-size:]) for stop in stops):
            return size
    return 0


def random_seed() -> int:
    """Return a seed short enough to be read out and typed again."""
    return int.from_bytes(os.urandom(8)) % 1_000_000
