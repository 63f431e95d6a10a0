"""What goes to the terminal, and how."""

import sys

from burble.text.printable import printable


def write_out(text: str) -> None:
    """Write to standard output: at once and made safe on a terminal, as it is elsewhere."""
    if sys.stdout.isatty():
        sys.stdout.write(printable(text))
        sys.stdout.flush()
    else:
        sys.stdout.write(text)


def print_message(message: str) -> None:
    sys.stderr.write(f"{message}\n")
