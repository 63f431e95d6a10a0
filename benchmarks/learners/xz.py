"""Score xz: how well a compressor that has read the training part predicts the rest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.learners.common import Learned, Task, read_text
from burble.evaluation.compression import xz_bits

if TYPE_CHECKING:
    from benchmarks.learners.common import Ids, Text


def learn_text(task: Task) -> Learned:
    """Compress the training part with and without the part to score."""
    text = read_text(task)
    started = time.perf_counter()
    bits = _bits(text, text.tail)
    seconds = time.perf_counter() - started
    return Learned(
        bits=bits,
        sealed_bits=_bits(text, text.sealed),
        windows_bits=None,
        window=None,
        seconds=seconds,
        updates=0,
        targets=0,
        parameters=0,
        detail="xz at its default preset, as in `burble eval`; no time is given",
    )


def _bits(text: Text, ids: Ids) -> float:
    before, after = text.tokenizer.decode(text.train), text.tokenizer.decode(ids)
    return xz_bits(before, after) / (len(after) - 1)
