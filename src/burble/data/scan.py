"""Reading a text through once, to score it: in one pass, in streams, or in random windows."""

from collections.abc import Iterator

import numpy as np

from burble.data.batch import Batch, gather
from burble.tokenizers.base import Ids

# While training, the held-out text is read in streams side by side, each warmed on the tokens before
# it. Against one pass that changes the figure by less than 0.002 bits (tests/training).
VALIDATION_STREAMS = 32
VALIDATION_WARMUP = 128

# A longer held-out text is validated on its beginning: 262,144 tokens fix the figure to 0.01 bits.
VALIDATION_TOKENS = 1 << 18

_SCAN_TIME = 256


def validation_part(ids: Ids) -> Ids:
    return ids[:VALIDATION_TOKENS]


def scan(ids: Ids, streams: int = 1, warmup: int = 0, time: int = _SCAN_TIME) -> Iterator[Batch]:
    """Yield batches in which every id but the first is a target once.

    Each of the `streams` covers an equal part of the text and first reads `warmup` ids, masked.
    """
    num_targets = len(ids) - 1
    if num_targets < 1:
        return
    streams = min(streams, num_targets)
    part = -(-num_targets // streams)
    begins = np.arange(streams) * part
    ends = np.minimum(begins + part, num_targets)
    starts = np.maximum(begins - warmup, 0)
    longest = int((ends - starts).max())
    for offset in range(0, longest, time):
        places = starts + offset + np.arange(time)[:, None]
        tokens = gather(ids, starts + offset, time + 1)
        yield Batch(
            inputs=tokens[:-1],
            targets=tokens[1:],
            mask=(places >= begins) & (places < ends),
            reset=np.full(streams, offset == 0),
        )


def random_windows(ids: Ids, count: int, time: int, seed: int, rows: int = 64) -> Iterator[Batch]:
    """Yield `count` windows, or a few more, from random places, each from a fresh state."""
    count = -(-count // rows) * rows
    places = np.random.default_rng(seed).integers(max(1, len(ids) - time), size=count)
    time = min(time, len(ids) - 1)
    for first in range(0, count, rows):
        starts = places[first : first + rows]
        tokens = gather(ids, starts, time + 1)
        yield Batch(
            inputs=tokens[:-1],
            targets=tokens[1:],
            mask=np.ones((time, len(starts)), dtype=np.bool_),
            reset=np.ones(len(starts), dtype=np.bool_),
        )
