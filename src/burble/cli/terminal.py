"""What a terminal may be sent, and whether there is one."""

from __future__ import annotations

import sys
import unicodedata

_KEPT = {"\n", "\t"}


def printable(text: str) -> str:
    """`text` with control characters shown as pictures, so that none can steer the terminal."""
    if text.isprintable():
        return text
    return "".join(map(_picture, text))


def _picture(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _KEPT or kind not in {"Cc", "Cf"}:
        return character
    point = ord(character)
    if point < 0x20:
        return chr(0x2400 + point)
    # Joiners are part of words and emoji; the other format characters turn text around.
    return character if character in "\u200c\u200d" else "\ufffd"


def write_out(text: str) -> None:
    """Write to standard output: at once and made safe on a terminal, as it is elsewhere."""
    if sys.stdout.isatty():
        sys.stdout.write(printable(text))
        sys.stdout.flush()
    else:
        sys.stdout.write(text)


def tell(message: str) -> None:
    """A line of talk, on standard error."""
    sys.stderr.write(f"{message}\n")
