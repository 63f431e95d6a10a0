"""`burble export`."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from burble.cli.options import command, model_argument
from burble.cli.terminal import print_message
from burble.export.labels import Labels
from burble.export.registry import EXPORTERS, ExportKind, export
from burble.folder_names import MODEL_NAME
from burble.knobs import knob
from burble.model_file import ModelFile


@dataclass(frozen=True)
class ExportCommand:
    """Give a model another form: a page that writes, an ONNX graph, a folder to publish."""

    model: str = model_argument()
    to: ExportKind = knob(
        "html", "; ".join(f"{name}: {exporter.help}" for name, exporter in EXPORTERS.items()) + "."
    )
    out: str | None = knob(
        None,
        "What to write; named after the model where none is given.",
        short="-o",
        metavar="PATH",
    )
    overwrite: bool = knob(False, "Replace what is there already.")
    license: str | None = knob(None, "The licence you give the model, for its card (hub only).")
    language: str | None = knob(None, "The language of its text, for its card (hub only).")
    json: bool = knob(False, "Print the result as one JSON object.")


@command(ExportCommand)
def main(asked: ExportCommand) -> None:
    model = ModelFile.load(Path(asked.model))
    labels = Labels(_name(Path(asked.model)), asked.license, asked.language)
    exporter = EXPORTERS[asked.to]
    path = Path(asked.out or labels.name + exporter.ending)
    export(model, asked.to, path, labels, overwrite=asked.overwrite)
    size = _size(path)
    if asked.json:
        described = {"to": asked.to, "path": str(path), "bytes": size}
        sys.stdout.write(json.dumps(described) + "\n")
    else:
        print_message(f"{path}: {size:,} bytes. {exporter.next_step}")


def _name(path: Path) -> str:
    path = path.resolve()
    named = path.parent if path.name == MODEL_NAME else path
    return named.name.removesuffix(".safetensors") or "model"


def _size(path: Path) -> int:
    files = path.iterdir() if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files)
