"""Make Markdown tables, and put them into a page between two marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def markdown_table(made: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table. The first column is text, the others are numbers."""
    head, *others = made
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    return lines + [f"| {' | '.join(row)} |" for row in others]


def write_between(page: Path, name: str, lines: Sequence[str]) -> None:
    """Replace the lines between `<!-- NAME -->` and `<!-- /NAME -->` in a page.

    Raises `ValueError` and writes nothing unless the page has each mark once, in this order.
    """
    text = page.read_text("utf-8")
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(end) < text.index(begin):
        raise ValueError(f"{page} needs {begin.strip()} and {end.strip()} once each, in this order")
    before, _, rest = text.partition(begin)
    after = rest.partition(end)[2]
    made = "".join(f"{line}\n" for line in lines)
    page.write_text(before + begin + made + end + after, encoding="utf-8")
