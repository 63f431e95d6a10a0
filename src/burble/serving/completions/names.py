"""File names as text that can be sent and typed."""

import os


def readable(name: str) -> str:
    r"""Return a file name as text, with bytes that are not UTF-8 as \xff."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
