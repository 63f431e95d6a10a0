"""The colours in which a terminal shows values."""

import math

from rich.style import Style

# Dark letters are legible on each of these, in a light terminal and in a dark one.
_NOTHING, _MUCH, _LITTLE = (240, 240, 236), (240, 140, 40), (90, 165, 225)


def shade(share: float) -> Style:
    """Return the background of a share: from nothing, 0, to much, 1, or to its opposite, -1."""
    if math.isnan(share):
        return Style(dim=True)
    end = _MUCH if share >= 0 else _LITTLE
    mixed = (round(a + (b - a) * abs(share)) for a, b in zip(_NOTHING, end, strict=True))
    return Style(color="rgb(20,20,20)", bgcolor="rgb({},{},{})".format(*mixed))
