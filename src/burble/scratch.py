"""Temporary folders."""

import tempfile
from pathlib import Path

from burble.system_errors import guard_write


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a temporary folder, removed at the end of its `with` block.

    Raises `ResourceError` or `UsageError`.
    """
    with guard_write(Path(tempfile.gettempdir()), "Set TMPDIR to a folder that can be written."):
        return tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True)
