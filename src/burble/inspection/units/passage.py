"""Show a passage of a text with a unit's values: the picture behind a correlation."""

import numpy as np

from burble.data.scan import VALIDATION_WARMUP
from burble.engine.step_model import StepModel
from burble.inspection.units.cells import Unit
from burble.inspection.units.properties import Values
from burble.inspection.units.reading import Places, read_whole
from burble.tokenizers.base import Ids, Tokenizer

Passage = list[tuple[str, float]]  # pieces of a text, and a unit's value after each


def show_unit(model: StepModel, tokenizer: Tokenizer, ids: Ids, unit: Unit, part: slice) -> Passage:
    """Return the text of a part of ids, (tokens,), in pieces, with the unit's value after each.

    The model reads up to 128 tokens before the part first.
    """
    start, end, _ = part.indices(len(ids))
    before = max(0, start - VALIDATION_WARMUP)
    values = unit.of(read_whole(model, ids[before:end]))[start - before :]
    decoder = tokenizer.stream_decoder()
    pieces = [decoder.push(ids[place : place + 1]) for place in range(start, end)]
    return [(piece, value) for piece, value in zip(pieces, values.tolist(), strict=True) if piece]


def find_most_variable(values: Values, starts: Places, length: int) -> int:
    """Return the start at which the next `length` values vary the most.

    values: (places,). starts: the candidates, (starts,).
    """
    length = min(length, len(values))
    sums = _sums(values, length)
    variance = _sums(np.square(values), length) - np.square(sums) / length
    starts = starts[starts < len(variance)]
    return int(starts[variance[starts].argmax()])


def _sums(values: Values, length: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    total = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    sums: np.ndarray[tuple[int], np.dtype[np.float64]] = total[length:] - total[:-length]
    return sums
