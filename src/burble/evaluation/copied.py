"""Find the passages of a text that a model copied word for word from its training text."""

import sys
from pathlib import Path
from typing import Self

import numpy as np

from burble.config import NormalizationConfig
from burble.data.prepared import PreparedText
from burble.evaluation.passages import Codes, carry_information, cover, passage_hashes
from burble.run_folder.folder import RunFolder
from burble.text.normalization import normalize

# Characters. A model that writes well produces shorter passages of the text by itself.
SHORTEST = 24

# The index of a longer text would take half a gigabyte.
_MAX_CHARACTERS = 30_000_000

_UTF32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"


class CopyFinder:
    """An index of a training text that finds the passages copied from it."""

    def __init__(self, text: str) -> None:
        self._known = np.unique(passage_hashes(_code_points(text), SHORTEST))

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """Index the training text of a run. Raises `TextError` if it is damaged.

        Returns None if the text is missing or has more than 30 million characters.
        """
        run = RunFolder(folder)
        if not run.has_text():
            return None
        prepared = PreparedText.load(run.data)
        if len(prepared.train_ids) > _MAX_CHARACTERS:
            return None
        return cls(prepared.tokenizer.decode(prepared.train_ids))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the start and end of each copied passage, in characters.

        Passages do not overlap, and blanks at their ends are left out. A passage that only
        repeats itself, such as blanks, rulers or indentation, is not copied: every text has those.
        """
        points = _code_points(text)
        is_copied = np.isin(passage_hashes(points, SHORTEST), self._known)
        is_copied &= carry_information(points, SHORTEST)
        covered = cover(np.flatnonzero(is_copied), SHORTEST, len(text)).astype(np.int8)
        edges = np.flatnonzero(np.diff(covered, prepend=0, append=0))
        spans = (_without_blanks(text, int(start), int(end)) for start, end in edges.reshape(-1, 2))
        return [(start, end) for start, end in spans if start < end]


def _without_blanks(text: str, start: int, end: int) -> tuple[int, int]:
    passage = text[start:end]
    return end - len(passage.lstrip()), start + len(passage.rstrip())


def as_learned(text: str, normalization: NormalizationConfig) -> str:
    """Return `text` normalised like the training text, unless that changes its length.

    Places in the result are then places in `text`.
    """
    normalized = normalize(text, normalization)
    return normalized if len(normalized) == len(text) else text


def _code_points(text: str) -> Codes:
    return np.frombuffer(text.encode(_UTF32), dtype=np.uint32)
