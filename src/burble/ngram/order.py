"""Choose the longest context to count, from the training text alone."""

import numpy as np

from burble.ngram.counts import count, max_tokens
from burble.tokenizers.base import Ids

# Longer contexts were no better on any text that was tried (docs/log.md).
LONGEST = 10

# The order is chosen on the last tenth of the training text, and on at most this many tokens of it:
# they fix the figure to about 0.01 bits.
_SHARE = 10
_MOST = 1 << 17


def choose_order(ids: Ids, vocab_size: int) -> int:
    """Return the order, up to 10, that predicts the last tenth of the text best.

    Return -1 unless it clearly beats guessing.
    """
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
