"""Score n-gram counts, which take next to no time."""

from __future__ import annotations

import time

from benchmarks.learners.common import Learned, Task, read_text
from burble.evaluation.evaluate import ngram_bits


def learn_text(task: Task) -> Learned:
    """Count the n-grams of the training part, and score the rest in one pass."""
    text = read_text(task)
    started = time.perf_counter()
    bits = ngram_bits(text.tokenizer, text.train, text.tail)
    seconds = time.perf_counter() - started
    return Learned(
        bits=bits,
        sealed_bits=ngram_bits(text.tokenizer, text.train, text.sealed),
        windows_bits=None,
        window=None,
        seconds=seconds,
        updates=0,
        targets=0,
        parameters=0,
        detail="the n-gram counts of `burble eval`, counting and scoring; no time is given",
    )
