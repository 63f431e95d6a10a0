"""Which passages of a text stand word for word in what a model learned from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.data.prepared import DATA_FOLDER, PreparedText
from burble.text.normalization import normalize

if TYPE_CHECKING:
    from pathlib import Path

    from burble.serving.models import ServedModel

SHORTEST = 24
"""Characters; a model that writes well hits shorter passages without having copied."""

# Of a longer text the index would take half a gigabyte.
_MAX_CHARACTERS = 30_000_000

_BASE = np.uint64(0x9E3779B97F4A7C15)
_UTF32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


class CopyFinder:
    """An index of every passage of `SHORTEST` characters."""

    def __init__(self, text: str) -> None:
        self._known = np.unique(_hashes(text))

    @classmethod
    def of(cls, folder: Path) -> CopyFinder | None:
        """Of the text in the folder of a run; None where it is not there, or is very long. Raises
        `TextError` where it is broken.
        """
        if not (folder / DATA_FOLDER).is_dir():
            return None
        prepared = PreparedText.load(folder / DATA_FOLDER)
        if len(prepared.train_ids) > _MAX_CHARACTERS:
            return None
        return cls(prepared.tokenizer.decode(prepared.train_ids))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Start and end of each copied passage, in characters; they do not overlap."""
        covered = np.zeros(len(text) + 2, dtype=np.int8)
        for start in np.flatnonzero(np.isin(_hashes(text), self._known)):
            covered[start + 1 : start + 1 + SHORTEST] = 1
        edges = np.flatnonzero(np.diff(covered))
        return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def as_learned(model: ServedModel, text: str) -> str:
    """`text` as the model's own was normalised, where that moves no character."""
    normalized = normalize(text, model.file.normalization)
    return normalized if len(normalized) == len(text) else text


def _hashes(text: str) -> Hashes:
    """A number for each passage, equal for equal ones."""
    points = np.frombuffer(text.encode(_UTF32), dtype=np.uint32).astype(np.uint64)
    count = max(0, len(points) - SHORTEST + 1)
    hashes = np.zeros(count, dtype=np.uint64)
    for place in range(SHORTEST if count else 0):
        hashes = hashes * _BASE + points[place : place + count]
    return hashes
