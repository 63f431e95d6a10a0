"""Read and write the files that a user names."""

from collections.abc import Callable
from pathlib import Path

from burble.cli.terminal import print_message
from burble.durable import write_durably
from burble.errors import TextError, UsageError
from burble.system_errors import advise_reader


def read_text(read: Callable[[], bytes], what: str) -> str:
    """Decode what `read` returns as UTF-8. Raises `TextError`. what: its name in messages."""
    try:
        return read().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        reason = f"{error.strerror}. {advise_reader(error)}"
        raise TextError(f"{what} cannot be read: {reason}") from error
    except UnicodeDecodeError as error:
        raise TextError(
            f"{what} is not UTF-8: byte {error.object[error.start]:#04x} at offset "
            f"{error.start:,}. Convert it to UTF-8."
        ) from error


def save_file(name: str, content: bytes) -> None:
    """Write a file, whole or not at all, and print its size. Raises as `write_durably` does."""
    try:
        write_durably(Path(name), content)
    except ValueError as error:
        raise UsageError(
            f"{name!r} cannot be written: {error}. Name a file in a folder that exists."
        ) from error
    print_message(f"Wrote {name} ({_format_size(len(content))}).")


def _format_size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} KB"
