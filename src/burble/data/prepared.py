"""A text made ready once: ids in a file, mapped into memory, and what must be known of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from burble.config import TextConfig
from burble.durable import write_durably
from burble.errors import TextError, UsageError
from burble.mapping import from_mapping, to_mapping
from burble.tokenizers.base import smallest_dtype
from burble.tokenizers.registry import tokenizer_from_json

if TYPE_CHECKING:
    from pathlib import Path

    from burble.tokenizers.base import Ids, Tokenizer

DATA_FOLDER = "data"
"""Where it lies in the folder of a run."""

IDS_FILE = "ids.bin"
FACTS_FILE = "data.json"


@dataclass(frozen=True)
class TextFacts:
    """What `data.json` holds beside the tokenizer and the normalisation."""

    fingerprint: str
    """SHA-256 of the normalised text in UTF-8."""

    num_documents: int
    num_characters: int
    cut_characters: int
    """The characters before this one train, the others validate."""

    num_ids: int
    cut_ids: int
    stamp: str = ""
    """SHA-256 of the names, sizes and times of the files that the text was read from."""


@dataclass(frozen=True)
class PreparedText:
    """The ids of a whole text, (num_ids,), the training part first."""

    ids: Ids
    facts: TextFacts
    tokenizer: Tokenizer
    normalization: TextConfig

    @property
    def train_ids(self) -> Ids:
        """The part that is learned from."""
        return self.ids[: self.facts.cut_ids]

    @property
    def val_ids(self) -> Ids:
        """The held-out part at the end."""
        return self.ids[self.facts.cut_ids :]

    @classmethod
    def load(cls, folder: Path) -> PreparedText:
        """Map what `prepare` left in `folder`. Raises `TextError` where it is not whole."""
        try:
            described = json.loads((folder / FACTS_FILE).read_text("utf-8"))
            tokenizer = tokenizer_from_json(described["tokenizer"])
            facts = from_mapping(TextFacts, described["facts"], "facts")
            normalization = from_mapping(TextConfig, described["normalization"], "normalization")
            dtype = smallest_dtype(tokenizer.vocab_size)
            ids = np.memmap(folder / IDS_FILE, dtype=dtype, mode="r")
            if not 0 <= facts.cut_ids <= facts.num_ids == len(ids):
                raise ValueError(f"found {len(ids):,} ids where {FACTS_FILE} tells of others")
        except (OSError, ValueError, KeyError, TypeError, RecursionError, UsageError) as error:
            raise TextError(f"The prepared text in {folder} cannot be used: {error}.") from error
        return cls(ids, facts, tokenizer, normalization)


def write_facts(
    folder: Path, facts: TextFacts, tokenizer: Tokenizer, normalization: TextConfig
) -> None:
    """Write `data.json`; it comes last and says that the ids are whole."""
    described: dict[str, Any] = {
        "facts": to_mapping(facts),
        "normalization": to_mapping(normalization),
        "tokenizer": tokenizer.to_json(),
    }
    text = json.dumps(described, ensure_ascii=False, indent=1)
    write_durably(folder / FACTS_FILE, text.encode())
