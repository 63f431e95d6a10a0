"""Make text safe to show: nothing in it can control the terminal or reorder a line."""

import unicodedata

_KEPT = {"\n", "\t"}
_PICTURES = {" ": "␣", "\n": "⏎", "\t": "⇥"}


def printable(text: str) -> str:
    """Replace control characters by visible symbols, so that none can control the terminal."""
    if text.isprintable():
        return text
    return "".join(map(_replace_control, text))


def _replace_control(character: str) -> str:
    kind = unicodedata.category(character)
    if character in _KEPT or kind not in {"Cc", "Cf"}:
        return character
    point = ord(character)
    if point < 0x20:
        return chr(0x2400 + point)
    # Joiners belong to words and emoji. The other format characters can reverse the text.
    return character if character in "\u200c\u200d" else "\ufffd"


def label(text: str) -> str:
    """Make every character of `text` visible: blanks as symbols, invisible ones as code points."""
    return "".join(map(_label_character, text))


def _label_character(character: str) -> str:
    if character in _PICTURES:
        return _PICTURES[character]
    if not character.isprintable():
        return f"U+{ord(character):04X}"
    return f"◌{character}" if unicodedata.combining(character) else character
