"""Programs that replay what NumPy computed: how they are built and run.

A file is a number of cases and then one block after the other, each after its size in bytes.
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]

SANITIZE = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
VALGRIND = ("valgrind", "--error-exitcode=9", "-q", "--leak-check=full")


def settings() -> dict[str, Any]:
    """How pyproject.toml has the library built."""
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (module,) = pyproject["tool"]["setuptools"]["ext-modules"]
    return dict(module)


def compile_replay(
    program: Path,
    part: str,
    target: Path,
    *flags: str,
    compiler: str = "cc",
    without: Sequence[str] = (),
) -> Path:
    """Build a program with this part of the package's sources, and with the package's flags, then
    these; `without` some of the package's.
    """
    module = settings()
    package_flags = [flag for flag in module["extra-compile-args"] if flag not in without]
    sources = [
        ROOT / source for source in module["sources"] if source.startswith(f"src/burble/{part}")
    ]
    include = (ROOT / module["depends"][0]).parent
    libraries = [f"-l{name}" for name in module["libraries"]]
    subprocess.run(
        [
            *(compiler, "-Wall", "-Wextra", "-Werror", *package_flags, *flags, f"-I{include}"),
            *(program, *sources, "-o", target, *libraries),
        ],
        check=True,
    )
    return target


@dataclass(frozen=True)
class Cases:
    """A file for a program that replays it, and room beside it to build that."""

    file: Path
    count: int
    program: Path
    """Its source."""

    part: str = ""
    """Where the sources are that it needs, in `src/burble/`; all of them where empty."""

    def build(self, name: str, *flags: str, **options: object) -> Path:
        target = self.file.with_name(name)
        return compile_replay(self.program, self.part, target, *flags, **options)  # type: ignore[arg-type]

    def replay(self, *command: str | Path, most: int | None = None) -> str:
        """Run the program, and require that it found no difference; what it printed."""
        result = self.run(*command, most=most)
        assert result.returncode == 0, result.stdout + result.stderr
        kernels, count = result.stdout.splitlines()
        assert count == f"cases: {min(most or self.count, self.count)}"
        return kernels.removeprefix("kernels: ")

    def run(
        self, *command: str | Path, most: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, self.file, *([] if most is None else [str(most)])],
            capture_output=True,
            text=True,
            check=False,
        )


def require(*tools: str) -> str:
    """The first of the tools that is there; the test skips where none is."""
    for tool in tools:
        if shutil.which(tool):
            return tool
    pytest.skip(f"{' or '.join(tools)} is not installed")
