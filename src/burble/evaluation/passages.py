"""Hash the passages of a text, of a fixed length, and find those that only repeat a pattern."""

from typing import Any

import numpy as np

Codes = np.ndarray[Any, np.dtype[np.integer[Any]]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

_BASE = 0x9E3779B97F4A7C15
_WRAP = (1 << 64) - 1

# Trigrams are long enough to tell words from rulers.
_GRAM = 3

# Of the trigrams that fit into a passage, half must be distinct. 99 % of the passages of 24
# characters have at least 73 % in alice, 50 % in burble's own code and 64 % in random DNA; rulers,
# indentation and runs of blank lines have less than 30 %. Lines of dashes have up to five trigrams,
# hence the minimum of six.
_VARIED = 0.5
_FEWEST = 6


def passage_hashes(codes: Codes, length: int) -> Hashes:
    """Return a hash of each passage of `length`, (places - length + 1,).

    Hashes of 1, 2, 4, … codes are combined, so the work grows with log2 of the length.
    """
    count = max(0, len(codes) - length + 1)
    power = codes.astype(np.uint64) + np.uint64(1)
    total = np.zeros(count, dtype=np.uint64)
    done, size, factor = 0, 1, _BASE
    while count:
        if length & size:
            total = total * np.uint64(factor) + power[done : done + count]
            done += size
        if done == length:
            break
        power = power[:-size] * np.uint64(factor) + power[size:]
        size, factor = 2 * size, factor * factor & _WRAP
    return total


def carry_information(codes: Codes, length: int) -> Bools:
    """Return for each passage of `length` whether it is more than a repeated pattern."""
    room = min(length - _GRAM + 1, len(np.unique(codes)) ** _GRAM)
    varied: Bools = distinct_grams(codes, length) >= max(_FEWEST, _VARIED * room)
    return varied


def distinct_grams(codes: Codes, length: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Count the distinct trigrams in each passage of `length`, (places - length + 1,)."""
    count = max(0, len(codes) - length + 1)
    if not count:
        return np.zeros(0, dtype=np.int64)
    before = _places_before(passage_hashes(codes, _GRAM))
    places = np.arange(len(before))
    # A trigram counts in the passages that begin after the previous one of its kind.
    first = np.clip(np.maximum(before + 1, places - (length - _GRAM)), 0, count)
    behind = np.minimum(places + 1, count)
    is_counted = first < behind
    change = np.bincount(first[is_counted], minlength=count + 1)
    change = change - np.bincount(behind[is_counted], minlength=count + 1)
    return np.cumsum(change)[:count]


def _places_before(grams: Hashes) -> np.ndarray[Any, np.dtype[np.int64]]:
    order = np.argsort(grams, kind="stable")
    same = grams[order[1:]] == grams[order[:-1]]
    before = np.full(len(grams), -1, dtype=np.int64)
    before[order[1:][same]] = order[:-1][same]
    return before


def cover(starts: Codes, length: int, size: int) -> Bools:
    """Return which of `size` places are covered by passages of `length` that begin at `starts`."""
    change = np.zeros(size + length + 1, dtype=np.int64)
    np.add.at(change, starts, 1)
    np.add.at(change, starts + length, -1)
    covered: Bools = np.cumsum(change)[:size] > 0
    return covered
