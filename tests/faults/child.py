"""One case in a forked child: what it is, how it ended, which calls it made."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.faults.shim import Strike, arm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Ended:
    """How a child ended. code: its exit code, or minus the signal that killed it."""

    code: int
    stdout: str
    stderr: str
    calls: tuple[str, ...]

    @property
    def is_stuck(self) -> bool:
        return self.code == -signal.SIGALRM


class Child:
    """A forked process that runs `act` in `folder`. label: its own, where two run at once."""

    def __init__(
        self,
        act: Callable[[], object],
        folder: Path,
        strike: Strike | None = None,
        label: str = "",
    ) -> None:
        self._records = folder.with_name(f"{folder.name}.records{label}")
        self._records.mkdir(exist_ok=True)
        self.process = os.fork()
        if self.process == 0:
            self._run(act, folder, strike)

    def _run(self, act: Callable[[], object], folder: Path, strike: Strike | None) -> None:
        """In the child; never returns."""
        code = 1
        try:
            signal.alarm(PATIENCE_SECONDS)
            self._redirect()
            os.chdir(folder)
            set_surroundings(folder)
            if strike is not None:
                log = os.open(self._records / "calls", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                arm(folder, strike, log)
            act()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:  # noqa: BLE001 - whatever it is, the parent must hear of it
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _redirect(self) -> None:
        for number, name in ((0, os.devnull), (1, "stdout"), (2, "stderr")):
            path = self._records / name
            opened = os.open(path, os.O_RDWR | os.O_CREAT | (os.O_TRUNC if number else 0))
            os.dup2(opened, number)
            os.close(opened)
        (self._records / "calls").unlink(missing_ok=True)

    def kill_after(self, seconds: float) -> Ended:
        time.sleep(seconds)
        os.kill(self.process, signal.SIGKILL)  # not reaped yet, so the number is still its own
        return self.wait()

    def wait(self) -> Ended:
        _, status = os.waitpid(self.process, 0)
        code = os.waitstatus_to_exitcode(status)
        stdout, stderr, calls = (self._read(name) for name in ("stdout", "stderr", "calls"))
        return Ended(code, stdout, stderr, tuple(calls.splitlines()))

    def _read(self, name: str) -> str:
        path = self._records / name
        return path.read_text("utf-8", "replace") if path.exists() else ""


def set_surroundings(folder: Path) -> None:
    """Put temporary files and fetched texts under `folder`, too."""
    os.environ["TMPDIR"] = str(folder / "tmp")
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    tempfile.tempdir = None


def run(act: Callable[[], object], folder: Path, strike: Strike | None = None) -> Ended:
    return Child(act, folder, strike).wait()


def burble(*args: str) -> None:
    from burble.cli.main import main

    main(list(args))
