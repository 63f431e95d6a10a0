"""Writing files so that a crash or a full disk leaves the old one or the new one, never half."""

import contextlib
import errno
import os
import re
from pathlib import Path

from burble.system_errors import guard_write

# What a file is called until it is whole: its name and a process number.
_ASIDE = re.compile(r"\..+\.\d+\.tmp")

# Some file systems cannot sync a folder.
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP}


def write_durably(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, or leave it as it is. Raises `ResourceError` or `UsageError`."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with guard_write(path):
        try:
            # One that a killed process of this number has left; "x" follows no link.
            aside.unlink(missing_ok=True)
            with aside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error is the one to report
                aside.unlink()
            raise
        sync_folder(path.parent)


def remove_litter(folder: Path) -> None:
    """Remove what `write_durably` left in `folder` when its process was killed."""
    for aside in folder.glob(".*.tmp"):
        if _ASIDE.fullmatch(aside.name):
            with contextlib.suppress(OSError):  # it is only in the way
                aside.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut (POSIX; Windows has no such call)."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # a folder may be written and not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)
