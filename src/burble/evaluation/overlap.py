"""Measure how much of a text is in the training text word for word, in passages of 50 tokens."""

import numpy as np

from burble.evaluation.passages import Bools, Hashes, cover, passage_hashes
from burble.tokenizers.base import Ids, Tokenizer

PASSAGE = 50
"""Tokens: eight or nine words, which nobody writes twice by chance. The last tenths of alice and of
tinyshakespeare share no such passage with the rest; with passages of 24, alice's shares 1.7 %.
"""

LARGE_SHARE = 0.15
"""From this share on, a score does not measure new text: a model that has memorised it saves up to
this share of the bits. Source code that was written once has up to 9 %.
"""

# Of a longer text, 64 stretches from all of it are compared. They determine a share that comes in
# long runs to within about 6 %, and one that is spread out far better.
_MOST_ASKED = 1 << 20
_STRETCHES = 64

# A longer training text would take more than five seconds; only its end is searched, so the share
# is a lower bound.
_MOST_LEARNED = 1 << 26

# Fits a processor's cache.
_CHUNK = 1 << 16

# With 2²⁰ passages in a table of 2²⁴, one in sixteen other passages needs a second look.
_TABLE_BITS = 24


def learned_share(tokenizer: Tokenizer, learned: Ids, asked: Ids) -> float:
    """Return the share of the characters of `asked` in passages that `learned` has word for word.

    A passage that `asked` repeats (a licence, a menu) counts once. For a long text the share is an
    estimate.
    """
    known = total = 0
    for stretch, is_new, is_known in _compare(learned, asked):
        total += tokenizer.count_characters(stretch[is_new])
        known += tokenizer.count_characters(stretch[is_known])
    return known / total if total else 0.0


def _compare(learned: Ids, asked: Ids) -> list[tuple[Ids, Bools, Bools]]:
    """Return each stretch, which of its places are in no earlier passage, and which are learned."""
    stretches = _take_stretches(asked)
    hashes = [passage_hashes(stretch, PASSAGE) for stretch in stretches]
    distinct, first = np.unique(np.concatenate(hashes), return_index=True)
    is_first = np.zeros(sum(map(len, hashes)), dtype=np.bool_)
    is_first[first] = True
    is_learned = np.zeros(len(is_first), dtype=np.bool_)
    is_learned[first] = _find(distinct, learned)
    compared, start = [], 0
    for stretch, own in zip(stretches, hashes, strict=True):
        part = slice(start, start + len(own))
        is_new = ~cover(np.flatnonzero(~is_first[part]), PASSAGE, len(stretch))
        is_known = cover(np.flatnonzero(is_learned[part]), PASSAGE, len(stretch))
        compared.append((stretch, is_new, is_new & is_known))
        start += len(own)
    return compared


def _take_stretches(asked: Ids) -> list[Ids]:
    if len(asked) <= _MOST_ASKED:
        return [asked]
    size = _MOST_ASKED // _STRETCHES
    starts = np.linspace(0, len(asked) - size, _STRETCHES).astype(np.int64)
    return [asked[start : start + size] for start in starts]


def _find(sought: Hashes, learned: Ids) -> Bools:
    shift = np.uint64(64 - _TABLE_BITS)
    table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
    table[sought >> shift] = True
    found = np.zeros(len(sought), dtype=np.bool_)
    learned = learned[max(0, len(learned) - _MOST_LEARNED) :]
    for start in range(0, len(learned) if len(sought) else 0, _CHUNK):
        # Chunks overlap, so that no passage is lost at their borders.
        hashes = passage_hashes(learned[max(0, start - PASSAGE + 1) : start + _CHUNK], PASSAGE)
        hashes = hashes[table[hashes >> shift]]
        places = np.minimum(np.searchsorted(sought, hashes), len(sought) - 1)
        found[places[sought[places] == hashes]] = True
    return found
