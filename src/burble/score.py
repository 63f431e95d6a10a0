"""The score of a model on a text: one total, and the figures that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """How well a model predicted a text. Lower nats, bits and perplexity are better."""

    nats: float  # sum of -ln p over all predicted tokens
    num_tokens: int
    num_correct: int  # tokens that were the model's likeliest
    num_characters: int
    num_unknown: int = 0  # characters that the model has never seen

    @property
    def nats_per_char(self) -> float:
        return self.nats / self.num_characters

    @property
    def bits_per_char(self) -> float:
        return self.nats_per_char / math.log(2)

    @property
    def perplexity(self) -> float:
        """The number of equally likely characters that would be as hard to predict."""
        try:
            return math.exp(self.nats_per_char)
        except OverflowError:
            return math.inf

    @property
    def accuracy(self) -> float:
        return self.num_correct / self.num_tokens

    def __add__(self, other: Score) -> Score:
        return Score(
            self.nats + other.nats,
            self.num_tokens + other.num_tokens,
            self.num_correct + other.num_correct,
            self.num_characters + other.num_characters,
            self.num_unknown + other.num_unknown,
        )


NOTHING = Score(0.0, 0, 0, 0)  # the score of an empty text: the start of a sum
