"""A folder for what is needed for a moment."""

import tempfile
from pathlib import Path

from burble.system_errors import guard_write


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder that is removed when it is left. Raises `ResourceError` or `UsageError`."""
    with guard_write(Path(tempfile.gettempdir()), "Set TMPDIR to a folder that can be written."):
        return tempfile.TemporaryDirectory(prefix="burble-", ignore_cleanup_errors=True)
