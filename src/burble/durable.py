"""Write files so that a crash or a full disk leaves the old file or the new one, never half."""

import contextlib
import errno
import os
import re
from pathlib import Path

from burble.system_errors import guard_write

# The name of a file until it is complete: its own name and a process number.
_ASIDE = re.compile(r"\..+\.\d+\.tmp")

# Some file systems cannot sync a folder.
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP}


def write_durably(path: Path, content: bytes) -> None:
    """Replace the file by `content`, or leave it unchanged and raise.

    Raises `ResourceError` if the system refuses, `UsageError` if the name of `path` is at fault.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with guard_write(path):
        try:
            # A killed process with the same number may have left one. Mode "x" follows no link.
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
    """Remove the unfinished files in `folder` that a killed `write_durably` left."""
    for aside in folder.glob(".*.tmp"):
        if _ASIDE.fullmatch(aside.name):
            with contextlib.suppress(OSError):  # it does no harm if it stays
                aside.unlink()


def sync_folder(folder: Path) -> None:
    """Make renames in `folder` survive a power cut. Does nothing on Windows, which lacks this."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # the folder may be writable but not readable
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)
