"""Write results to standard output and messages to standard error."""

import sys

from burble.text.printable import printable


def write_out(text: str) -> None:
    """Write text to standard output. On a terminal, replace control characters and flush."""
    if sys.stdout.isatty():
        sys.stdout.write(printable(text))
        sys.stdout.flush()
    else:
        sys.stdout.write(text)


def print_message(message: str) -> None:
    sys.stderr.write(f"{message}\n")
