"""Writing files so that a crash or a full disk leaves the old one or the new one, never half."""

from __future__ import annotations

import errno
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from burble.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

# What a file is called until it is whole: its name and a process number.
_ASIDE = re.compile(r"\..+\.\d+\.tmp")

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_durably(path: Path, content: bytes) -> None:
    """Replace `path` by `content`: write aside, fsync, rename, fsync the folder.

    Raises `ResourceError` where the disk is full; the old file is then still there.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with told_when_full(path):
        try:
            # One that a killed process of this number has left; "x" follows no link.
            aside.unlink(missing_ok=True)
            with aside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
        sync_folder(path.parent)


def remove_litter(folder: Path) -> None:
    """Remove what `write_durably` left in `folder` when its process was killed."""
    for aside in folder.glob(".*.tmp"):
        if _ASIDE.fullmatch(aside.name):
            aside.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut (POSIX; Windows has no such call)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def told_when_full(path: Path) -> Iterator[None]:
    """Turn the system's "no space left" into a `ResourceError` that names `path`."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        raise ResourceError(
            f"The disk is full: {path} could not be written ({error.strerror}). "
            "What was saved before is untouched. Free some space, then go on."
        ) from error
