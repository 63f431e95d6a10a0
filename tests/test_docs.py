"""The pages in docs/: their length, their links, and the files that they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = ROOT / "src" / "burble"

# The lesson is read from top to bottom, and make_options.py writes the list of options.
LONG = {"tutorial.md", "options.md"}
MOST_LINES = 250


def read(page: Path) -> str:
    """Return the page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return what GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", read(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_a_page_is_short(page: Path) -> None:
    if page.name not in LONG:
        assert len(page.read_text("utf-8").splitlines()) <= MOST_LINES


def test_architecture_names_files_that_exist() -> None:
    text = read(ROOT / "docs" / "architecture.md")
    named = set(re.findall(r"`((?:[\w-]+/)*[\w-]+\.(?:py|[ch]|js)|(?:[\w-]+/)+)`", text))
    assert named
    for name in named - {"last/"}:
        found = (SOURCES / name).exists() or (ROOT / name).exists()
        assert found or any(SOURCES.rglob(name.rstrip("/"))), name
