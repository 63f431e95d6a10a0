"""The preloaded library that counts calls and lets one of them fail."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

KILL = -1

SOURCE = Path(__file__).with_name("shim.c")


class Calls(IntFlag):
    """Kinds of calls, with the numbers that shim.c gives them."""

    OPEN = 1
    WRITE = 2
    FSYNC = 4
    RENAME = 8
    MKDIR = 16
    UNLINK = 32
    TRUNCATE = 64
    READ = 128
    STAT = 256
    LIST = 512
    LOCK = 1024
    MAP = 2048


CHANGES = (
    Calls.OPEN
    | Calls.WRITE
    | Calls.FSYNC
    | Calls.RENAME
    | Calls.MKDIR
    | Calls.UNLINK
    | Calls.TRUNCATE
)
LOOKS = Calls.READ | Calls.STAT | Calls.LIST | Calls.LOCK | Calls.MAP


@dataclass(frozen=True)
class Strike:
    """Which call of which kinds fails, and how; `nth` 0 only counts."""

    kinds: Calls
    nth: int = 0
    error: int = 0


def compiler() -> str | None:
    return shutil.which("cc")


def build(folder: Path) -> Path:
    library = folder / "shim.so"
    compile_c = [compiler() or "cc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*compile_c, "-o", library, SOURCE, "-ldl"], check=True)
    return library


def start_over_preloaded(folder: Path, module: str) -> None:
    """Run this process's module again with the library preloaded; return where it is already."""
    if "BURBLE_FAULTS" in os.environ:
        return
    environment = {
        **os.environ,
        "LD_PRELOAD": str(build(folder)),
        "BURBLE_FAULTS": str(folder),
        # A process that has threads must not be forked.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
    }
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)  # noqa: S606 - no shell is wanted


def arm(root: Path, strike: Strike, log: int) -> None:
    """Let the library count this process's calls under `root`, and fail one of them."""
    ctypes.CDLL(None).burble_fault_arm(
        os.fsencode(root), int(strike.kinds), ctypes.c_long(strike.nth), strike.error, log
    )
