"""`burble corpora`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass

from burble.cli.options import parse
from burble.text.corpora import CORPORA


@dataclass(frozen=True)
class CorporaCommand:
    """List the texts that can be named instead of a file."""

    json: bool = False
    """Print one JSON object."""


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Print the list."""
    command = parse(CorporaCommand, "corpora", args)
    texts = {name: text.description for name, text in CORPORA.items()}
    if command.json:
        sys.stdout.write(json.dumps(texts) + "\n")
        return
    width = max(map(len, texts))
    for name, description in texts.items():
        sys.stdout.write(f"{name:<{width}}  {description}\n")
