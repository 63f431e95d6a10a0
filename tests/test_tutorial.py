"""The lesson's page says what its notebook says.

That the notebook runs, and needs no torch, is tested in test_without_torch.py.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

nbformat = pytest.importorskip("nbformat")
for needed in ("nbclient", "ipykernel", "matplotlib"):
    pytest.importorskip(needed)

from docs.make_tutorial import DOCS, NOTEBOOK, PAGE, PICTURES, page, pictures

if TYPE_CHECKING:
    from nbformat import NotebookNode


@pytest.fixture
def notebook() -> NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


def test_the_page_says_what_the_notebook_says(notebook: NotebookNode) -> None:
    assert PAGE.read_text("utf-8") == page(notebook)


def test_the_pictures_are_those_of_the_notebook(notebook: NotebookNode) -> None:
    kept = {f"{PICTURES}/{path.name}": path.read_bytes() for path in (DOCS / PICTURES).iterdir()}
    assert kept == pictures(notebook)


def test_every_link_and_picture_of_the_page_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", PAGE.read_text("utf-8"))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []
