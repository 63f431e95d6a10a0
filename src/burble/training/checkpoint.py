"""Save and load the whole state of a run. Random choices need none: they follow from the step."""

import errno
import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burble.durable import remove_litter, write_durably
from burble.errors import BurbleError, ModelFileError, UsageError, brief
from burble.folder_names import MANIFEST
from burble.mapping import from_saved, to_mapping
from burble.plain_files import NOT_OURS, open_plain
from burble.run_folder.folder import STATE_FORMAT, TRAIN_AGAIN
from burble.run_folder.folder import read_manifest as folder_manifest
from burble.saved_format import VersionError
from burble.system_errors import MISSING, read_error
from burble.tensor_file import check_tensors, float32, read_header
from burble.training.layout import Layout, check_numbers
from burble.training.learner import Arrays
from burble.training.position import MAX_RESCUES, Position

_STATE_NAME = re.compile(r"state-[0-9]{1,15}-[0-9]{1,20}\.safetensors")

# Higher than in any run, and exact in float64. Seconds: three centuries.
_HIGHEST = {"step": 10**12, "validation_batches": 10**12, "stale": 10**12, "seconds": 1e10}


@dataclass(frozen=True)
class Checkpoint:
    """A copy of everything that a step changes."""

    position: Position
    tensors: Arrays


@dataclass(frozen=True)
class Manifest:
    """The contents of `last/manifest.json`."""

    file: str  # name of the file with the tensors
    position: Position


def write(checkpoint: Checkpoint, folder: Path) -> None:
    """Save a checkpoint: the tensors under a new name, then the manifest that points to them."""
    from safetensors.numpy import save

    folder.mkdir(exist_ok=True)
    name = f"state-{checkpoint.position.step}-{time.time_ns()}.safetensors"
    write_durably(folder / name, save(checkpoint.tensors))
    manifest = STATE_FORMAT.mark({"file": name, "position": to_mapping(checkpoint.position)})
    write_durably(folder / MANIFEST, json.dumps(manifest, indent=1).encode())
    for old in folder.glob("state-*.safetensors"):
        if old.name != name and not old.is_dir():
            old.unlink()
    remove_litter(folder)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest that `write` saved. Raises `ModelFileError` if it is missing or broken."""
    try:
        return _parse_manifest(folder_manifest(folder))
    except OSError as error:
        raise _unreadable(folder, error) from error
    except (ValueError, UsageError) as error:
        raise _broken(folder, error) from error


def _parse_manifest(found: dict[str, Any]) -> Manifest:
    manifest = from_saved(Manifest, found, MANIFEST)
    if not _STATE_NAME.fullmatch(manifest.file):
        raise ValueError(f"{MANIFEST} names {manifest.file!r}")
    position = manifest.position
    for name, value in to_mapping(position).items():
        if value is not None and not 0 <= value <= _HIGHEST.get(name, value):
            raise ValueError(f"{MANIFEST} has {name} = {value:g}")
    if position.rescues > MAX_RESCUES or position.rate_scale != 0.5**position.rescues:
        raise ValueError(f"{MANIFEST} has rate_scale = {position.rate_scale:g}")
    return manifest


def read(folder: Path, layout: Layout) -> Checkpoint:
    """Load the checkpoint that `write` saved. Raises `ModelFileError` unless it has this layout."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    manifest = read_manifest(folder)
    try:
        with open_plain(folder / manifest.file) as file:
            size = os.fstat(file.fileno()).st_size
            header, num_bytes = read_header(file, size)
            check_tensors(header, float32(layout.shapes(manifest.position.step)), num_bytes)
            file.seek(0)
            tensors = load(file.read(size))
        check_numbers(tensors)
    except OSError as error:
        raise _unreadable(folder, error) from error
    except (ValueError, SafetensorError) as error:
        raise _broken(folder, error) from error
    return Checkpoint(manifest.position, tensors)


def _unreadable(folder: Path, error: OSError) -> BurbleError:
    """Return an error that advises to train again only if the state itself is at fault."""
    is_its_own = error.errno in MISSING | NOT_OURS | {errno.EFBIG}
    return _broken(folder, error) if is_its_own else read_error(folder, error)


def _broken(folder: Path, error: Exception) -> ModelFileError:
    reason = brief(str(error))
    if isinstance(error, VersionError):
        return ModelFileError(f"The run cannot be resumed: {folder}: {reason}.", error.advice)
    return ModelFileError(
        f"The run cannot be resumed: {folder} is missing, broken, or of another run ({reason}).",
        *TRAIN_AGAIN,
    )
