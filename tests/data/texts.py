"""Prepared texts for the tests: in memory, of made-up words or of one id per place."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from burble.config import NormalizationConfig, TokenizerKind
from burble.data.prepared import PreparedText, TextFacts
from burble.tokenizers.registry import TOKENIZERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from burble.data.batch import Batch
    from burble.tokenizers.base import Ids, Tokenizer

Pair = tuple[int, int]


def made_up_text(sentences: int, letters: str = "abcdéfgh", seed: int = 0) -> str:
    draw = random.Random(seed)  # noqa: S311 - not a secret
    lengths = [draw.randint(1, 12) for _ in range(sentences)]
    return "".join("".join(draw.choices(letters + " ", k=n)) + "x.\n" for n in lengths)


def prepared(train: str, val: str = "", kind: TokenizerKind = "char") -> PreparedText:
    tokenizer = TOKENIZERS[kind].from_characters(set(train + val))
    parts = [tokenizer.encode(train), tokenizer.encode(val)]
    return of_ids(np.concatenate(parts), len(parts[0]), tokenizer)


def numbered(num_train: int, num_val: int = 0) -> PreparedText:
    """The id at each place is the place, so that a batch tells where it was read."""
    return of_ids(
        np.arange(num_train + num_val), num_train, TOKENIZERS["byte"].from_characters(set())
    )


def of_ids(ids: Ids, cut: int, tokenizer: Tokenizer) -> PreparedText:
    facts = TextFacts("", 1, len(ids), cut, len(ids), cut)
    return PreparedText(ids, facts, tokenizer, NormalizationConfig())


def asked(batch: Batch) -> list[Pair]:
    """The (input, target) pairs that count."""
    return list(
        zip(batch.inputs[batch.mask].tolist(), batch.targets[batch.mask].tolist(), strict=True)
    )


def targets(batches: Iterable[Batch]) -> list[int]:
    return [target for batch in batches for _, target in asked(batch)]


def pairs(ids: Ids, *, ring: bool = False) -> list[Pair]:
    """Each id with the one after it; in a ring the first follows the last."""
    around = ids.tolist() + ids[:1].tolist() * ring
    return list(pairwise(around))
