"""`model.safetensors`: weights, network, tokenizer, normalisation and provenance in one file, and
optional sections.

A file may come from anybody, so reading trusts nothing in it. The description is checked first; it
determines the name, shape and type of every tensor, and no tensor is read before they match.
"""

from __future__ import annotations

import codecs
import errno
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from burble.capacity import num_weights
from burble.config import NetworkConfig, NormalizationConfig
from burble.durable import write_durably
from burble.errors import ModelFileError, UsageError, brief
from burble.folder_names import MODEL_NAME
from burble.hints import models_in, nearest_path
from burble.mapping import from_saved, parse_object, to_mapping
from burble.plain_files import open_plain
from burble.saved_format import SavedFormat, VersionError
from burble.shell import burble_line
from burble.system_errors import MISSING, advise_reader, describe_reason
from burble.tensor_file import TensorSpec, check_tensors, float32, read_header
from burble.tokenizers.base import Tokenizer
from burble.tokenizers.registry import tokenizer_from_json

FORMAT = SavedFormat(version=2)
METADATA_KEY = "burble"

# No network learns larger weights, and up to here nothing that an engine computes can overflow.
MAX_WEIGHT = 1e15

# The fields that every file of this format has; those that came later have defaults.
_CORE: dict[str, set[str]] = {
    "model": {"cell", "input", "num_layers", "hidden_size", "embedding_size", "residual"},
    "tokenizer": {"kind"},
    "normalization": {"lowercase", "unicode_form"},
    "provenance": set(),
}

_WHAT_A_MODEL_IS = "Name the folder that `burble train` made, or the model.safetensors in it."
_HEAD = 4096  # bytes that show whether a file is a text
_LISTED = 5  # models that a message shows

Weights = dict[str, np.ndarray[Any, np.dtype[np.float32]]]
Tensors = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Provenance:
    text_fingerprint: str = ""  # SHA-256 of the normalised training text, held-out part included
    num_characters: int = 0
    cut_characters: int = 0  # how many of them, from the start, were learned from
    sealed_characters: int = 0  # how many, at the end, were neither learned from nor validated on
    batching: str = "stream"
    val_bits_per_char: float | None = None  # on the held-out part; None if nothing was held out
    test_bits_per_char: float | None = None  # on the sealed part; None if nothing was sealed
    int8_cost_bits: float | None = None  # bits per character that int8 adds on the held-out part
    steps: int = 0
    chars_seen: int = 0
    seconds: float = 0.0
    seed: int = 0
    burble_version: str = ""


@dataclass(frozen=True)
class Section:
    """An optional part of a model file."""

    about: dict[str, Any]  # its description, in plain values
    tensors: Tensors = field(default_factory=dict)
    is_ignorable: bool = False  # whether a burble that does not know it may ignore it


SECTIONS: dict[str, Callable[[dict[str, Any]], dict[str, TensorSpec]]] = {}
"""The known sections by name: a function from a section's description to the specs of its
tensors, which the file calls NAME.…"""


@dataclass(frozen=True)
class ModelFile:
    """The content of a model file."""

    network: NetworkConfig
    tokenizer: Tokenizer
    weights: Weights
    normalization: NormalizationConfig = field(default_factory=NormalizationConfig)
    provenance: Provenance = field(default_factory=Provenance)
    sections: dict[str, Section] = field(default_factory=dict)

    @property
    def num_weights(self) -> int:
        return num_weights(self.network, self.tokenizer.vocab_size)

    def save(self, path: Path) -> None:
        """Save the file durably: an old one stays until the new one is complete on disk."""
        write_durably(path, self.to_bytes())

    def to_bytes(self) -> bytes:
        from safetensors.numpy import save

        tensors: Tensors = {
            name: np.ascontiguousarray(part, np.float32) for name, part in self.weights.items()
        }
        for name, section in self.sections.items():
            _check_section(name, section)
            tensors |= {
                f"{name}.{key}": np.ascontiguousarray(tensor)
                for key, tensor in section.tensors.items()
            }
        return save(tensors, {METADATA_KEY: self.description()})

    def description(self) -> str:
        described: dict[str, Any] = {
            "model": to_mapping(self.network),
            "tokenizer": self.tokenizer.to_json(),
            "normalization": to_mapping(self.normalization),
            "provenance": to_mapping(self.provenance),
        }
        for name, section in self.sections.items():
            described[name] = {"ignorable": section.is_ignorable, "about": section.about}
        return json.dumps(FORMAT.mark(described), ensure_ascii=False)

    def specs(self) -> dict[str, TensorSpec]:
        """Return the shape and type of each tensor in the file, by name."""
        specs = float32(self.network.tensor_shapes(self.tokenizer.vocab_size))
        for name, section in self.sections.items():
            found = _section_specs(name, section.about)
            specs |= {f"{name}.{key}": spec for key, spec in found.items()}
        return specs

    @classmethod
    def load(cls, path: Path) -> ModelFile:
        """Load a model file, or the one in a run folder. Raises `ModelFileError`."""
        try:
            path = path / MODEL_NAME if path.is_dir() else path
            # Only a regular file: a pipe blocks and a device may never end. Links are followed,
            # since caches of models use them.
            with open_plain(path, follow=True) as file:
                return _read(file, path)
        except ValueError as error:
            raise ModelFileError(
                f"There is no model at {str(path)!r}: {error}. {_WHAT_A_MODEL_IS}"
            ) from error
        except OSError as error:
            if error.errno not in MISSING:
                raise ModelFileError(
                    f"{path} cannot be read: {describe_reason(error, path)}. {advise_reader(error)}"
                ) from error
            raise _no_model(path, error) from error


def _no_model(path: Path, error: OSError) -> ModelFileError:
    """Return the error for a path without a model, with those that may be meant."""
    is_folder = path.name == MODEL_NAME and path.parent.is_dir() and path.parent != Path()
    place = path.parent if is_folder else path
    folder = place if is_folder and models_in(os.fspath(place)) else place.parent
    known = models_in(os.fspath(folder))
    near = None if is_folder else nearest_path(os.fspath(place), known)
    if near is not None:
        advice = f"Did you mean {brief(near)}?"
    elif known:
        listed = ", ".join(brief(os.fspath(folder / name)) for name in known[:_LISTED])
        advice = f"{_WHAT_A_MODEL_IS} Near by: {listed}."
    else:
        advice = _WHAT_A_MODEL_IS
    what = "in the folder" if is_folder else "at"
    reason = "" if error.errno == errno.ENOENT else f": {error.strerror}"
    return ModelFileError(f"There is no model {what} {brief(os.fspath(place))}{reason}.", advice)


def _read(file: BinaryIO, path: Path) -> ModelFile:
    from safetensors import SafetensorError

    size = os.fstat(file.fileno()).st_size
    try:
        header, num_bytes = read_header(file, size)
        described = _read_description(header, path)
        model = _without_tensors(described)
        ignored = _ignored_sections(described)
        specs = model.specs()
        check_tensors(header, specs, num_bytes, ignored)
        file.seek(0)
        model = _with_tensors(model, _read_tensors(file.read(size), specs))
    except (ValueError, UsageError, SafetensorError) as error:
        raise _broken(path, error) from error
    for name, tensor in model.weights.items():
        if not (np.abs(tensor) <= MAX_WEIGHT).all():
            reason = f"{name} holds NaN or numbers beyond ±{MAX_WEIGHT:g}"
            raise _broken(path, ValueError(reason))
    return model


def _read_description(header: dict[str, Any], path: Path) -> dict[str, Any]:
    metadata = header.pop("__metadata__", {})
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise ModelFileError(
            f"{path} is a safetensors file, but not one that burble made. {_WHAT_A_MODEL_IS}"
        )
    return FORMAT.upgrade(parse_object(text, "its description"))


def _without_tensors(described: dict[str, Any]) -> ModelFile:
    parts = {name: described.get(name) for name in _CORE}
    for name, needed in _CORE.items():
        part = parts[name]
        if isinstance(part, dict) and not needed <= part.keys():
            raise ValueError(f"{name} lacks {', '.join(sorted(needed - part.keys()))}")
    return ModelFile(
        from_saved(NetworkConfig, parts["model"], "model"),
        tokenizer_from_json(parts["tokenizer"]),
        {},
        from_saved(NormalizationConfig, parts["normalization"], "normalization"),
        from_saved(Provenance, parts["provenance"], "provenance"),
        {name: _section(described[name], name) for name in SECTIONS if name in described},
    )


def _section(described: object, name: str) -> Section:
    about = described.get("about") if isinstance(described, dict) else None
    if not isinstance(described, dict) or not isinstance(about, dict):
        raise UsageError(f"{name} must name what it is about.")
    return Section(about, is_ignorable=described.get("ignorable") is True)


def _section_specs(name: str, about: dict[str, Any]) -> dict[str, TensorSpec]:
    """Return the specs of a known section's tensors. Raises `ValueError`."""
    try:
        specs = SECTIONS[name](about)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{name} does not describe its tensors: {error!r}") from error
    if any(type(size) is not int or size < 0 for spec in specs.values() for size in spec.shape):
        raise ValueError(f"{name} gives its tensors impossible sizes")
    return specs


def _check_section(name: str, section: Section) -> None:
    """Raise `ValueError` if the tensors do not match the description: the file would not load."""
    specs = _section_specs(name, section.about)
    wanted = {key: (np.dtype(spec.numpy_name).str, spec.shape) for key, spec in specs.items()}
    found = {key: (tensor.dtype.str, tensor.shape) for key, tensor in section.tensors.items()}
    if found != wanted:
        raise ValueError(f"the tensors of {name} must be {wanted}; found {found}")


def _ignored_sections(described: dict[str, Any]) -> list[str]:
    """Return the unknown sections to ignore. Raises `VersionError` if one cannot be ignored."""
    unknown = described.keys() - _CORE.keys() - SECTIONS.keys()
    ignored = [name for name in unknown if _section(described[name], name).is_ignorable]
    if needed := sorted(unknown - set(ignored)):
        raise VersionError(f"it has a section that this burble does not know: {', '.join(needed)}")
    return ignored


def _read_tensors(content: bytes, specs: Mapping[str, TensorSpec]) -> Tensors:
    from safetensors import deserialize

    return {
        name: np.frombuffer(tensor["data"], specs[name].numpy_name).reshape(tensor["shape"])
        for name, tensor in deserialize(content)  # type: ignore[no-untyped-call]
        if name in specs
    }


def _with_tensors(model: ModelFile, tensors: Tensors) -> ModelFile:
    sections = {}
    for name, section in model.sections.items():
        own = {key: tensors.pop(f"{name}.{key}") for key in SECTIONS[name](section.about)}
        sections[name] = replace(section, tensors=own)
    return replace(model, weights=tensors, sections=sections)


def _broken(path: Path, error: Exception) -> ModelFileError:
    reason = brief(str(error)).rstrip(".")
    if isinstance(error, VersionError):
        return ModelFileError(f"{path} cannot be read: {reason}.", error.advice)
    if _looks_like_text(path):
        return ModelFileError(
            f"{path} is a text, not a usable model.",
            f"A model is made of it by burble.train({str(path)!r}).",
            f"Learn from it first: {burble_line('train', path)}",
        )
    return ModelFileError(
        f"{path} is not a usable model: {reason}.", "Use an unbroken copy, or train again."
    )


def _looks_like_text(path: Path) -> bool:
    try:
        with open_plain(path, follow=True) as file:
            head = file.read(_HEAD)
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except (OSError, ValueError):
        return False
    return bool(text) and all(character.isprintable() or character.isspace() for character in text)
