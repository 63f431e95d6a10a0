"""`burble export`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from burble.cli.options import parse
from burble.cli.terminal import tell
from burble.export.labels import Labels
from burble.export.registry import EXPORTERS, ExportKind, export
from burble.folder_names import MODEL_NAME
from burble.model_file import ModelFile


@dataclass(frozen=True)
class ExportCommand:
    """Give a model another form: a page that writes, an ONNX graph, a folder to publish."""

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="MODEL")]
    """A model file, or the folder of a run."""

    to: ExportKind = "html"
    """html: one page that writes in any browser, offline, the same bytes as burble generate; onnx:
    one step of the network in float32 (extra onnx); hub: a folder with a model card."""

    out: Annotated[str | None, tyro.conf.arg(aliases=["-o"], metavar="PATH")] = None
    """What to write; named after the model where none is given."""

    overwrite: bool = False
    """Replace what is there already."""

    license: str | None = None
    """The licence you give the model, for its card (hub only)."""

    language: str | None = None
    """The language of its text, for its card (hub only)."""

    json: bool = False
    """Print the result as one JSON object."""


def main(args: list[str], started: float) -> None:  # noqa: ARG001 - every command is called so
    """Export, and tell where it is."""
    command = parse(ExportCommand, "export", args)
    model = ModelFile.load(Path(command.model))
    labels = Labels(_name(Path(command.model)), command.license, command.language)
    exporter = EXPORTERS[command.to]
    path = Path(command.out or labels.name + exporter.ending)
    export(model, command.to, path, labels, overwrite=command.overwrite)
    size = _size(path)
    if command.json:
        described = {"to": command.to, "path": str(path), "bytes": size}
        sys.stdout.write(json.dumps(described) + "\n")
    else:
        tell(f"{path}: {size:,} bytes. {exporter.next_step}")


def _name(path: Path) -> str:
    """The run's name, or the file's own."""
    path = path.resolve()
    named = path.parent if path.name == MODEL_NAME else path
    return named.name.removesuffix(".safetensors") or "model"


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
