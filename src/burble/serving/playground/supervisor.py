"""Training for the page: each run a child process, so that the server answers while it learns.

A run may also be another's: of a person at the command line, or of a server that was killed. Its
lock says so. It is shown and can be stopped, but it is left alone when this server ends.
"""

import itertools
import os
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from burble.errors import WITHOUT_FLAGS, UsageError
from burble.isolation import python_command, python_environment
from burble.run_folder.folder import RunFolder, is_run
from burble.run_folder.lock import holder, is_held_by
from burble.run_folder.log import read_samples
from burble.run_folder.metrics import StepMetrics, ValidationMetrics, read_thinned
from burble.serving.completions.names import readable
from burble.serving.completions.responses import RunDescription, RunLine, RunState
from burble.serving.http.errors import RefusalError
from burble.stop_signals import STOP_SIGNALS

# What a page gets to see of a long run.
_MAX_POINTS = 400
_MAX_SAMPLES = 6000
_MAX_SAID = 2000

# A child that is asked to stop saves first.
_STOP_SECONDS = 60

_STOPPED = {128 + number for number in STOP_SIGNALS}


@dataclass
class _Child:
    """A `burble train` that this server has started, and what it said."""

    path: Path
    process: subprocess.Popen[bytes]
    said: IO[bytes]

    def state(self) -> RunState:
        code = self.process.poll()
        if code is None:
            return "running"
        if code not in {0, *_STOPPED}:
            return "failed"
        return "stopped" if code else "done"

    def last_word(self) -> str:
        self.said.seek(0)
        lines = self.said.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].removeprefix("burble: ")[:_MAX_SAID] if lines else ""


class Supervisor:
    """The runs in one folder. Their names are the server's; what a client sends is looked up."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is no folder. Name one to train in; a new one is made.")
        self.folder = folder
        self._child: _Child | None = None
        self._starting = threading.Lock()

    def paths(self) -> dict[str, Path]:
        """Return the folder of each run by its name, newest first."""
        found = {path: _age(path) for path in self.folder.glob("*/") if is_run(path)}
        if self._child:
            found.setdefault(self._child.path, float("-inf"))
        return {readable(path.name): path for path in sorted(found, key=lambda path: found[path])}

    def model_paths(self) -> dict[str, Path]:
        return {name: RunFolder(path).model for name, path in self.paths().items()}

    def path(self, name: str) -> Path:
        """Return a run's folder. Raises `RefusalError` for a name that none has."""
        path = self.paths().get(name)
        if path is None:
            raise RefusalError(
                404, f"There is no run {name[:100]!r}. Choose one of the list.", param="name"
            )
        return path

    def start(self, text: str, minutes: float) -> str:
        """Learn from `text`; return the name of the run."""
        with self._starting, tempfile.TemporaryFile() as source:
            self._check_free()
            # The child makes it, and removes it again where there is nothing to keep in it.
            paths = (self.folder / f"run-{number}" for number in itertools.count(1))
            path = next(path for path in paths if not os.path.lexists(path))
            source.write(text.encode())
            source.seek(0)
            self._begin(path, ["-", "-o", str(path), "--minutes", f"{minutes:f}"], source)
        return path.name

    def resume(self, name: str) -> None:
        path = self.path(name)
        with self._starting:
            self._check_free()
            self._begin(path, ["--resume", str(path)], None)

    def stop(self, name: str) -> None:
        """Ask a run to save and end. Raises `RefusalError` where it cannot be asked."""
        path = self.path(name)
        if self._is_child(path):
            self._terminate_child()
            return
        other = holder(path)
        if other is None:
            return
        if other.pid == os.getpid() or not is_held_by(other.pid, path):
            raise RefusalError(
                409,
                f"{name} was started elsewhere, as process {other.pid}. Stop it there.",
            )
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(other.pid, signal.SIGTERM)

    def close(self) -> None:
        """Stop the run that was started here, and wait until it has saved."""
        if self._child is not None and self._is_running():
            self._terminate_child()
            self._child.process.wait(_STOP_SECONDS)

    def listed(self) -> list[RunLine]:
        return [
            {"name": name, "state": self._looked_at(path)[0]} for name, path in self.paths().items()
        ]

    def described(self, name: str) -> RunDescription:
        path = self.path(name)
        state, said, metrics = self._looked_at(path)
        return {
            "name": name,
            "state": state,
            "said": said,
            "has_model": RunFolder(path).model.exists(),
            "metrics": metrics,
            "samples": read_samples(path, _MAX_SAMPLES),
        }

    def _check_free(self) -> None:
        for name, path in self.paths().items():
            if self._is_child(path) or holder(path):
                raise RefusalError(
                    409, f"{name} is being trained already. Stop it first.", code="busy"
                )

    def _begin(self, path: Path, args: list[str], source: IO[bytes] | None) -> None:
        said = tempfile.TemporaryFile()  # noqa: SIM115 - it is read while the child lives
        process = subprocess.Popen(
            [*python_command(), "-m", "burble", "train", *args],
            stdin=source or subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**python_environment(), WITHOUT_FLAGS: "1"},
            # Ctrl-C is for the server, which then stops the run.
            start_new_session=True,
        )
        self._child = _Child(path, process, said)

    def _is_running(self) -> bool:
        return self._child is not None and self._child.process.poll() is None

    def _is_child(self, path: Path) -> bool:
        return self._is_running() and self._child is not None and self._child.path == path

    def _terminate_child(self) -> None:
        if self._child is not None:
            self._child.process.send_signal(signal.SIGTERM)

    def _looked_at(self, path: Path) -> tuple[RunState, str, list[StepMetrics | ValidationMetrics]]:
        try:
            metrics = read_thinned(path, _MAX_POINTS)
        except UsageError as error:
            return "failed", str(error), []
        if holder(path):
            return "running", "", metrics
        if self._child and self._child.path == path:
            state = self._child.state()
            return state, self._child.last_word() if state == "failed" else "", metrics
        is_done = metrics and metrics[-1].progress >= 1
        return "done" if is_done else "stopped", "", metrics


def _age(path: Path) -> float:
    """Return how old it is, compared with others; what is gone is oldest."""
    try:
        return -path.stat().st_mtime
    except OSError:
        return float("inf")
