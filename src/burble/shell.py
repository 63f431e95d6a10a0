"""Quote commands so that a person can paste them into a shell."""

import os
import shlex


def burble_line(*words: str | os.PathLike[str]) -> str:
    """Return the command `burble WORDS…`, quoted for a shell and on one line."""
    return " ".join(["burble", *map(_quote, words)])


def _quote(word: str | os.PathLike[str]) -> str:
    text = os.fspath(word)
    if text.isprintable():
        return shlex.quote(text)
    # A line break would end the command, and control characters steer the terminal. bash, zsh and
    # ksh read $'…'.
    return "$'" + "".join(map(_escape, text)) + "'"


def _escape(character: str) -> str:
    if character in "'\\":
        return f"\\{character}"
    if character.isprintable():
        return character
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(character))
