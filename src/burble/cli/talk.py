"""Standard error as burble writes to it: work never ends for want of a listener."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Callable


class _Talk:
    """A stream that falls silent where nobody reads it (`2>&1 | head`) or its disk is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._attempt(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._attempt(self._stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def _attempt(self, action: Callable[[], object]) -> None:
        try:
            action()
        except OSError:
            # What is buffered would fail again when Python ends, and change its exit code.
            _send_nowhere(self._stream)


def _send_nowhere(stream: TextIO) -> None:
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def replace_closed_stdout() -> None:
    """Put a stream that cannot be written in the place of a standard output that is closed."""
    if sys.stdout is None:
        # Its descriptor is free, and a file that is opened later must not get it.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")


def silence_broken_stdout() -> OSError | None:
    """Return why standard output cannot be written, and write it to nowhere from now on, so that
    Python does not complain of it when it ends; None where it works.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        _send_nowhere(sys.stdout)
        return error
    return None


def guard_stderr() -> None:
    """Let no write to standard error fail from now on; a closed one is written to nowhere."""
    stream = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = cast("TextIO", _Talk(stream))
