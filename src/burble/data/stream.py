"""Stateful truncated backpropagation: long parallel lanes, every position a target."""

import functools
from collections.abc import Iterator

import numpy as np

from burble.config import DataConfig
from burble.data.batch import Batch, Bool, gather
from burble.data.prepared import PreparedText
from burble.data.scan import VALIDATION_LANES, VALIDATION_WARMUP, scan, validation_part
from burble.errors import TextError
from burble.philox import WORDS, Use, draw_words, integer_below

# At each step this share of the lanes forgets what came before, to learn how to begin: a lane in
# 3,200 characters where a sequence has 32. With 0, one seed of three read fresh starts badly.
_RESTARTS = np.uint64(0.01 * 2**64)

# Steps that are drawn for at once, since one costs as much as hundreds. A multiple of `WORDS`.
_DRAWN_STEPS = 256


class StreamBatching:
    """The text, taken as a ring, is cut into as many lanes as there are rows.

    Each epoch starts at another place of the ring, so that the cuts between sequences and lanes
    never fall at the same places twice. Now and then a lane starts anew.
    """

    def __init__(self, text: PreparedText, config: DataConfig, seed: int) -> None:
        self._ids = text.train_ids
        self._val_ids = text.val_ids
        self._time = config.seq_len
        self._seed = seed
        # A short text has fewer lanes, each at least one sequence long.
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
            f"The text is short: {self.rows} rows side by side, not {config.batch_size}."
            if is_short
            else ""
        )
        lane = len(self._ids) // self.rows
        self._lanes = np.arange(self.rows) * lane
        self.steps_per_epoch = lane // self._time
        self._drawn_steps = min(_DRAWN_STEPS, self.steps_per_epoch)

    def batch(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        part, place_in_part = divmod(place, self._drawn_steps)
        shape = (self._drawn_steps, self.rows)
        offset, restarts = _draw((self._seed, epoch), part, shape, len(self._ids))
        starts = offset + place * self._time + self._lanes
        tokens = gather(self._ids, starts, self._time + 1)
        return Batch(
            inputs=tokens[:-1],
            targets=tokens[1:],
            mask=np.ones((self._time, self.rows), dtype=np.bool_),
            reset=restarts[place_in_part] | (place == 0),
        )

    def validation(self) -> Iterator[Batch]:
        return scan(validation_part(self._val_ids), VALIDATION_LANES, VALIDATION_WARMUP)


# No method, whose cache would keep the batching alive, and with it the file that it maps.
@functools.lru_cache(maxsize=4)
def _draw(
    key: tuple[int, int], part: int, shape: tuple[int, int], num_ids: int
) -> tuple[int, Bool]:
    """Return where an epoch starts, and which lanes start anew at some of its steps, of shape
    (steps, rows).
    """
    count = shape[0] * shape[1]
    start = draw_words(1, key, (0, 0, Use.STREAM))
    words = draw_words(count, key, (1, 0, Use.STREAM), part * count // WORDS)
    return integer_below(int(start[0]), num_ids), (words < _RESTARTS).reshape(shape)
