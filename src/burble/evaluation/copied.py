"""Which passages of a text stand word for word in what a model learned from."""

import sys
from pathlib import Path
from typing import Self

import numpy as np

from burble.config import NormalizationConfig
from burble.data.prepared import PreparedText
from burble.evaluation.passages import Codes, carry_information, cover, passage_hashes
from burble.run_folder.folder import RunFolder
from burble.text.normalization import normalize

SHORTEST = 24  # characters; a model that writes well hits shorter passages without having copied

# Of a longer text the index would take half a gigabyte.
_MAX_CHARACTERS = 30_000_000

_UTF32 = "utf-32-le" if sys.byteorder == "little" else "utf-32-be"


class CopyFinder:
    def __init__(self, text: str) -> None:
        self._known = np.unique(passage_hashes(_code_points(text), SHORTEST))

    @classmethod
    def of(cls, folder: Path) -> Self | None:
        """Index the text of a run; None where it is missing or very long. Raises `TextError`."""
        run = RunFolder(folder)
        if not run.has_text():
            return None
        prepared = PreparedText.load(run.data)
        if len(prepared.train_ids) > _MAX_CHARACTERS:
            return None
        return cls(prepared.tokenizer.decode(prepared.train_ids))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return start and end of each copied passage, in characters, blanks at its ends left out.

        They do not overlap. Runs of blanks, rulers and indentation are in every text: a passage
        that only repeats itself is not counted.
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
    """Return `text` normalised as the model's own was, where that moves no character."""
    normalized = normalize(text, normalization)
    return normalized if len(normalized) == len(text) else text


def _code_points(text: str) -> Codes:
    return np.frombuffer(text.encode(_UTF32), dtype=np.uint32)
