"""Generate text: prompt → tokens → characters, cut at a stop text or at the length."""

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

# A call that takes less feels instant, so the next one may write twice as much.
_INSTANT = 0.01


@dataclass(frozen=True)
class GenerationRequest:
    """A text to write. The same request always gives the same text."""

    prompt: str = ""
    max_characters: int | None = knob(
        300, "Characters to write after the prompt.", low=0, slider=(10, 2000, 10)
    )
    max_tokens: int | None = knob(
        None, "The same in tokens; of both, whichever is reached first counts.", low=0
    )
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    stop: tuple[str, ...] = ()  # end before the first of these texts
    seed: int = knob(0, "The same seed writes the same text.", low=0, high=MAX_SEED)
    stream: int = 0  # numbers the samples of one seed: each has its own random numbers
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


class Generation:
    """A request in progress: a model writes to its stream, and `collect` returns new text.

    done: whether the text is complete. stopped: whether a stop text ended it. newest: the tokens
    behind the text that `collect` returned last.
    """

    def __init__(
        self,
        model: StepModel,
        tokenizer: Tokenizer,
        request: GenerationRequest,
        state: Float32 | None = None,
    ) -> None:
        """state: (layers, states, hidden), after all of the prompt but its last token, if known."""
        ids = prompt_ids(tokenizer, request.prompt)
        encoded = [(stop, tokenizer.encode(stop, "skip")) for stop in request.stop]
        self._request = request
        self._model = model
        self._decoder = tokenizer.stream_decoder()
        self._characters_left = _limit(request.max_characters)
        self._tokens_left = _limit(request.max_tokens)
        self._pending = ""
        self.newest: Ids = ids[:0]
        self.stopped = False
        self.stream = Stream(
            self._state_before_last(ids) if state is None else state,
            ids,
            request.sampling,
            key=(request.seed, request.stream),
            stops=[found for stop, found in encoded if tokenizer.decode(found) == stop],
            remember=request.window or 0,
        )
        self.done = self._is_at_length()

    def next_stream(self, count: int = CHUNK) -> Stream:
        """Return the stream for a model to write to, allowed to grow by up to `count` tokens."""
        most = 1 if self._request.window else count
        self.stream.allow(min(most, self._characters_left, self._tokens_left))
        return self.stream

    def collect(self) -> str:
        """Return the text that the model has written since the last call.

        An end that may be the beginning of a stop text is kept back until that is decided.
        """
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
                end -= _undecided_length(self._pending, self._request.stop)
        certain, self._pending = self._pending[:end], self._pending[end:]
        if self._request.window and not self.done:
            window = self.stream.newest(self._request.window)
            self.stream.state[:] = self._state_before_last(window)
        return certain

    def _is_at_length(self) -> bool:
        return not (self._characters_left and self._tokens_left)

    def _state_before_last(self, ids: Ids) -> Float32:
        """Compute the state after all ids but the last, which is read to choose the next token."""
        read = ids[-self._request.window : -1] if self._request.window else ids[:-1]
        state = self._model.prefill(read)[1] if len(read) else self._model.start(1)
        values: Float32 = state.values[0]
        return values


def _limit(length: int | None) -> int:
    return sys.maxsize if length is None else length


def stream_text(
    model: StepModel, tokenizer: Tokenizer, request: GenerationRequest
) -> Iterator[str]:
    """Return an iterator over the text of a request, piece by piece."""
    return _pieces(model, Generation(model, tokenizer, request))


def _pieces(model: StepModel, generation: Generation) -> Iterator[str]:
    count = 1
    while not generation.done:
        started = time.perf_counter()
        model.write([generation.next_stream(count)])
        if text := generation.collect():
            yield text
        # A fast model writes much in one call; a slow one still shows something often.
        is_instant = time.perf_counter() - started < _INSTANT
        count = min(2 * count, CHUNK) if is_instant else max(count // 2, 1)


def write_texts(
    model: StepModel, tokenizer: Tokenizer, requests: Sequence[GenerationRequest], rows: int = 64
) -> list[str]:
    """Return the texts of many requests, up to `rows` of them computed together.

    Each text is the same as if it were written alone.
    """
    texts = [""] * len(requests)
    waiting = deque(enumerate(requests))
    running: list[tuple[int, Generation]] = []
    while waiting or running:
        while waiting and len(running) < rows:
            place, request = waiting.popleft()
            running.append((place, Generation(model, tokenizer, request)))
        running = [(place, generation) for place, generation in running if not generation.done]
        model.write([generation.next_stream() for _, generation in running])
        for place, generation in running:
            texts[place] += generation.collect()
    return texts


def encode_text(file: ModelFile, text: str, unknown: UnknownPolicy = "error") -> Ids:
    """Return the token ids of `text`, (tokens,), normalised like the training text.

    Raises `TextError` for an unknown character, if `unknown` is "error".
    """
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
    """Return the prompt as the model reads it: normalised like the training text.

    Raises `TextError` as `encode_text` does.
    """
    return file.tokenizer.decode(encode_text(file, prompt, unknown))


def prompt_ids(tokenizer: Tokenizer, prompt: str) -> Ids:
    """Return the ids of the prompt, at least one. For an empty prompt, those of a line break."""
    ids = tokenizer.encode(prompt)
    if len(ids) == 0:
        ids = tokenizer.encode("\n", unknown="skip")
    return ids if len(ids) else np.zeros(1, dtype=np.int64)


def _stop_place(text: str, stops: tuple[str, ...]) -> int | None:
    found = [(place + len(stop), place) for stop in stops if (place := text.find(stop)) >= 0]
    return min(found)[1] if found else None


def _undecided_length(text: str, stops: tuple[str, ...]) -> int:
    longest = min(len(text), max((len(stop) for stop in stops), default=0))
    for size in range(longest, 0, -1):
        if any(stop.startswith(text[-size:]) for stop in stops):
            return size
    return 0


def random_seed() -> int:
    """Return a random seed below 1,000,000, short enough to type again."""
    return int.from_bytes(os.urandom(8)) % 1_000_000
