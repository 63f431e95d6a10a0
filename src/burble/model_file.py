"""`model.safetensors`: weights, network, tokenizer, normalisation and provenance in one file.

Reading trusts nothing: the header is checked against the schema, and the schema decides which
tensors of which size must follow, before any of them is read.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import numpy as np

from burble.config import NetworkConfig, NormalizationConfig
from burble.durable import write_durably
from burble.errors import ModelFileError, UsageError, brief
from burble.mapping import from_mapping, parse_object, to_mapping
from burble.plain_files import open_plain
from burble.system_errors import MISSING, advise_reader, describe_reason
from burble.tensor_file import check_tensors, read_header
from burble.tokenizers.registry import tokenizer_from_json

if TYPE_CHECKING:
    from burble.tokenizers.base import Tokenizer

FORMAT_VERSION = 1
MODEL_NAME = "model.safetensors"
METADATA_KEY = "burble"

# No network learns such weights, and below them nothing that an engine computes can overflow.
MAX_WEIGHT = 1e15

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

    sealed_characters: int = 0
    """Of those, the last this many were neither learned from nor validated on."""

    batching: str = "stream"
    val_bits_per_char: float | None = None
    """On the held-out part; None where nothing was held out."""

    test_bits_per_char: float | None = None
    """On the sealed part, once the model was chosen; None where nothing was sealed."""

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
    normalization: NormalizationConfig = field(default_factory=NormalizationConfig)
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def num_weights(self) -> int:
        """Numbers that were learned, in all tensors."""
        return sum(tensor.size for tensor in self.weights.values())

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
            path = path / MODEL_NAME if path.is_dir() else path
            # A pipe would be waited for, and a device may never end; links are followed, as those
            # of a cache of models.
            with open_plain(path, follow=True) as file:
                return _read(file, path)
        except ValueError as error:
            raise ModelFileError(f"There is no model at {str(path)!r}: {error}.") from error
        except OSError as error:
            if error.errno not in MISSING:
                raise ModelFileError(
                    f"{path} cannot be read: {describe_reason(error, path)}. {advise_reader(error)}"
                ) from error
            raise ModelFileError(
                f"There is no model at {error.filename or path}: {error.strerror}. "
                "Name a model.safetensors or the folder that `burble train` made."
            ) from error


def _read(file: BinaryIO, path: Path) -> ModelFile:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    size = os.fstat(file.fileno()).st_size
    try:
        header, num_bytes = read_header(file, size)
        described = _read_description(header, path)
        tokenizer = tokenizer_from_json(described["tokenizer"])
        network = _whole(NetworkConfig, described["model"], "model")
        normalization = _whole(NormalizationConfig, described["normalization"], "normalization")
        provenance = from_mapping(Provenance, described["provenance"], "provenance")
        check_tensors(header, network.tensor_shapes(tokenizer.vocab_size), num_bytes)
        file.seek(0)
        weights: Weights = load(file.read(size))
    except (ValueError, UsageError, SafetensorError) as error:
        raise _broken(path, str(error)) from error
    for name, tensor in weights.items():
        if not (np.abs(tensor) <= MAX_WEIGHT).all():
            raise _broken(path, f"{name} holds NaN or numbers beyond ±{MAX_WEIGHT:g}")
    return ModelFile(network, tokenizer, weights, normalization, provenance)


def _read_description(header: dict[str, Any], path: Path) -> dict[str, Any]:
    metadata = header.pop("__metadata__", {})
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError(f"{path} is a safetensors file, but not one that burble made.")
    described = parse_object(text, "its description")
    version = described.get("format_version")
    if version != FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has format {brief(repr(version))}; this burble reads format "
            f"{FORMAT_VERSION}. Install the burble that made it, or a newer one."
        )
    if set(described) != _KEYS:
        odd = ", ".join(sorted(set(described) ^ _KEYS))
        raise _broken(path, f"its description has missing or unknown entries: {odd}")
    return described


def _whole(cls: type[T], mapping: object, where: str) -> T:
    """As `from_mapping`, and nothing is left to a default, which may change one day."""
    made = from_mapping(cls, mapping, where)
    if to_mapping(made) != mapping:
        raise UsageError(f"{where} must tell each of {', '.join(to_mapping(made))}")
    return made


def _broken(path: Path, reason: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is not a usable model: {brief(reason)}. Use an unbroken copy, or train again."
    )
