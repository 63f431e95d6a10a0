"""List what a model predicted at each place of a text."""

import math

import numpy as np

from burble.engine.trace import Trace, likeliest
from burble.inspection.trace.tokens import token_label
from burble.tokenizers.base import Tokenizer

Guess = tuple[str, float]  # a token's label, and its probability


def guesses_before(trace: Trace, tokenizer: Tokenizer, count: int) -> list[list[Guess]]:
    """Return the `count` likeliest tokens at the place of each token, and for the next one.

    The list of the first token is empty if nothing was read before it.
    """
    predicted = np.concatenate([trace.before[None], trace.log_probabilities])
    order = likeliest(predicted, count)
    labels = {token: token_label(tokenizer, token) for token in set(order.ravel().tolist())}
    guesses = [
        [(labels[token], math.exp(log_p[token])) for token in tokens]
        for tokens, log_p in zip(order.tolist(), predicted, strict=True)
    ]
    return guesses if len(trace.context) else [[], *guesses[1:]]


def probabilities(trace: Trace) -> list[float | None]:
    """Return the probability of each token; None for a first one that nothing predicted."""
    return [None if math.isnan(bits) else 2.0**-bits for bits in trace.surprisal.tolist()]


def bits_per_char(trace: Trace, tokenizer: Tokenizer) -> float | None:
    """Return the mean surprisal of a predicted character, in bits; None if none was predicted."""
    is_predicted = ~np.isnan(trace.surprisal)
    characters = tokenizer.count_characters(trace.ids[is_predicted])
    return float(trace.surprisal[is_predicted].sum()) / characters if characters else None
