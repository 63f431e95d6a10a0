"""A passage of a text beside what a unit made of it: the picture behind a correlation."""

import numpy as np

from burble.data.scan import VALIDATION_WARMUP
from burble.engine.step_model import StepModel
from burble.inspection.units.cells import Unit
from burble.inspection.units.properties import Values
from burble.inspection.units.reading import Places, read_whole
from burble.tokenizers.base import Ids, Tokenizer

Passage = list[tuple[str, float]]  # pieces of a text, and a unit's value after each


def show_unit(model: StepModel, tokenizer: Tokenizer, ids: Ids, unit: Unit, part: slice) -> Passage:
    """What the unit makes of a part of ids, (tokens,), read with what stands before it."""
    start, end, _ = part.indices(len(ids))
    before = max(0, start - VALIDATION_WARMUP)
    values = unit.of(read_whole(model, ids[before:end]))[start - before :]
    decoder = tokenizer.stream_decoder()
    pieces = [decoder.push(ids[place : place + 1]) for place in range(start, end)]
    return [(piece, value) for piece, value in zip(pieces, values.tolist(), strict=True) if piece]


def find_most_variable(values: Values, starts: Places, length: int) -> int:
    """That of `starts`, (starts,), from which on `length` of values, (places,), vary the most."""
    length = min(length, len(values))
    sums = _sums(values, length)
    variance = _sums(np.square(values), length) - np.square(sums) / length
    starts = starts[starts < len(variance)]
    return int(starts[variance[starts].argmax()])


def _sums(values: Values, length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    sums: np.ndarray[tuple[int], np.dtype[np.float64]] = total[length:] - total[:-length]
    return sums
