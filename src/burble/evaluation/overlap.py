"""The share of a text that a model has learned word for word: in passages of 50 or more."""

import numpy as np

from burble.evaluation.passages import Bools, Hashes, cover, passage_hashes
from burble.tokenizers.base import Ids, Tokenizer

PASSAGE = 50
"""Tokens: eight or nine words, which nobody writes twice by chance. Of alice's and
tinyshakespeare's last tenths nothing is in such passages of the rest; at 24 it would be 1.7 % of
alice's.
"""

LARGE_SHARE = 0.15
"""From here on a figure does not speak of new text: a model that knows this share by memory saves
up to this share of the bits. Projects of source code, written once, have up to 9 %.
"""

# Of a longer text so much is looked at, in stretches from all of it: 64 of them fix a share that
# comes in long runs to about 6 %, one that is spread out to far less.
_MOST_ASKED = 1 << 20
_STRETCHES = 64

# Beyond this it would take more than five seconds; the share found is then a lower bound.
_MOST_LEARNED = 1 << 26

# Small enough for a processor's cache.
_CHUNK = 1 << 16

# One in sixteen of those that are not in the text passes, at 2²⁰ passages.
_TABLE_BITS = 24


def learned_share(tokenizer: Tokenizer, learned: Ids, asked: Ids) -> float:
    """Return the share of the characters of `asked` in passages that `learned` has word for word.

    What a text says in each part (a licence, a menu) counts once. Of long texts it is an estimate.
    """
    known = total = 0
    for stretch, is_new, is_known in _judged(learned, asked):
        total += tokenizer.count_characters(stretch[is_new])
        known += tokenizer.count_characters(stretch[is_known])
    return known / total if total else 0.0


def _judged(learned: Ids, asked: Ids) -> list[tuple[Ids, Bools, Bools]]:
    """Return each stretch with its places that no earlier passage covers, and those learned."""
    stretches = _stretches(asked)
    hashes = [passage_hashes(stretch, PASSAGE) for stretch in stretches]
    distinct, first = np.unique(np.concatenate(hashes), return_index=True)
    is_first = np.zeros(sum(map(len, hashes)), dtype=np.bool_)
    is_first[first] = True
    is_learned = np.zeros(len(is_first), dtype=np.bool_)
    is_learned[first] = _found(distinct, learned)
    judged, start = [], 0
    for stretch, own in zip(stretches, hashes, strict=True):
        part = slice(start, start + len(own))
        is_new = ~cover(np.flatnonzero(~is_first[part]), PASSAGE, len(stretch))
        is_known = cover(np.flatnonzero(is_learned[part]), PASSAGE, len(stretch))
        judged.append((stretch, is_new, is_new & is_known))
        start += len(own)
    return judged


def _stretches(asked: Ids) -> list[Ids]:
    if len(asked) <= _MOST_ASKED:
        return [asked]
    size = _MOST_ASKED // _STRETCHES
    starts = np.linspace(0, len(asked) - size, _STRETCHES).astype(np.int64)
    return [asked[start : start + size] for start in starts]


def _found(sought: Hashes, learned: Ids) -> Bools:
    shift = np.uint64(64 - _TABLE_BITS)
    table = np.zeros(1 << _TABLE_BITS, dtype=np.bool_)
    table[sought >> shift] = True
    found = np.zeros(len(sought), dtype=np.bool_)
    learned = learned[max(0, len(learned) - _MOST_LEARNED) :]
    for start in range(0, len(learned) if len(sought) else 0, _CHUNK):
        # Each chunk begins in the one before it, so that no passage falls between two.
        hashes = passage_hashes(learned[max(0, start - PASSAGE + 1) : start + _CHUNK], PASSAGE)
        hashes = hashes[table[hashes >> shift]]
        places = np.minimum(np.searchsorted(sought, hashes), len(sought) - 1)
        found[places[sought[places] == hashes]] = True
    return found
