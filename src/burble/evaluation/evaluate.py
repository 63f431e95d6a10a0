"""The figures of `burble eval`: a model's, by one of two protocols, and those of the baselines."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from burble.data.prepare import Cuts, WholeText
from burble.data.scan import random_windows, scan
from burble.engine.scoring import score_batches
from burble.engine.step_model import StepModel
from burble.errors import TextError
from burble.evaluation.compression import xz_bits
from burble.model_file import Provenance
from burble.ngram.counts import count
from burble.ngram.order import choose_order
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
    ngram_order: int  # the longest context counted, in tokens; -1: all tokens are equal


@dataclass(frozen=True)
class CountsScore:
    bits_per_char: float
    order: int


def known_cuts(text: WholeText, provenance: Provenance) -> Cuts:
    """Return where to score: what was kept back of the training text; all of any other text."""
    cuts = Cuts(provenance.cut_characters, text.num_characters - provenance.sealed_characters)
    is_known = text.fingerprint == provenance.text_fingerprint
    is_sane = 0 <= cuts.held_out <= cuts.sealed <= text.num_characters
    return cuts if is_known and is_sane and cuts.held_out < text.num_characters else score_all(text)


def score_all(text: WholeText) -> Cuts:
    return Cuts(0, text.num_characters)


def evaluate(model: StepModel, tokenizer: Tokenizer, ids: Ids, protocol: Protocol) -> Score:
    """Score ids in one pass, or in windows of 256 tokens. Raises `TextError`."""
    # One character of several bytes is several tokens, and none of them begins a second one.
    if tokenizer.count_characters(ids[1:]) < 1:
        found = tokenizer.count_characters(ids)
        raise TextError(
            f"At least 2 characters are needed to score a text; found {found}. Give more text."
        )
    if protocol == "stream":
        return score_batches(model, tokenizer, scan(ids))
    windows = random_windows(ids, NUM_WINDOWS, WINDOW, WINDOWS_SEED)
    return score_batches(model, tokenizer, windows)


def counts_name(order: int) -> str:
    if order < 0:
        return "n-gram counts (all tokens equal)"
    return f"n-gram counts (Kneser–Ney, order {order})"


def baselines(tokenizer: Tokenizer, train_ids: Ids, ids: Ids) -> Baselines:
    """Measure what n-gram counts and xz make of `ids` but the first, given the training text."""
    characters = tokenizer.count_characters(ids[1:])
    xz = xz_bits(tokenizer.decode(train_ids), tokenizer.decode(ids)) / characters
    counts = score_counts(tokenizer, train_ids, ids)
    return Baselines(counts.bits_per_char, xz, counts.order)


def ngram_bits(tokenizer: Tokenizer, train_ids: Ids, ids: Ids) -> float:
    return score_counts(tokenizer, train_ids, ids).bits_per_char


def score_counts(tokenizer: Tokenizer, train_ids: Ids, ids: Ids) -> CountsScore:
    """Count the n-grams of the training text, and measure what they need for `ids` but the first.

    The training text chooses the order. The figure is never above guessing evenly, log2 of the
    alphabet for a token: that needs no counts, and is what one would do where they mislead.
    """
    order = choose_order(train_ids, tokenizer.vocab_size)
    counts = count(train_ids, tokenizer.vocab_size, order)
    bits = -float(np.log2(counts.probabilities(ids)[1:]).sum())
    even = (len(ids) - 1) * math.log2(tokenizer.vocab_size)
    return CountsScore(min(bits, even) / tokenizer.count_characters(ids[1:]), order)
