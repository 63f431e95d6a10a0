"""Batches of sliding windows, each with one target, as the Keras tutorial makes them."""

from functools import partial

import numpy as np

from burble.config import DataConfig
from burble.data.batch import Batch, gather
from burble.data.prepared import PreparedText
from burble.data.shuffle import ShuffledRows
from burble.errors import TextError
from burble.tokenizers.base import Ids


class WindowBatching(ShuffledRows):
    """Read windows of `seq_len` tokens, `stride` apart, and predict the token after each.

    Every window starts from a fresh state.
    """

    def __init__(self, text: PreparedText, config: DataConfig, seed: int) -> None:
        counts = [
            count_patterns(len(ids), config.seq_len, config.stride)
            for ids in (text.train_ids, text.val_ids)
        ]
        if counts[0] < 1:
            raise TextError(
                f"The text is too short: {len(text.train_ids):,} {text.tokenizer.unit}s to learn "
                f"from, and a window of {config.seq_len} with its target needs "
                f"{config.seq_len + 1:,}.",
                "Give more text, a few pages at least.",
                "Give more text, a few pages at least, or a smaller --seq-len.",
            )
        train, val = (
            partial(_window_batch, ids, config.seq_len, config.stride)
            for ids in (text.train_ids, text.val_ids)
        )
        super().__init__(config.batch_size, seed, (counts[0], train), (counts[1], val))
        self.targets = self.rows
        patterns = count_patterns(text.facts.num_ids, config.seq_len, config.stride)
        self.note = (
            f"{patterns:,} patterns of {config.seq_len} {text.tokenizer.unit}s before any split"
        )


def count_patterns(num_ids: int, seq_len: int, stride: int) -> int:
    """Return how many windows with a target a text of `num_ids` tokens has."""
    return max(0, -(-(num_ids - seq_len) // stride))


def _window_batch(
    ids: Ids, seq_len: int, stride: int, items: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Batch:
    tokens = gather(ids, items * stride, seq_len + 1)
    mask = np.zeros((seq_len, len(items)), dtype=np.bool_)
    mask[-1] = True
    reset = np.ones(len(items), dtype=np.bool_)
    return Batch(inputs=tokens[:-1], targets=tokens[1:], mask=mask, reset=reset)
