"""What a model expected at each place of a text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from burble.inspection.tokens import token_label

if TYPE_CHECKING:
    from burble.engine.trace import Trace
    from burble.tokenizers.base import Tokenizer

Guess = tuple[str, float]
"""A token's label, and its probability."""


def guesses_before(trace: Trace, tokenizer: Tokenizer, count: int) -> list[list[Guess]]:
    """For each token, what might have come in its place, likeliest first; none for the first.

    One more entry than there are tokens: the last is what may come next.
    """
    order = trace.guesses(count)
    labels = {token: token_label(tokenizer, token) for token in set(order.ravel().tolist())}
    after = [
        [(labels[token], math.exp(log_p[token])) for token in tokens]
        for tokens, log_p in zip(order.tolist(), trace.log_probabilities, strict=True)
    ]
    return [[], *after]


def probabilities(trace: Trace) -> list[float | None]:
    """What the model gave to each token that came; None for the first."""
    return [None, *(2.0 ** -float(bits) for bits in trace.surprisal[1:])]


def bits_per_char(trace: Trace, tokenizer: Tokenizer) -> float | None:
    """The mean surprisal of a character; None where there is only one."""
    characters = tokenizer.count_characters(trace.ids[1:])
    return float(trace.surprisal[1:].sum()) / characters if characters else None
