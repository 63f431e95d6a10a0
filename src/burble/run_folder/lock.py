"""Lock a run folder, so that one training at a time uses it. The lock ends with its process."""

import errno
import os
import shlex
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from burble.errors import UsageError
from burble.folder_names import LOCK_NAME
from burble.plain_files import open_to_change
from burble.system_errors import guard_write

# `find_holder` takes the lock for a moment to test it, so a training tries several times.
_TRIES = 5
_WAIT_SECONDS = 0.02

_MAX_COMMAND = 300
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


@dataclass(frozen=True)
class Holder:
    """The process that trains in a folder."""

    pid: int
    command: str


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of a run folder. Raises `UsageError` if another process has it."""
    with guard_write(folder):
        descriptor = _acquire(folder)
    try:
        yield
    finally:
        # A process that opened the file before it was removed notices, and opens it again.
        with suppress(OSError):  # the system frees the lock even if the file cannot be removed
            (folder / LOCK_NAME).unlink()
        os.close(descriptor)


def find_holder(folder: Path) -> Holder | None:
    """Return the process that trains in `folder`, or None."""
    try:
        descriptor = open_to_change(folder / LOCK_NAME, os.O_RDWR)
    except OSError:  # it was never locked, or we may not read it
        return None
    try:
        return None if _try_lock(descriptor) else _read_holder(descriptor)
    finally:
        os.close(descriptor)


def is_held_by(pid: int, folder: Path) -> bool:
    """Return whether a process has the lock file open. Its process id in the file may be old."""
    try:
        lock = (folder / LOCK_NAME).lstat()
        descriptors = list(os.scandir(f"/proc/{pid}/fd"))
    except OSError:  # another user's process, or a system without /proc
        return False
    return any(_is_same(entry, lock) for entry in descriptors)


def _is_same(descriptor: os.DirEntry[str], file: os.stat_result) -> bool:
    try:
        return os.path.samestat(descriptor.stat(), file)
    except OSError:  # it was closed in the meantime
        return False


def _acquire(folder: Path) -> int:
    for attempt in range(_TRIES):
        descriptor = open_to_change(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT)
        try:
            if _try_lock(descriptor):
                if _is_current(descriptor, folder):
                    _write_holder(descriptor)
                    return descriptor
            elif attempt == _TRIES - 1:
                raise _in_use(folder, _read_holder(descriptor))
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        time.sleep(_WAIT_SECONDS)
    raise UsageError(
        f"Other trainings keep starting and ending in {folder}/.",
        "Try again, or name another folder.",
        "Try again, or name another folder with -o.",
    )


def _in_use(folder: Path, other: Holder | None) -> UsageError:
    who = f"process {other.pid} ({other.command})" if other else "another process"
    stop = f"stop it: kill {other.pid}" if other else "stop it"
    advice = f"Wait until it ends, {stop}, or name another folder"
    return UsageError(
        f"{folder}/ is in use: {who} is training there.", f"{advice}.", f"{advice} with -o."
    )


def _is_current(descriptor: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), (folder / LOCK_NAME).lstat())
    except FileNotFoundError:
        return False


def _write_holder(descriptor: int) -> None:
    program = Path(sys.argv[0]).name
    name = "burble" if program == "__main__.py" else program
    command = shlex.join([name, *sys.argv[1:]])[:_MAX_COMMAND]
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n{command}\n".encode(errors="replace"), 0)


def _read_holder(descriptor: int) -> Holder | None:
    """Return the process that holds the lock, or None if it has not written its id yet."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    pid, _, command = os.read(descriptor, 2 * _MAX_COMMAND).decode(errors="replace").partition("\n")
    if not pid.isdecimal():
        return None
    readable = "".join(character for character in command if character.isprintable())
    return Holder(int(pid[:20]), readable)


if sys.platform == "win32":
    import msvcrt

    # On Windows a locked byte cannot be read, so we lock one far behind the text.
    _LOCKED_BYTE = 1 << 30

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            warnings.warn(
                "This disk has no locks: let only one training at a time use the folder.",
                stacklevel=2,
            )
        return True
