"""Texts to count, as ids."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from burble.native.library import library
from burble.ngram.native_counts import NativeCounts
from burble.ngram.numpy_counts import NumpyCounts
from tests import conftest

if TYPE_CHECKING:
    from burble.ngram.counts import Counts
    from burble.tokenizers.base import Ids


WAYS = ["numpy"] if library() is None else ["numpy", "native"]

every_way = pytest.mark.parametrize("way", WAYS)


def counted(way: str, ids: Ids, vocab_size: int, order: int) -> Counts:
    """Counts of ids, in one of `WAYS`."""
    opened = library()
    if way == "numpy" or opened is None:
        return NumpyCounts(np.asarray(ids), vocab_size, order)
    return NativeCounts(opened, np.asarray(ids), vocab_size, order)


def corpus(name: str, *, lowercase: bool = False) -> tuple[Ids, Ids, int]:
    """The first nine tenths of a text, the rest, and how many characters it has."""
    text = conftest.corpus(name).read_text("utf-8")
    text = text.lower() if lowercase else text
    characters = sorted(set(text))
    places = {character: place for place, character in enumerate(characters)}
    ids = np.array([places[character] for character in text], np.uint8)
    cut = int(0.9 * len(ids))
    return ids[:cut], ids[cut:], len(characters)


def words(count: int, seed: int = 0) -> Ids:
    """Sentences of a small made-up language, as bytes below 128."""
    draw = random.Random(seed)  # noqa: S311 - not a secret
    known = ["".join(draw.choices("abcdefghij", k=draw.randint(1, 6))) for _ in range(30)]
    return np.frombuffer(" ".join(draw.choices(known, k=count)).encode(), np.uint8)
