"""The figures of `burble eval`: a model's, by one of two protocols, and those of the baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from burble.data.prepare import Cuts
from burble.data.scan import random_windows, scan
from burble.engine.scoring import score_batches
from burble.errors import TextError
from burble.evaluation.compression import xz_bits
from burble.evaluation.ngram import NgramModel

if TYPE_CHECKING:
    from burble.data.prepare import WholeText
    from burble.engine.step_model import StepModel
    from burble.model_file import Provenance
    from burble.score import Score
    from burble.tokenizers.base import Ids, Tokenizer

Protocol = Literal["stream", "windows"]

# nanoGPT's protocol: windows of 256 from random places; a thousand of them fix the figure to 0.005.
WINDOW = 256
NUM_WINDOWS = 1024
WINDOWS_SEED = 0


@dataclass(frozen=True)
class Baselines:
    """Bits per character on the same text of models that need no training to speak of."""

    ngram: float
    xz: float


def known_cuts(text: WholeText, provenance: Provenance) -> Cuts:
    """Where to begin scoring: the held-out part of the training text, and its sealed part; all of
    any other text, or of one of which nothing was kept back.
    """
    cuts = Cuts(provenance.cut_characters, text.num_characters - provenance.sealed_characters)
    is_known = text.fingerprint == provenance.text_fingerprint
    is_sane = 0 <= cuts.held_out <= cuts.sealed <= text.num_characters
    return cuts if is_known and is_sane and cuts.held_out < text.num_characters else score_all(text)


def score_all(text: WholeText) -> Cuts:
    """Hold all of the text out, and seal nothing."""
    return Cuts(0, text.num_characters)


def evaluate(model: StepModel, tokenizer: Tokenizer, ids: Ids, protocol: Protocol) -> Score:
    """Score ids, (tokens,). stream: one pass, the state carried; windows: random windows of 256
    tokens, each from a fresh state. Raises `TextError` for fewer than two characters.
    """
    # One character of several bytes is several tokens, and none of them begins a second one.
    if tokenizer.count_characters(ids[1:]) < 1:
        found = tokenizer.count_characters(ids)
        raise TextError(f"At least 2 characters are needed to score a text; found {found}.")
    if protocol == "stream":
        return score_batches(model, tokenizer, scan(ids))
    windows = random_windows(ids, NUM_WINDOWS, WINDOW, WINDOWS_SEED)
    return score_batches(model, tokenizer, windows)


def baselines(tokenizer: Tokenizer, train_ids: Ids, ids: Ids) -> Baselines:
    """What an interpolated n-gram model and xz, both given the training text, make of `ids`.

    As for the network, the first id is not asked for.
    """
    characters = tokenizer.count_characters(ids[1:])
    xz = xz_bits(tokenizer.decode(train_ids), tokenizer.decode(ids)) / characters
    return Baselines(ngram_bits(tokenizer, train_ids, ids), xz)


def ngram_bits(tokenizer: Tokenizer, train_ids: Ids, ids: Ids) -> float:
    """Bits per character that the interpolated n-gram model needs for `ids` but the first."""
    probabilities = NgramModel(train_ids, tokenizer.vocab_size).probabilities(ids)[1:]
    return -float(np.log2(probabilities).sum()) / tokenizer.count_characters(ids[1:])
