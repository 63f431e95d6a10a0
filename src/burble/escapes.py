r"""Escapes in texts that are typed on one line: `\n` is a line break, `\t` a tab, `\\` a backslash.

Any other backslash stays. Text from files, standard input and JSON has no escapes.
"""

import re

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}


def read_escapes(text: str) -> str:
    r"""Return `text` with its escapes replaced, `\n` by a line break and so on."""
    return re.sub(r"\\([nt\\])", lambda match: _ESCAPES[match[1]], text)
