"""Export a model as one HTML page that writes the same bytes as `burble generate`, offline."""

import base64
import html
from collections.abc import Iterator
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import numpy as np

from burble.arithmetic import Float32
from burble.cells import CELLS
from burble.config import SamplingConfig
from burble.durable import write_durably
from burble.engine.generate import GenerationRequest
from burble.engine.input_table import is_folded
from burble.engine.kernels import MAX_INT8_COST, bears_int8
from burble.engine.quantization import FINE_LIMIT, Int8Matrix, to_integers
from burble.errors import UsageError
from burble.export.labels import Labels, describe_model, describe_training
from burble.knobs import Knob, knobs_of
from burble.model_file import ModelFile
from burble.page import fill_page

_SCRIPTS = ("arithmetic.js", "sampling.js", "engine.js", "text.js", "page.js")


def write(model: ModelFile, path: Path, labels: Labels) -> None:
    """Write the page to a file.

    Raises `UsageError` if int8 would make the model too much worse, or for another file ending.
    """
    if path.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(
            f"A page must be called something.html, so that a browser opens it; found {path.name}."
        )
    write_durably(path, page(model, labels).encode())


def page(model: ModelFile, labels: Labels) -> str:
    """Return the page as HTML. Raises `UsageError` if int8 would make the model too much worse."""
    if not bears_int8(model):
        cost = model.provenance.int8_cost_bits
        raise UsageError(
            f"This model cannot become a page: a page computes in int8, which would cost it "
            f"{cost:.4f} bits per character, and at most {MAX_INT8_COST} are allowed.",
            "Export it to onnx, which keeps float32.",
            "Export it --to onnx, which keeps float32.",
        )
    return fill_page(
        _part("page.html"),
        _part("page.css"),
        script(),
        _describe(model),
        name=html.escape(labels.name),
        about=html.escape(f"{describe_model(model)} {describe_training(model)}".strip()),
        weights=_encode85(b"".join(_blocks(model))),
    )


def script() -> str:
    return "\n".join(map(_part, _SCRIPTS))


def _part(name: str) -> str:
    return (files("burble.export") / "page" / name).read_text("utf-8")


def _describe(model: ModelFile) -> dict[str, object]:
    cell, asked = CELLS[model.network.cell], knobs_of(GenerationRequest)
    return {
        "network": asdict(model.network),
        "cell": {"gates": len(cell.gates), "states": cell.states},
        "vocab": model.tokenizer.vocab_size,
        "input": _input(model),
        "tokenizer": model.tokenizer.to_json(),
        "normalization": asdict(model.normalization),
        "defaults": {**asdict(SamplingConfig()), "length": GenerationRequest.max_characters},
        "fields": [
            _field(name, known)
            for name, known in {
                **knobs_of(SamplingConfig),
                "length": asked["max_characters"],
                "window": asked["window"],
            }.items()
        ],
    }


def _field(name: str, known: Knob) -> dict[str, object]:
    """Return the attributes of the HTML input for a knob."""
    described = {
        "id": name,
        "label": name.replace("_", " ").capitalize(),
        "help": known.help,
        "min": known.low if known.above is None else known.above + 1e-6,
        "max": known.high,
        "step": 1 if known.kind is int else "any",
        "required": known.default is not None,
        "slider": known.slider,
    }
    return {name: value for name, value in described.items() if value is not None}


def _input(model: ModelFile) -> str:
    return model.network.input if is_folded(model) else "unfolded"


def _encode85(data: bytes) -> str:
    """Encode bytes in base 85, five characters for four bytes, without `<`."""
    padded = data + bytes(-len(data) % 4)
    return base64.b85encode(padded).decode().replace("<", ",")


def _blocks(model: ModelFile) -> Iterator[bytes]:
    """Yield the weights in the order in which `engine.js` reads them."""
    weights = model.weights
    yield from _input_blocks(model)
    yield _floats(weights["layers.0.bias"])
    yield from _int8(weights["layers.0.weight_hh"])
    for layer in range(1, model.network.num_layers):
        yield from _int8(weights[f"layers.{layer}.weight_ih"])
        yield _floats(weights[f"layers.{layer}.bias"])
        yield from _int8(weights[f"layers.{layer}.weight_hh"])
    yield from _int8(weights["head.weight"])
    yield _floats(weights["head.bias"])


def _input_blocks(model: ModelFile) -> Iterator[bytes]:
    weight_ih = model.weights["layers.0.weight_ih"]
    if model.network.input != "embedding":
        yield _floats(weight_ih)
        return
    block = _fine if is_folded(model) else _int8
    yield from block(model.weights["embedding.weight"])
    yield from block(weight_ih)


def _floats(values: Float32) -> bytes:
    return values.astype("<f4").tobytes()


def _int8(weights: Float32) -> Iterator[bytes]:
    matrix = Int8Matrix.of(weights)
    yield matrix.values.tobytes()
    yield _floats(matrix.scales)


def _fine(weights: Float32) -> Iterator[bytes]:
    """Yield the weights as unsigned 20-bit integers, two in five bytes, and their scales."""
    integers, scales = to_integers(weights, FINE_LIMIT)
    whole = (integers.ravel() + FINE_LIMIT).astype(np.uint64)
    first, second = np.pad(whole, (0, whole.size % 2)).reshape(-1, 2).T
    pairs = (first | second << np.uint64(20)).astype("<u8")
    yield pairs.view(np.uint8).reshape(-1, 8)[:, :5].tobytes()
    yield _floats(scales)
