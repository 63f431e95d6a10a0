r"""The one rule for texts that are typed on one line: `\n` is a line break, `\t` a tab, `\\` a
backslash; any other backslash is one. Text from files, standard input and JSON is taken as it is.
"""

import re

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}


def read_escapes(text: str) -> str:
    """Return what was meant by a text that was typed on one line."""
    return re.sub(r"\\([nt\\])", lambda match: _ESCAPES[match[1]], text)
