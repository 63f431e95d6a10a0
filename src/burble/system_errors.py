"""What the system refuses, in a user's words: what failed, the system's reason, what to do."""

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
    errno.EIO: "The disk does not work as it should. Check it, or use another one.",
    errno.ENAMETOOLONG: "Use a shorter name.",
}
_ELSEWHERE = "Use another folder, one that exists and can be written."

# Where a name is wrong, it is the user who can put it right, not the machine's keeper.
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
"""What the system says where nothing of that name can be."""


def describe_reason(error: OSError, path: Path | str = "") -> str:
    """Return the system's reason, with the file it is about where that is not `path`."""
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
    if error.errno is None:  # not the system's, as where a download broke off
        return "Try again, or save it to a file and name that."
    return "Check that it exists and that you may read it."


def read_error(path: Path | str, error: OSError) -> UsageError | ResourceError:
    # EFBIG is ours: it has more bytes than such a file can have.
    is_wrong_file = error.errno in _WRONG_NAME | {errno.EFBIG}
    kind = UsageError if is_wrong_file else ResourceError
    return kind(f"{path} cannot be read: {describe_reason(error, path)}. {advise_reader(error)}")


@contextmanager
def guard_write(path: Path, advice: str | None = None) -> Iterator[None]:
    """Turn the system's refusal to write into a `ResourceError`; into a `UsageError` where the name
    of `path` is at fault. advice: what to do, where the usual advice does not fit.
    """
    try:
        yield
    except OSError as error:
        kind = UsageError if error.errno in _WRONG_NAME else ResourceError
        reason = describe_reason(error, path)
        raise kind(f"{path} cannot be written: {reason}. {advice or advise(error)}") from error
