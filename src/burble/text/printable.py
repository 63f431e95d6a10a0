"""Text that can do nothing where it is shown: to a terminal, to the line it stands in."""

import unicodedata

_KEPT = {"\n", "\t"}
_PICTURES = {" ": "␣", "\n": "⏎", "\t": "⇥"}


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


def label(text: str) -> str:
    """`text` as one can point at it: blanks as pictures, what has no shape as its code point."""
    return "".join(map(_label, text))


def _label(character: str) -> str:
    if character in _PICTURES:
        return _PICTURES[character]
    if not character.isprintable():
        return f"U+{ord(character):04X}"
    return f"◌{character}" if unicodedata.combining(character) else character
