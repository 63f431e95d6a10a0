"""Batches for truncated backpropagation: long parallel streams that carry the state along."""

import functools
from collections.abc import Iterator

import numpy as np

from burble.config import DataConfig
from burble.data.batch import Batch, Bool, gather
from burble.data.prepared import PreparedText
from burble.data.scan import VALIDATION_STREAMS, VALIDATION_WARMUP, scan, validation_part
from burble.errors import TextError
from burble.philox import WORDS, Use, draw_words, integer_below

# At each step this share of the streams is reset, so that the network learns how to begin: once in
# 3,200 characters with sequences of 32. With 0, one seed of three did badly on fresh starts.
_RESTARTS = np.uint64(0.01 * 2**64)

# How many steps are drawn at once: one costs as much as hundreds. A multiple of `WORDS`.
_DRAWN_STEPS = 256


class StreamBatching:
    """Read the text in one stream a row, and predict every token.

    The text is a ring, and each epoch starts at another place of it, so that the cuts between
    sequences and streams move. Now and then a stream is reset to a fresh state.
    """

    def __init__(self, text: PreparedText, config: DataConfig, seed: int) -> None:
        self._ids = text.train_ids
        self._val_ids = text.val_ids
        self._time = config.seq_len
        self._seed = seed
        # A short text has fewer streams, each at least one sequence long.
        self.rows = min(config.batch_size, (len(self._ids) - 1) // config.seq_len)
        if self.rows < 1:
            raise TextError(
                f"The text is too short: {len(self._ids):,} {text.tokenizer.unit}s to learn from, "
                f"and a sequence of {config.seq_len} needs {config.seq_len + 1:,}.",
                "Give more text, a few pages at least.",
                "Give more text, a few pages at least, or a smaller --seq-len.",
            )
        self.targets = self.rows * config.seq_len
        is_short = self.rows < config.batch_size
        self.note = (
            f"The text is short: batches have {self.rows} rows instead of {config.batch_size}."
            if is_short
            else ""
        )
        stream = len(self._ids) // self.rows
        self._streams = np.arange(self.rows) * stream
        self.steps_per_epoch = stream // self._time
        self._drawn_steps = min(_DRAWN_STEPS, self.steps_per_epoch)

    def batch(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        part, place_in_part = divmod(place, self._drawn_steps)
        shape = (self._drawn_steps, self.rows)
        offset, restarts = _draw((self._seed, epoch), part, shape, len(self._ids))
        starts = offset + place * self._time + self._streams
        tokens = gather(self._ids, starts, self._time + 1)
        return Batch(
            inputs=tokens[:-1],
            targets=tokens[1:],
            mask=np.ones((self._time, self.rows), dtype=np.bool_),
            reset=restarts[place_in_part] | (place == 0),
        )

    def validation(self) -> Iterator[Batch]:
        return scan(validation_part(self._val_ids), VALIDATION_STREAMS, VALIDATION_WARMUP)


# Not a method: its cache would keep the batching alive, and with it the memory-mapped file.
@functools.lru_cache(maxsize=4)
def _draw(
    key: tuple[int, int], part: int, shape: tuple[int, int], num_ids: int
) -> tuple[int, Bool]:
    """Return where an epoch starts, and which rows some of its steps reset, (steps, rows)."""
    count = shape[0] * shape[1]
    start = draw_words(1, key, (0, 0, Use.STREAM))
    words = draw_words(count, key, (1, 0, Use.STREAM), part * count // WORDS)
    return integer_below(int(start[0]), num_ids), (words < _RESTARTS).reshape(shape)
