"""What a command prints in a terminal, and when."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PIECE = 1 << 16


@dataclass(frozen=True)
class Recording:
    """A command line as typed, its output in pieces, and how long it took."""

    typed: str
    pieces: list[tuple[float, str]]
    """Seconds since the start, and what was printed then."""

    seconds: float


def record(arguments: list[str], typed: str, folder: Path, size: tuple[int, int]) -> Recording:
    """Run burble in a terminal of this size (columns, rows) and keep what it shows.

    Raises `RuntimeError` with the output where burble fails.
    """
    ours, theirs = pty.openpty()
    columns, rows = size
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    kept = {name: os.environ[name] for name in os.environ if name not in _UNWANTED}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "burble", *arguments],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=kept | {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    )
    os.close(theirs)
    pieces = [(when - started, piece) for when, piece in _read_pieces(ours)]
    os.close(ours)
    code = process.wait()
    if code != 0:
        raise RuntimeError(f"{typed} ended with {code}:\n{''.join(text for _, text in pieces)}")
    return Recording(typed, pieces, time.monotonic() - started)


# They would change how the output looks.
_UNWANTED = {"COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "PYTHONWARNINGS"}


def _read_pieces(terminal: int) -> list[tuple[float, str]]:
    found: list[tuple[float, bytes]] = []
    while piece := _read(terminal):
        found.append((time.monotonic(), piece))
    # A read may end in the midst of a character, whose bytes belong together.
    texts, rest = [], b""
    for when, piece in found:
        whole = (rest + piece).decode("utf-8", "ignore")
        rest = (rest + piece)[len(whole.encode()) :]
        texts.append((when, whole))
    return texts


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, _PIECE)
    except OSError:  # Linux reports the end so, once the last program has closed the terminal
        return b""


def save(recordings: list[Recording], path: Path) -> None:
    """Keep recordings in a file."""
    path.write_text(json.dumps([asdict(one) for one in recordings]), "utf-8")


def load(path: Path) -> list[Recording]:
    """Return the recordings that `save` kept."""
    return [
        Recording(one["typed"], [(when, text) for when, text in one["pieces"]], one["seconds"])
        for one in json.loads(path.read_text("utf-8"))
    ]
