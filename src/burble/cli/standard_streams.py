"""Standard output and standard error that fail in a controlled way."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO, cast

from burble.errors import ResourceError


class ReaderGoneError(Exception):
    """The reader of standard output has closed it (`| head`)."""


class _Stream:
    """A stream that calls `_handle` when a write fails."""

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
        except OSError as error:
            # The buffered rest would fail again when Python exits, and change the exit code.
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)
            self._handle(error)

    def _handle(self, error: OSError) -> None:
        raise NotImplementedError


class _SilentStream(_Stream):
    """Drops what cannot be written: nobody reads it (`2>&1 | head`), or its disk is full."""

    def _handle(self, error: OSError) -> None:
        pass


class _StrictStream(_Stream):
    """Raises `ResourceError` when a write fails: the result of the command would be missing."""

    def _handle(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            raise ReaderGoneError from error
        raise ResourceError(
            f"Standard output cannot be written: {error.strerror}. Send it to a place that can be "
            "written."
        ) from error


def guard_stderr() -> None:
    """Replace standard error by one that never fails; a closed one becomes the null device."""
    stream = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = cast("TextIO", _SilentStream(stream))


def guard_stdout() -> None:
    """Replace standard output by one that raises `ResourceError` or `ReaderGoneError`."""
    # Open something in place of a closed one, or the next file would get its descriptor.
    stream = sys.stdout or os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    sys.stdout = cast("TextIO", _StrictStream(stream))
