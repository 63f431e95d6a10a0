"""What files are called, as text that can be sent and typed."""

import os


def readable(name: str) -> str:
    r"""The name of a file; what in it is no UTF-8, as \xff."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
