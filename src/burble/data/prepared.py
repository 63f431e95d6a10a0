"""A prepared text: its ids in a memory-mapped file, and the facts about them."""

import json
import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from burble.config import NormalizationConfig
from burble.durable import write_durably
from burble.errors import TextError, UsageError, brief
from burble.mapping import from_saved, parse_object, to_mapping
from burble.plain_files import open_plain, read_plain
from burble.saved_format import SavedFormat, advise
from burble.tokenizers.base import Ids, Tokenizer, smallest_dtype
from burble.tokenizers.registry import tokenizer_from_json

IDS_FILE = "ids.bin"
FACTS_FILE = "data.json"
_FORMAT = SavedFormat(version=1)

# A vocabulary of every Unicode code point takes 6 MB of JSON.
_MAX_FACTS_BYTES = 16 << 20

# How many ids are checked before their memory pages are released.
_PIECE = 1 << 24

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class TextFacts:
    """The contents of `data.json`, without the tokenizer and the normalisation."""

    fingerprint: str  # SHA-256 of the normalised text in UTF-8
    num_documents: int
    num_characters: int
    cut_characters: int  # length of the training part, in characters
    num_ids: int
    cut_ids: int  # length of the training part, in ids
    unknown_characters: int = 0  # characters that the tokenizer of another text does not know
    stamp: str = ""  # SHA-256 of the names, sizes and times of the files that were read
    sealed_characters: int = 0  # length of the sealed part, at the end of the text
    sealed_ids: int = 0


@dataclass(frozen=True)
class PreparedText:
    """The ids of a whole text, (num_ids,): the training, the held-out and the sealed part."""

    ids: Ids
    facts: TextFacts
    tokenizer: Tokenizer
    normalization: NormalizationConfig

    @property
    def train_ids(self) -> Ids:
        return self.ids[: self.facts.cut_ids]

    @property
    def val_ids(self) -> Ids:
        return self.ids[self.facts.cut_ids : self.facts.num_ids - self.facts.sealed_ids]

    @property
    def test_ids(self) -> Ids:
        return self.ids[self.facts.num_ids - self.facts.sealed_ids :]

    def is_of(self, tokenizer: Tokenizer) -> bool:
        """Return whether this tokenizer made the ids."""
        return self.tokenizer.to_json() == tokenizer.to_json()

    def random_passage(self, ids: Ids, num_tokens: int, seed: int) -> str:
        place = int(np.random.default_rng(seed).integers(max(1, len(ids) - num_tokens)))
        ends = (place, min(place + num_tokens, len(ids)))
        start, end = (self.tokenizer.cut_before(ids, end) for end in ends)
        return self.tokenizer.decode(ids[start:end])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map the prepared text in `folder` into memory. Raises `TextError` if it is damaged."""
        try:
            content = read_plain(folder / FACTS_FILE, _MAX_FACTS_BYTES)
            described = _FORMAT.upgrade(parse_object(content, FACTS_FILE))
            tokenizer = tokenizer_from_json(described["tokenizer"])
            facts = from_saved(TextFacts, described["facts"], "facts")
            normalization = from_saved(
                NormalizationConfig, described["normalization"], "normalization"
            )
            with open_plain(folder / IDS_FILE) as file:
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            ids: Ids = np.frombuffer(mapped, dtype=smallest_dtype(tokenizer.vocab_size))
            text = cls(ids, facts, tokenizer, normalization)
            _check(text, mapped)
        except (OSError, ValueError, KeyError, UsageError) as error:
            raise TextError(
                f"The prepared text in {folder} cannot be used: {brief(str(error)).rstrip('.')}.",
                advise(error, "Train again."),
            ) from error
        return text


def _check(text: PreparedText, mapped: mmap.mmap) -> None:
    facts = text.facts
    if not (
        0 <= facts.cut_ids <= facts.num_ids - facts.sealed_ids <= facts.num_ids == len(text.ids)
    ):
        raise ValueError(f"{FACTS_FILE} does not match the {len(text.ids):,} ids in {IDS_FILE}")
    for piece in _read_pieces(mapped, text.ids):
        text.tokenizer.check(piece)
    hashes = [facts.fingerprint, *([facts.stamp] if facts.stamp else [])]
    if not all(map(_SHA256.fullmatch, hashes)) or facts.num_documents < 1:
        raise ValueError(f"{FACTS_FILE} does not identify the text")
    # There may be fewer characters than recorded: unknown ones can be left out.
    train, sealed = facts.cut_characters, facts.sealed_characters
    held_out = facts.num_characters - train - sealed
    parts = ((train, text.train_ids), (held_out, text.val_ids), (sealed, text.test_ids))
    count = text.tokenizer.count_characters
    if not all(sum(map(count, _read_pieces(mapped, ids))) <= most for most, ids in parts):
        raise ValueError(
            f"{FACTS_FILE} counts {facts.num_characters:,} characters, and {IDS_FILE} has more"
        )


def _read_pieces(mapped: mmap.mmap, ids: Ids) -> Iterator[Ids]:
    """Yield the ids piece by piece and release their pages: not all may fit into memory."""
    for first in range(0, len(ids), _PIECE):
        yield ids[first : first + _PIECE]
        if hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)


def write_facts(
    folder: Path, facts: TextFacts, tokenizer: Tokenizer, normalization: NormalizationConfig
) -> None:
    """Write `data.json`. Call it last: the file marks the ids as complete."""
    described: dict[str, Any] = {
        "facts": to_mapping(facts),
        "normalization": to_mapping(normalization),
        "tokenizer": tokenizer.to_json(),
    }
    text = json.dumps(_FORMAT.mark(described), ensure_ascii=False, indent=1)
    write_durably(folder / FACTS_FILE, text.encode())
