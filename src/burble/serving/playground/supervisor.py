"""Training for the page: each run is a child process, so that the server can answer meanwhile.

A run whose lock is not ours belongs to someone else: a person at the command line, or a server that
was killed. It is listed and can be stopped, but it is left alone when this server ends.
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
from burble.run_folder.lock import find_holder, is_held_by
from burble.run_folder.log import read_samples
from burble.run_folder.metrics import StepMetrics, ValidationMetrics, read_thinned
from burble.serving.completions.names import readable
from burble.serving.completions.responses import RunDescription, RunLine, RunState
from burble.serving.http.errors import RefusalError
from burble.stop_signals import STOP_SIGNALS

# What the page gets of a long run.
_MAX_POINTS = 400
_MAX_SAMPLES = 6000
_MAX_SAID = 2000

# A child saves before it stops.
_STOP_SECONDS = 60

_STOPPED = {128 + number for number in STOP_SIGNALS}


@dataclass
class _Child:
    """A `burble train` that this server started, and its stderr."""

    path: Path
    process: subprocess.Popen[bytes]
    stderr: IO[bytes]

    def state(self) -> RunState:
        code = self.process.poll()
        if code is None:
            return "running"
        if code not in {0, *_STOPPED}:
            return "failed"
        return "stopped" if code else "done"

    def last_line(self) -> str:
        self.stderr.seek(0)
        lines = self.stderr.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].removeprefix("burble: ")[:_MAX_SAID] if lines else ""


class Supervisor:
    """The runs in one folder. A client's name for a run is only looked up, never used as a path."""

    def __init__(self, folder: Path) -> None:
        if folder.exists() and not folder.is_dir():
            raise UsageError(
                f"{folder} is not a folder. Name a folder for the runs; a new one is made."
            )
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
        """Return a run's folder. Raises `RefusalError` if no run has this name."""
        path = self.paths().get(name)
        if path is None:
            raise RefusalError(
                404, f"There is no run {name[:100]!r}. Choose one of the list.", param="name"
            )
        return path

    def start(self, text: str, minutes: float) -> str:
        """Start to learn from `text`; return the name of the run."""
        with self._starting, tempfile.TemporaryFile() as source:
            self._check_free()
            # The child makes the folder, and removes it again if there is nothing to keep.
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
        """Ask a run to save and stop. Raises `RefusalError` if it cannot be reached."""
        path = self.path(name)
        if self._is_child(path):
            self._terminate_child()
            return
        other = find_holder(path)
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
        """Stop the run that this server started, and wait until it has saved."""
        if self._child is not None and self._is_running():
            self._terminate_child()
            self._child.process.wait(_STOP_SECONDS)

    def list_runs(self) -> list[RunLine]:
        return [
            {"name": name, "state": self._read_state(path)[0]}
            for name, path in self.paths().items()
        ]

    def describe(self, name: str) -> RunDescription:
        path = self.path(name)
        state, said, metrics = self._read_state(path)
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
            if self._is_child(path) or find_holder(path):
                raise RefusalError(
                    409, f"{name} is being trained already. Stop it first.", code="busy"
                )

    def _begin(self, path: Path, args: list[str], source: IO[bytes] | None) -> None:
        stderr = tempfile.TemporaryFile()  # noqa: SIM115 - read while the child runs
        process = subprocess.Popen(
            [*python_command(), "-m", "burble", "train", *args],
            stdin=source or subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={**python_environment(), WITHOUT_FLAGS: "1"},
            # Ctrl-C is for the server, which then stops the run.
            start_new_session=True,
        )
        self._child = _Child(path, process, stderr)

    def _is_running(self) -> bool:
        return self._child is not None and self._child.process.poll() is None

    def _is_child(self, path: Path) -> bool:
        return self._is_running() and self._child is not None and self._child.path == path

    def _terminate_child(self) -> None:
        if self._child is not None:
            self._child.process.send_signal(signal.SIGTERM)

    def _read_state(
        self, path: Path
    ) -> tuple[RunState, str, list[StepMetrics | ValidationMetrics]]:
        try:
            metrics = read_thinned(path, _MAX_POINTS)
        except UsageError as error:
            return "failed", str(error), []
        if find_holder(path):
            return "running", "", metrics
        if self._child and self._child.path == path:
            state = self._child.state()
            return state, self._child.last_line() if state == "failed" else "", metrics
        is_done = metrics and metrics[-1].progress >= 1
        return "done" if is_done else "stopped", "", metrics


def _age(path: Path) -> float:
    """Return a key that sorts by age; a folder that is gone is oldest."""
    try:
        return -path.stat().st_mtime
    except OSError:
        return float("inf")
