"""Visit items in random order, each once an epoch, without keeping a list of them in memory."""

import functools
from collections.abc import Callable, Iterator

import numpy as np

from burble.data.batch import Batch, Int64
from burble.philox import Use, Words, draw_words

Items = np.ndarray[tuple[int], np.dtype[np.int64]]

_ROUNDS = 6
_MIX = np.uint64(0x9E3779B97F4A7C15)

# How many steps' items are drawn at once: drawing for one step costs as much as for many.
_DRAWN_STEPS = 64

# How many held-out items, evenly spaced, a validation reads.
VALIDATION_ITEMS = 1024


def permute(items: Items, count: int, key: tuple[int, int]) -> Items:
    """Return the place of each item of 0..count-1 in the permutation that `key` selects.

    Apply a balanced Feistel network over the next power of four until the place is below `count`
    (Black and Rogaway, "Ciphers with arbitrary finite domains", 2002).
    """
    half = max(1, (max(count - 1, 1).bit_length() + 1) // 2)
    keys = draw_words(_ROUNDS, key, (0, 0, Use.SHUFFLE))
    places = _feistel(items.astype(np.uint64), half, keys)
    while (outside := places >= count).any():
        places[outside] = _feistel(places[outside], half, keys)
    return places.astype(np.int64)


def _feistel(
    places: np.ndarray[tuple[int], np.dtype[np.uint64]],
    half: int,
    keys: Words,
) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    shift, low = np.uint64(half), np.uint64((1 << half) - 1)
    left, right = places >> shift, places & low
    for key in keys:
        mixed = (right + key) * _MIX
        mixed = (mixed ^ (mixed >> np.uint64(29))) * _MIX
        left, right = right, left ^ ((mixed >> np.uint64(32)) & low)
    return (left << shift) | right


# Not a method: its cache would keep the batching alive, and with it the memory-mapped file.
@functools.lru_cache(maxsize=4)
def _draw(key: tuple[int, int], part: int, shape: tuple[int, int], count: int) -> Int64:
    """Return the items of some steps, (steps, rows). After the epoch's end they are arbitrary."""
    drawn = shape[0] * shape[1]
    items = np.arange(part * drawn, (part + 1) * drawn) % count
    return permute(items, count, key).reshape(shape)


class ShuffledRows:
    """Batches of shuffled rows.

    train, val: how many rows there are, and a function that makes a batch of given rows.
    """

    note = ""

    def __init__(
        self,
        rows: int,
        seed: int,
        train: tuple[int, Callable[[Items], Batch]],
        val: tuple[int, Callable[[Items], Batch]],
    ) -> None:
        self.rows = rows
        self._seed = seed
        self._train_count, self._train_batch = train
        self._val_count, self._val_batch = val
        self.steps_per_epoch = -(-self._train_count // rows)
        self._drawn_steps = min(_DRAWN_STEPS, self.steps_per_epoch)

    def batch(self, step: int) -> Batch:
        epoch, place = divmod(step, self.steps_per_epoch)
        part, place_in_part = divmod(place, self._drawn_steps)
        shape = (self._drawn_steps, self.rows)
        drawn = _draw((self._seed, epoch), part, shape, self._train_count)[place_in_part]
        items = np.arange(place * self.rows, (place + 1) * self.rows)
        return _mask_padding(self._train_batch(drawn), items < self._train_count)

    def validation(self) -> Iterator[Batch]:
        count = min(VALIDATION_ITEMS, self._val_count)
        chosen = np.arange(count) * self._val_count // max(count, 1)
        for first in range(0, count, self.rows):
            items = np.arange(first, first + self.rows)
            batch = self._val_batch(chosen[np.minimum(items, count - 1)])
            yield _mask_padding(batch, items < count)


def _mask_padding(batch: Batch, real: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Batch:
    batch.mask[:, ~real] = False
    return batch
