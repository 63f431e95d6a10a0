"""Check the ids that are counted and looked up."""

import numpy as np

from burble.tokenizers.base import Ids


def check_range(ids: Ids, vocab_size: int) -> Ids:
    """Return ids, (tokens,), as an array. Raises `ValueError` for ids beyond the vocabulary."""
    ids = np.asarray(ids)
    if len(ids) and not 0 <= int(ids.min()) <= int(ids.max()) < vocab_size:
        raise ValueError(
            f"ids must be from 0 to {vocab_size - 1}; found {ids.min()} to {ids.max()}"
        )
    return ids
