"""Run docs/tutorial.ipynb from top to bottom, and write docs/tutorial.md and its pictures from it.

`make tutorial` does so. The notebook is the source: edit it, then run this; with --page where
nothing but prose was changed, which keeps the outputs.
"""

from __future__ import annotations

import argparse
import base64
import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

DOCS = Path(__file__).parent
NOTEBOOK = DOCS / "tutorial.ipynb"
PAGE = DOCS / "tutorial.md"
PICTURES = Path("images/tutorial")

# Seconds for a cell: with the minutes raised, a training takes as many.
TIMEOUT = 6 * 3600


def main() -> None:
    """Run the notebook, unless --page is given, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", action="store_true", help="keep the outputs as they are")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    if not parser.parse_args().page:
        execute(notebook, DOCS.parent)
        nbformat.write(notebook, NOTEBOOK)
    write_page(notebook)


def write_page(notebook: Any) -> None:
    """Write the page and its pictures. Remove the pictures of former cells."""
    for old in (DOCS / PICTURES).glob("*.png"):
        old.unlink()
    for name, content in pictures(notebook).items():
        (DOCS / name).parent.mkdir(parents=True, exist_ok=True)
        (DOCS / name).write_bytes(content)
    PAGE.write_text(page(notebook), "utf-8")


def execute(notebook: Any, folder: Path) -> None:
    """Run every cell in a fresh kernel in `folder`. Raise an error if one fails."""
    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        # Join the pieces of what a cell prints into one output.
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()
    # The kernel adds its own version, on which the page does not depend.
    notebook.metadata["language_info"] = {"name": "python"}


def page(notebook: Any) -> str:
    """Return the notebook as markdown, with its outputs."""
    return "\n\n".join(part for cell in notebook.cells for part in _parts(cell)) + "\n"


def pictures(notebook: Any) -> dict[str, bytes]:
    """Return the pictures by their paths in the docs; each is named after its cell."""
    return {
        _picture_name(cell): base64.b64decode(output.data["image/png"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if _is_picture(output)
    }


def _parts(cell: Any) -> list[str]:
    if cell.cell_type == "markdown":
        return [cell.source]
    return [_fenced(cell.source, "python"), *(_shown(cell, output) for output in cell.outputs)]


def _shown(cell: Any, output: Any) -> str:
    if _is_picture(output):
        return f"![{output.metadata['image/png']['alt']}]({_picture_name(cell)})"
    return _fenced(output.text.rstrip("\n"), "text")


def _is_picture(output: Any) -> bool:
    return "image/png" in output.get("data", {})


def _picture_name(cell: Any) -> str:
    return f"{PICTURES}/{cell.id}.png"


def _fenced(text: str, language: str) -> str:
    """Return a code block whose fence is longer than any in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


if __name__ == "__main__":
    main()
