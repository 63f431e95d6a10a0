"""Running the command line as a user does."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from burble.cli.main import run


def burble(
    *args: str | Path, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run `burble ARGS` in this process, which has what they import; the result has returncode,
    stdout and stderr, in bytes.
    """
    words = list(map(str, args))
    streams = {name: io.BytesIO() for name in ("stdout", "stderr")}
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, content in {**streams, "stdin": io.BytesIO(stdin)}.items():
            patch.setattr(sys, name, io.TextIOWrapper(content, "utf-8", newline="\n"))
        patch.chdir(cwd or Path.cwd())
        code = run(words)
        sys.stderr.flush()
        told = {name: content.getvalue() for name, content in streams.items()}
    return subprocess.CompletedProcess(words, code, **told)


def succeed(*args: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run `burble ARGS` as `burble` does; it must succeed."""
    result = burble(*args, **options)
    assert result.returncode == 0, said(result)
    return result


def burble_process(
    *args: str | Path, stdin: bytes = b"", cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    """Run `burble ARGS` in a process of its own, with other variables in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "burble", *map(str, args)],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **environment},
        check=False,
        timeout=240,
    )


def in_terminal(*args: str | Path, **environment: str) -> str:
    """What `burble ARGS` shows on a terminal of 100 columns that knows colours; it must succeed."""
    import pty

    ours, theirs = pty.openpty()
    shown = b""
    settings = {"TERM": "xterm-256color", "COLUMNS": "100", **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "burble", *map(str, args)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, **settings},
    ) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # Linux's way to say that nobody writes any more
            while piece := os.read(ours, 1 << 16):
                shown += piece
        os.close(ours)
    assert process.returncode == 0
    return shown.decode()


def burble_json(*args: str | Path, **options: Any) -> Any:
    """What `burble ARGS --json` tells; it must succeed."""
    return json.loads(succeed(*args, "--json", **options).stdout)


def said(result: subprocess.CompletedProcess[bytes]) -> str:
    return result.stderr.decode()


def assert_refused(result: subprocess.CompletedProcess[bytes], code: int, *words: str) -> None:
    """One clear message, the right exit code, nothing on standard output."""
    told = said(result)
    assert result.returncode == code, told
    assert "Traceback" not in told
    assert result.stdout == b""
    for word in words:
        assert word in told
