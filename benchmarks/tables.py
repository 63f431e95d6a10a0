"""Tables for the pages that benchmarks write."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def markdown_table(made: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table whose first column is text."""
    head, *others = made
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    return lines + [f"| {' | '.join(row)} |" for row in others]
