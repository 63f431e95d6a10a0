"""Training for the page: each run a child process, so the server itself stays without torch."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from burble.config import CONFIG_NAME
from burble.metrics import SAMPLES_NAME, logged
from burble.model_file import MODEL_NAME
from burble.serving.errors import RefusalError

if TYPE_CHECKING:
    from pathlib import Path

# What a page gets to see of a long run.
_MAX_POINTS = 400
_MAX_SAMPLES = 6000
_MAX_SAID = 2000

# A child that is asked to stop saves first.
_STOP_SECONDS = 60

_STOPPED = {128 + signal.SIGINT, 128 + signal.SIGTERM}


@dataclass
class _Child:
    """A `burble train` that this server has started, and what it said."""

    name: str
    process: subprocess.Popen[bytes]
    said: IO[bytes]

    def last_word(self) -> str:
        self.said.seek(0)
        lines = self.said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:_MAX_SAID] if lines else ""


class Runs:
    """The runs in one folder. Their names are the server's; what a client sends is looked up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._child: _Child | None = None
        self._starting = threading.Lock()

    def names(self) -> list[str]:
        """Newest first."""
        found = [path for path in self.folder.glob("*/") if (path / CONFIG_NAME).exists()]
        going = self._child.name if self._child else None
        names = {path.name: path.stat().st_mtime for path in found}
        if going:
            names.setdefault(going, float("inf"))
        return sorted(names, key=lambda name: -names[name])

    def model_paths(self) -> dict[str, Path]:
        """Where the model of each run is, or will be; newest first."""
        return {name: self.folder / name / MODEL_NAME for name in self.names()}

    def path(self, name: str) -> Path:
        """Where a run lies. Raises `RefusalError` for a name that none has."""
        if name not in self.names():
            raise RefusalError(404, f"There is no run {name[:100]!r}.", param="name")
        return self.folder / name

    def start(self, text: str, minutes: float) -> str:
        """Learn from `text`; returns the name of the run."""
        with self._starting, tempfile.TemporaryFile() as source:
            self._check_free()
            path = self._new_folder()
            source.write(text.encode())
            source.seek(0)
            self._begin(path.name, ["-", "-o", str(path), "--minutes", f"{minutes:f}"], source)
        return path.name

    def resume(self, name: str) -> None:
        """Go on where a run was stopped."""
        path = self.path(name)
        with self._starting:
            self._check_free()
            self._begin(name, ["--resume", str(path)], None)

    def stop(self, name: str) -> None:
        """Ask a run to save and end."""
        self.path(name)
        if self._child and self._child.name == name and self._is_running():
            self._child.process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Stop what goes on, and wait until it has saved."""
        if self._child and self._is_running():
            self._child.process.send_signal(signal.SIGTERM)
            self._child.process.wait(_STOP_SECONDS)

    def listed(self) -> list[dict[str, Any]]:
        """Name and state of each."""
        return [{"name": name, "state": self._state(name)} for name in self.names()]

    def described(self, name: str) -> dict[str, Any]:
        """How a run goes, or went."""
        path = self.path(name)
        state = self._state(name)
        return {
            "name": name,
            "state": state,
            "said": self._child.last_word() if state == "failed" and self._child else "",
            "has_model": (path / MODEL_NAME).exists(),
            "metrics": _thinned(_metrics(path)),
            "samples": _tail(path / SAMPLES_NAME),
        }

    def _check_free(self) -> None:
        if self._is_running():
            raise RefusalError(409, "A run is going on already. Stop it first.", code="busy")

    def _new_folder(self) -> Path:
        number = 1
        while True:
            path = self.folder / f"run-{number}"
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return path

    def _begin(self, name: str, args: list[str], source: IO[bytes] | None) -> None:
        said = tempfile.TemporaryFile()  # noqa: SIM115 - it is read while the child lives
        process = subprocess.Popen(
            [sys.executable, "-m", "burble", "train", *args],
            stdin=source or subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            # Ctrl-C is for the server, which then stops the run.
            start_new_session=True,
        )
        self._child = _Child(name, process, said)

    def _is_running(self) -> bool:
        return self._child is not None and self._child.process.poll() is None

    def _state(self, name: str) -> str:
        if self._child and self._child.name == name:
            code = self._child.process.poll()
            if code is None:
                return "running"
            if code not in {0, *_STOPPED}:
                return "failed"
            return "stopped" if code else "done"
        metrics = _metrics(self.folder / name)
        return "done" if metrics and metrics[-1]["progress"] >= 1 else "stopped"


def _metrics(path: Path) -> list[dict[str, Any]]:
    try:
        return logged(path)
    except OSError:
        return []


def _thinned(metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every so many-th, and the last."""
    stride = -(-len(metrics) // _MAX_POINTS) or 1
    return metrics[::-1][::stride][::-1]


def _tail(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[-_MAX_SAMPLES:]
    except OSError:
        return ""
