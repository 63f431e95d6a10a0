"""The exporters by name. A new one is one file, and one entry here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from burble.errors import OptionError, UsageError
from burble.export import html, hub, onnx
from burble.export.labels import Labels
from burble.model_file import ModelFile
from burble.system_errors import guard_write

ExportKind = Literal["html", "onnx", "hub"]


@dataclass(frozen=True)
class Exporter:
    write: Callable[[ModelFile, Path, Labels], None]  # the folder of the path exists
    help: str  # a description, after the name in `--help`
    ending: str  # of the default file name
    next_step: str  # advice on how to use the result
    is_folder: bool = False
    has_card: bool = False  # whether it has a licence and a language


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
        "Read its README.md, fill in a licence, and upload the folder.",
        is_folder=True,
        has_card=True,
    ),
}


def export(
    model: ModelFile, to: ExportKind, path: Path, labels: Labels, *, overwrite: bool = False
) -> None:
    """Write the model in another form.

    Raises `UsageError` for an unknown form, for labels that it cannot hold, or for a path that
    exists (unless `overwrite`) or has no folder.
    """
    if to not in EXPORTERS:
        raise OptionError(f"must be one of {', '.join(EXPORTERS)}; found {to!r}.", "to")
    exporter = EXPORTERS[to]
    if not exporter.has_card and (labels.license or labels.language):
        raise UsageError(
            "Only a model card has a licence and a language.",
            "Export to hub, or leave them out.",
            "Use --to hub, or leave them out.",
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
        raise UsageError(
            f"{path} is {kind} already.", "Name another path.", "Name another path with -o."
        )
    if not overwrite:
        raise UsageError(
            f"{path} already exists.",
            "Name another, or overwrite it.",
            "Name another with -o, or replace it with --overwrite.",
        )
