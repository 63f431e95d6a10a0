"""`model.safetensors`: weights, network, tokenizer, normalisation and provenance in one file.

Reading trusts nothing: the header is checked against the schema, and the schema decides which
tensors of which size must follow, before any of them is read.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np

from burble.config import NetworkConfig, TextConfig
from burble.durable import write_durably
from burble.errors import ModelFileError, UsageError
from burble.mapping import from_mapping, to_mapping
from burble.system_errors import MISSING, advise_reader, describe_reason
from burble.tokenizers.registry import tokenizer_from_json

if TYPE_CHECKING:
    from burble.tokenizers.base import Tokenizer

FORMAT_VERSION = 1
MODEL_NAME = "model.safetensors"
METADATA_KEY = "burble"

# No network learns such weights, and below them nothing that an engine computes can overflow.
MAX_WEIGHT = 1e15

# A vocabulary of every code point there is takes 6 MB of JSON.
_MAX_HEADER_BYTES = 16 << 20
_MAX_REASON = 300
_KEYS = {"format_version", "model", "tokenizer", "normalization", "provenance"}

T = TypeVar("T")
Weights = dict[str, np.ndarray[Any, np.dtype[np.float32]]]


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from and how good it is."""

    text_fingerprint: str = ""
    """SHA-256 of the normalised training text in UTF-8, held-out part included."""

    num_characters: int = 0
    cut_characters: int = 0
    """Of those, the first this many were learned from."""

    batching: str = "stream"
    val_bits_per_char: float | None = None
    """On the held-out part; None where nothing was held out."""

    int8_cost_bits: float | None = None
    """Bits per character that int8 loses on the held-out part; None where it was not measured."""

    steps: int = 0
    chars_seen: int = 0
    seconds: float = 0.0
    seed: int = 0
    burble_version: str = ""


@dataclass(frozen=True)
class ModelFile:
    """All that the one file holds."""

    network: NetworkConfig
    tokenizer: Tokenizer
    weights: Weights
    normalization: TextConfig = field(default_factory=TextConfig)
    provenance: Provenance = field(default_factory=Provenance)

    def save(self, path: Path) -> None:
        """Write the file durably: the old one stays until the new one is whole on disk."""
        write_durably(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        """The whole file."""
        from safetensors.numpy import save

        weights = {name: np.ascontiguousarray(w, np.float32) for name, w in self.weights.items()}
        return save(weights, {METADATA_KEY: self.description()})

    def description(self) -> str:
        """All but the weights, as JSON."""
        described = {
            "format_version": FORMAT_VERSION,
            "model": to_mapping(self.network),
            "tokenizer": self.tokenizer.to_json(),
            "normalization": to_mapping(self.normalization),
            "provenance": to_mapping(self.provenance),
        }
        return json.dumps(described, ensure_ascii=False)

    @classmethod
    def load(cls, path: Path) -> ModelFile:
        """Read a model file, or the `model.safetensors` of a run folder.

        Raises `ModelFileError` for whatever is not a whole, sane model of this format.
        """
        try:
            path = _model_path(path)
            with path.open("rb") as file:
                return _read(file, path)
        except OSError as error:
            if error.errno not in MISSING:
                raise ModelFileError(
                    f"{path} cannot be read: {describe_reason(error, path)}. {advise_reader(error)}"
                ) from error
            raise ModelFileError(
                f"There is no model at {error.filename or path}: {error.strerror}. "
                "Name a model.safetensors or the folder that `burble train` made."
            ) from error


def _model_path(path: Path) -> Path:
    """The file itself; of a run folder, the model in it."""
    try:
        if path.is_dir():
            path = path / MODEL_NAME
        mode = path.stat().st_mode
    except ValueError as error:
        raise ModelFileError(f"There is no model at {str(path)!r}: {error}.") from error
    if not stat.S_ISREG(mode):
        # A pipe would be waited for, and a device may never end.
        raise _broken(path, "it is not a regular file")
    return path


def _read(file: BinaryIO, path: Path) -> ModelFile:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    size = os.fstat(file.fileno()).st_size
    length, header = _read_header(file, size, path)
    described = _read_description(header, path)
    try:
        tokenizer = tokenizer_from_json(described["tokenizer"])
        network = _whole(NetworkConfig, described["model"], "model")
        normalization = _whole(TextConfig, described["normalization"], "normalization")
        provenance = from_mapping(Provenance, described["provenance"], "provenance")
    except (ValueError, UsageError) as error:
        raise _broken(path, str(error)) from error
    shapes = network.tensor_shapes(tokenizer.vocab_size)
    _check_tensors(header, shapes, size - 8 - length, path)
    file.seek(0)
    try:
        weights: Weights = load(file.read(size))
    except SafetensorError as error:
        raise _broken(path, str(error)) from error
    for name, tensor in weights.items():
        if not (np.abs(tensor) <= MAX_WEIGHT).all():
            raise _broken(path, f"{name} holds NaN or numbers beyond ±{MAX_WEIGHT:g}")
    return ModelFile(network, tokenizer, weights, normalization, provenance)


def _read_header(file: BinaryIO, size: int, path: Path) -> tuple[int, dict[str, Any]]:
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or not 2 <= length <= min(size - 8, _MAX_HEADER_BYTES):
        raise _broken(path, f"its {size:,} bytes do not begin with a header")
    header = _parse(file.read(length), "its header", path)
    return length, header


def _read_description(header: dict[str, Any], path: Path) -> dict[str, Any]:
    metadata = header.pop("__metadata__", {})
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError(f"{path} is a safetensors file, but not one that burble made.")
    described = _parse(text.encode("utf-8", "replace"), "its description", path)
    version = described.get("format_version")
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format {_brief(repr(version))}; this burble reads format "
            f"{FORMAT_VERSION}. Install the burble that made it, or a newer one."
        )
    if set(described) != _KEYS:
        odd = ", ".join(sorted(set(described) ^ _KEYS))
        raise _broken(path, f"its description has missing or unknown entries: {odd}")
    return described


def _parse(data: bytes, what: str, path: Path) -> dict[str, Any]:
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _broken(path, f"{what} is not JSON") from error
    if not isinstance(parsed, dict):
        raise _broken(path, f"{what} is not a JSON object")
    return parsed


def _whole(cls: type[T], mapping: object, where: str) -> T:
    """As `from_mapping`, and nothing is left to a default, which may change one day."""
    made = from_mapping(cls, mapping, where)
    if to_mapping(made) != mapping:
        raise UsageError(f"{where} must tell each of {', '.join(to_mapping(made))}")
    return made


def _check_tensors(
    header: dict[str, Any], shapes: dict[str, tuple[int, ...]], size: int, path: Path
) -> None:
    if set(header) != set(shapes):
        odd = ", ".join(sorted(set(header) ^ set(shapes))[:5])
        raise _broken(path, f"its tensors do not fit its description: {odd}")
    total = 0
    for name, shape in shapes.items():
        entry = header[name]
        found = (entry.get("dtype"), entry.get("shape")) if isinstance(entry, dict) else None
        if found != ("F32", list(shape)):
            raise _broken(path, f"{name} must be F32 of shape {list(shape)}; found {found}")
        total += 4 * int(np.prod(shape, dtype=object))
    if total != size:
        raise _broken(path, f"it should hold {total:,} bytes of weights and holds {size:,}")


def _broken(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is not a usable model: {_brief(reason)}. Use an unbroken copy, or train again."
    )


def _brief(text: str) -> str:
    """What a hostile file puts into a message must neither fill the terminal nor steer it."""
    shown = text if len(text) <= _MAX_REASON else text[:_MAX_REASON] + "…"
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
