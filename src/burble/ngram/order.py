"""How many tokens a context should have, from the training text alone."""

import numpy as np

from burble.ngram.counts import count, max_tokens
from burble.tokenizers.base import Ids

# Longer contexts were no better on any text that was tried (docs/log.md).
LONGEST = 10

# The last tenth of the training text chooses; of a long one, this many tokens fix the figure to
# about 0.01 bits.
_SHARE = 10
_MOST = 1 << 17


def choose_order(ids: Ids, vocab_size: int) -> int:
    """Return the order, -1 to 10, whose counts surely predict the last tenth best; else -1."""
    ids = ids[-max_tokens() :]
    tested = min(len(ids) // _SHARE, _MOST)
    if tested == 0:
        return -1
    counts = count(ids[:-tested], vocab_size, LONGEST)
    bits = -np.log2(counts.by_order(ids[-tested:]))
    best = int(np.argmin(bits.sum(axis=1)))
    gain = bits[0] - bits[best]
    is_sure = gain.sum() > 2 * np.sqrt(tested) * gain.std()
    return best - 1 if is_sure else -1
