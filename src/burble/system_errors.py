"""Turn errors of the operating system into messages: what failed, the reason, what to do."""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from burble.errors import ResourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NOT_ALLOWED = "Change its permissions, or use another folder."
_TOO_MANY = "Close other programs, or raise the limit on open files (ulimit -n)."
_FULL = "The disk is full. Free some space, then run the command again."

_ADVICE = {
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: "The disk is mounted read-only. Use a folder on another one.",
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "Raise the limit on the size of a file (ulimit -f), or use another disk.",
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.EIO: "The disk is failing. Check it, or use another one.",
    errno.ENAMETOOLONG: "Use a shorter name.",
}
_ELSEWHERE = "Use another folder, one that exists and can be written."

# With these the name is wrong: the user's mistake (`UsageError`), not the machine's.
_WRONG_NAME = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENOTEMPTY,
    errno.ENAMETOOLONG,
    errno.ELOOP,
    errno.EINVAL,
}

MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
"""The error numbers of a path at which there is no file."""


def describe_reason(error: OSError, path: Path | str = "") -> str:
    """Return the system's reason, with the file that it concerns unless that is `path`."""
    reason = error.strerror or str(error)
    name = error.filename
    if not isinstance(name, str | bytes) or os.fsdecode(name) in {"", str(path)}:
        return reason
    return f"{reason}: {os.fsdecode(name)}"


def describe_failure(error: OSError) -> str:
    """Return why an address could not be opened: the system's reason, where there is one."""
    cause = getattr(error, "reason", error)
    return (cause.strerror if isinstance(cause, OSError) else None) or str(error)


def advise(error: OSError) -> str:
    return _ADVICE.get(error.errno or 0, _ELSEWHERE)


def advise_reader(error: OSError) -> str:
    if error.errno in {errno.EMFILE, errno.ENFILE, errno.EIO}:
        return advise(error)
    if error.errno is None:  # not from the system: a download broke off, for example
        return "Try again, or save it to a file and name that."
    return "Check that it exists and that you may read it."


def read_error(path: Path | str, error: OSError) -> UsageError | ResourceError:
    # `read_plain` raises EFBIG for a file that is too large to be what it should be.
    is_wrong_file = error.errno in _WRONG_NAME | {errno.EFBIG}
    kind = UsageError if is_wrong_file else ResourceError
    return kind(f"{path} cannot be read: {describe_reason(error, path)}. {advise_reader(error)}")


@contextmanager
def guard_write(path: Path, advice: str | None = None) -> Iterator[None]:
    """Turn an `OSError` inside the block into a message that `path` cannot be written.

    Raises `UsageError` if the name is at fault, else `ResourceError`. advice: replaces the usual
    advice.
    """
    try:
        yield
    except OSError as error:
        kind = UsageError if error.errno in _WRONG_NAME else ResourceError
        reason = describe_reason(error, path)
        raise kind(f"{path} cannot be written: {reason}. {advice or advise(error)}") from error
