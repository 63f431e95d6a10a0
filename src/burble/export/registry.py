"""Exporters by name: a new one is one file and one entry here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from burble.errors import UsageError
from burble.export import html
from burble.export.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from burble.model_file import ModelFile


@dataclass(frozen=True)
class Exporter:
    """A form that a model can take."""

    ending: str
    """What the name of a file or folder of this form ends in."""

    write: Callable[[ModelFile, Path, Labels], None]
    next_step: str
    """What to do with it."""


EXPORTERS: dict[str, Exporter] = {
    "html": Exporter(".html", html.write, "Open it in a browser; it needs nothing else."),
}
