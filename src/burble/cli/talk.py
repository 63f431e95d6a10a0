"""Standard output and standard error as burble writes to them."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO, cast

from burble.errors import ResourceError


class ReaderGoneError(Exception):
    """Whoever read standard output has had enough (`| head`)."""


class _Stream:
    """A stream whose writes do not fail as the system has it, but as `_refused` has it."""

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
            # What is buffered would fail again when Python ends, and change its exit code.
            with suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)
            self._refused(error)

    def _refused(self, error: OSError) -> None:
        raise NotImplementedError


class _Talk(_Stream):
    """Falls silent where nobody reads it (`2>&1 | head`) or its disk is full."""

    def _refused(self, error: OSError) -> None:
        pass


class _Output(_Stream):
    """Raises `ResourceError` where it cannot be written: what was asked for would be missing."""

    def _refused(self, error: OSError) -> None:
        if isinstance(error, BrokenPipeError):
            raise ReaderGoneError from error
        raise ResourceError(
            f"Standard output cannot be written: {error.strerror}. Send it to a place that can be "
            "written."
        ) from error


def guard_stderr() -> None:
    """Let no write to standard error fail from now on; a closed one is written to nowhere."""
    stream = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    sys.stderr = cast("TextIO", _Talk(stream))


def guard_stdout() -> None:
    """Let writes to standard output raise `ResourceError` or `ReaderGoneError` from now on."""
    # A closed one's descriptor is free, and a file that is opened later must not get it.
    stream = sys.stdout or os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    sys.stdout = cast("TextIO", _Output(stream))
