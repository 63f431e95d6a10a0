"""Open files only if they are regular files, not links, pipes or devices.

A folder may come from anybody. A link in it can lead to any other file, a pipe blocks, and a
device may never end. A folder that burble made has none of them.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, BinaryIO, TextIO

if TYPE_CHECKING:
    from pathlib import Path

NOT_OURS = {errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.EMLINK, errno.ENXIO}
"""The error numbers of opening a link, a pipe, a device, a folder or a hard-linked file."""

# Windows lacks the first two; its text mode, which O_BINARY turns off, changes line ends.
_SAFELY = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def find_odd(path: Path) -> Path | None:
    """Return the first entry at or below `path` that is neither a file nor a folder, or None.

    Raises `OSError`.
    """
    if not os.path.lexists(path):
        return None
    mode = path.lstat().st_mode
    if not stat.S_ISDIR(mode):
        return None if stat.S_ISREG(mode) else path
    pending = [path]
    while pending:
        with os.scandir(here := pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(here / entry.name)
                elif not entry.is_file(follow_symlinks=False):
                    return here / entry.name
    return None


def open_plain(path: Path, *, follow: bool = False) -> BinaryIO:
    """Open a regular file for reading, and raise `OSError` for anything else.

    follow: whether a link to one is followed.
    """
    flags = os.O_RDONLY | _SAFELY
    if follow:
        flags &= ~getattr(os, "O_NOFOLLOW", 0)
    # Check before opening, too: opening alone can make a device act, such as rewind a tape.
    _check_regular(path, path.stat(follow_symlinks=follow))
    return os.fdopen(_open_regular(path, flags), "rb")


def read_plain(path: Path, limit: int, *, follow: bool = False) -> bytes:
    """Read a regular file of at most `limit` bytes, and raise `OSError` for anything else.

    follow: whether a link to one is followed.
    """
    with open_plain(path, follow=follow) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise OSError(errno.EFBIG, f"it has more than {limit:,} bytes", str(path))
        return file.read(size)


def open_to_append(path: Path) -> TextIO:
    """Open a regular file, or a new one, for appending text. Raises `OSError`."""
    descriptor = open_to_change(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    return os.fdopen(descriptor, "a", encoding="utf-8", newline="\n")


def open_to_change(path: Path, flags: int) -> int:
    """Open a regular file and return its descriptor. Raises `OSError`, also for a hard link.

    Writing to a hard link would change a file elsewhere.
    """
    descriptor = _open_regular(path, flags | _SAFELY)
    if os.fstat(descriptor).st_nlink > 1:
        os.close(descriptor)
        raise OSError(errno.EMLINK, "it is a hard link to another file", str(path))
    return descriptor


def _open_regular(path: Path, flags: int) -> int:
    try:
        descriptor = os.open(path, flags, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP and path.is_symlink():
            raise OSError(errno.ELOOP, "it is a link", str(path)) from error
        raise
    try:
        _check_regular(path, os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise OSError(errno.ELOOP, "it is a link", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
