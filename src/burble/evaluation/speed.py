"""Measure how fast a model writes, and how close that is to the machine's limits."""

import statistics
import time
from dataclasses import dataclass

from burble.engine.generate import GenerationRequest, write_texts
from burble.engine.native import NativeModel
from burble.engine.step_model import StepModel
from burble.tokenizers.base import Tokenizer

STREAMS = 64
# Long enough for a stable figure, short enough to wait for.
_SECONDS = 0.5
_REPEATS = 3


@dataclass(frozen=True)
class Speed:
    """Characters a second, sampling included, and this machine's limits."""

    one_stream_chars_per_second: float  # on one core
    streams_64_chars_per_second: float  # all 64 together, on all cores
    kernel: str
    threads: int
    one_stream_limit: float | None  # if a step only read the weights; None on NumPy
    streams_64_limit: float | None  # if a step only computed the products; None on NumPy


def measure_speed(model: StepModel, tokenizer: Tokenizer) -> Speed:
    """Measure one stream alone, then 64 together; medians of three runs."""
    one = _characters_per_second(model, tokenizer, 1)
    many = _characters_per_second(model, tokenizer, STREAMS)
    if not isinstance(model, NativeModel):
        return Speed(one, many, model.kernel, 1, None, None)
    limits = (rate / model.weight_bytes for rate in (model.read_rate(), model.product_rate()))
    return Speed(one, many, model.kernel, model.threads, *limits)


def _characters_per_second(model: StepModel, tokenizer: Tokenizer, streams: int) -> float:
    length = 16
    while (seconds := _seconds(model, tokenizer, streams, length)) < _SECONDS / 2:
        length = min(8 * length, int(length * _SECONDS / seconds) + 1)
    rates = [
        streams * length / _seconds(model, tokenizer, streams, length) for _ in range(_REPEATS)
    ]
    return statistics.median(rates)


def _seconds(model: StepModel, tokenizer: Tokenizer, streams: int, length: int) -> float:
    requests = [
        GenerationRequest(max_characters=length, stream=stream) for stream in range(streams)
    ]
    started = time.perf_counter()
    write_texts(model, tokenizer, requests, rows=streams)
    return time.perf_counter() - started
