"""Colours for values in a terminal."""

import math

from rich.style import Style

# Dark letters are legible on each of these, in a light and in a dark terminal.
_ZERO, _POSITIVE, _NEGATIVE = (240, 240, 236), (240, 140, 40), (90, 165, 225)


def shade(share: float) -> Style:
    """Return the style for a value from -1 (blue) through 0 (white) to 1 (orange).

    NaN has no background.
    """
    if math.isnan(share):
        return Style(dim=True)
    end = _POSITIVE if share >= 0 else _NEGATIVE
    mixed = (round(a + (b - a) * abs(share)) for a, b in zip(_ZERO, end, strict=True))
    return Style(color="rgb(20,20,20)", bgcolor="rgb({},{},{})".format(*mixed))
