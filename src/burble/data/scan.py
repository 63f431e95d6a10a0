"""Read a text once, to score it: in one pass, in parallel streams, or in random windows."""

from collections.abc import Iterator

import numpy as np

from burble.data.batch import Batch, gather
from burble.tokenizers.base import Ids

# During training the held-out text is read in parallel streams, each warmed up on the tokens before
# it. That changes the figure by less than 0.002 bits against one pass (tests/training).
VALIDATION_STREAMS = 32
VALIDATION_WARMUP = 128

# Only the first 262,144 held-out tokens are read: they fix the figure to 0.01 bits.
VALIDATION_TOKENS = 1 << 18

_SCAN_TIME = 256


def validation_part(ids: Ids) -> Ids:
    """Return the beginning of the held-out ids, which validation reads."""
    return ids[:VALIDATION_TOKENS]


def scan(ids: Ids, streams: int = 1, warmup: int = 0, time: int = _SCAN_TIME) -> Iterator[Batch]:
    """Yield batches in which every id except the first is a target exactly once.

    Each stream covers an equal part of the text. It first reads the `warmup` ids before its part,
    which are masked.
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
    """Yield at least `count` windows from random places, each read from a fresh state.

    The number is rounded up to whole batches of `rows` windows of `time` targets.
    """
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
