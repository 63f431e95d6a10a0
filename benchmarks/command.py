"""Run burble's command line, for benchmarks that measure what a user gets."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any


def burble(*args: str) -> dict[str, Any]:
    """Run a command of burble with --json and return its report. On failure, show its stderr."""
    command = [sys.executable, "-m", "burble", *args, "--json"]
    done = subprocess.run(command, check=False, capture_output=True)
    sys.stderr.buffer.write(done.stderr if done.returncode else b"")
    done.check_returncode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found
