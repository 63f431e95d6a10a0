"""Exporters by name: a new one is one file and one entry here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from burble.errors import UsageError
from burble.export import html, hub, onnx
from burble.export.labels import Labels
from burble.model_file import ModelFile
from burble.system_errors import guard_write

ExportKind = Literal["html", "onnx", "hub"]


@dataclass(frozen=True)
class Exporter:
    write: Callable[[ModelFile, Path, Labels], None]  # writes it to a path whose folder is there
    help: str  # what it is, after its name in `--help`
    ending: str  # what its name ends in where none is given
    next_step: str  # what to do with it
    is_folder: bool = False
    has_card: bool = False  # whether it names a licence and a language


EXPORTERS: dict[ExportKind, Exporter] = {
    "html": Exporter(
        html.write,
        "one page that writes in any browser, offline, the same bytes as burble generate",
        ".html",
        "Open it in a browser; it needs no network.",
    ),
    "onnx": Exporter(
        onnx.write,
        "one step of the network in float32 (extra onnx)",
        ".onnx",
        "One step: tokens and states in, logits and states out.",
    ),
    "hub": Exporter(
        hub.write,
        "a folder with a model card",
        "-hub",
        "Read its README.md, name a licence there, and upload it.",
        is_folder=True,
        has_card=True,
    ),
}


def export(
    model: ModelFile, to: ExportKind, path: Path, labels: Labels, *, overwrite: bool = False
) -> None:
    """Write the model in another form. Raises `UsageError` where `path` must not be written."""
    if to not in EXPORTERS:
        raise UsageError(f"A model is exported to {', '.join(EXPORTERS)}; found {to!r}.")
    exporter = EXPORTERS[to]
    if not exporter.has_card and (labels.license or labels.language):
        raise UsageError(
            "A licence and a language go into a model card:",
            "only an export to hub has one.",
            "they need --to hub.",
        )
    with guard_write(path):
        _check_path(path, exporter, overwrite=overwrite)
        exporter.write(model, path, labels)


def _check_path(path: Path, exporter: Exporter, *, overwrite: bool) -> None:
    if not path.parent.is_dir():
        raise UsageError(
            f"Nothing can be written in {path.parent}: there is no such folder. Make it first, or "
            "name another."
        )
    if not path.exists():
        return
    if path.is_dir() != exporter.is_folder:
        kind = "a folder" if path.is_dir() else "a file"
        raise UsageError(f"{path} is {kind} already.", "Name another.", "Name another with -o.")
    if not overwrite:
        raise UsageError(
            f"{path} already exists.",
            "Name another, or overwrite it.",
            "Name another with -o, or replace it with --overwrite.",
        )
