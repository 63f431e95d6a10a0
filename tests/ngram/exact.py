"""Interpolated modified Kneser-Ney in exact fractions, as Chen and Goodman (1998) define it."""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Gram = tuple[int, ...]

BEGINNING = -1


class ExactKneserNey:
    """p(c | h) = (count(hc) - D(count(hc))) / Σ count(hx) + g(h) · p(c | shorter h).

    count is how often for contexts of `order` tokens, and below how many different tokens stand
    before, the beginning of the text being one. What is never seen is left to the shorter context,
    and below none all of the vocabulary is equal.
    """

    def __init__(self, text: Sequence[int], vocab_size: int, order: int) -> None:
        self.vocab_size, self.order = vocab_size, order
        self.counts = [_count(text, length + 1, length == order) for length in range(order + 1)]
        self.discounts = [_discounts(counts) for counts in self.counts]
        self.following: list[dict[Gram, list[Gram]]] = []
        for counts in self.counts:
            following = defaultdict(list)
            for gram in counts:
                following[gram[:-1]].append(gram)
            self.following.append(dict(following))

    def probability(self, token: int, before: Sequence[int]) -> Fraction:
        context = tuple(before)[-self.order :] if self.order > 0 else ()
        return self._of(token, context) if self.order >= 0 else Fraction(1, self.vocab_size)

    def _of(self, token: int, context: Gram) -> Fraction:
        length = len(context)
        shorter = self._of(token, context[1:]) if context else Fraction(1, self.vocab_size)
        grams = self.following[length].get(context)
        if grams is None:
            return shorter
        counts = self.counts[length]
        total = sum(counts[gram] for gram in grams)
        left = sum(self._discount(length, counts[gram]) for gram in grams)
        own = counts.get((*context, token), 0)
        return (own - self._discount(length, own) + left * shorter) / total

    def _discount(self, length: int, count: int) -> Fraction:
        return self.discounts[length][min(count, 3)]


def _count(text: Sequence[int], size: int, is_longest: bool) -> Counter[Gram]:  # noqa: FBT001
    begins = range(len(text) - size + 1)
    if is_longest:
        return Counter(tuple(text[i : i + size]) for i in begins)
    marked = [BEGINNING, *text]
    return Counter(gram[1:] for gram in {tuple(marked[i : i + size + 1]) for i in begins})


def _discounts(counts: Counter[Gram]) -> list[Fraction]:
    """Of counts of 0, 1, 2, and 3 or more; half the count where the formula has no value between
    nothing and all of it.
    """
    n = Counter(counts.values())
    found = [Fraction(0)]
    for r in (1, 2, 3):
        discount = Fraction(r, 2)
        if n[1] and n[2] and n[r] and n[r + 1]:
            y = Fraction(n[1], n[1] + 2 * n[2])
            formula = r - (r + 1) * y * Fraction(n[r + 1], n[r])
            discount = formula if 0 < formula < r else discount
        found.append(discount)
    return found
