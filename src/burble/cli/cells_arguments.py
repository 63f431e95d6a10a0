"""Parse the options of `burble cells`: units to hold, and a marked span of text."""

import re
from dataclasses import dataclass
from typing import Self

from burble.engine.clamping import Clamp
from burble.errors import UsageError

_HOLD = re.compile(r"(\d+):(\d+)(?:=(.+))?")
_MARKED = re.compile(r"(.*)\[\[(.+)\]\].*", re.DOTALL)


@dataclass(frozen=True)
class WantedHold:
    """A unit to hold at a value; None is the unit's mean."""

    layer: int
    unit: int
    value: float | None

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _HOLD.fullmatch(text)
        try:
            value = float(match[3]) if match and match[3] else None
        except ValueError:
            match = None
        if match is None or (value is not None and not -1 <= value <= 1):
            raise UsageError(
                "--ablate must be LAYER:UNIT or LAYER:UNIT=VALUE, the value between -1 and 1, such "
                f"as 0:17=0; found {text!r}."
            )
        return cls(int(match[1]), int(match[2]), value)

    def at(self, mean: float) -> Clamp:
        return Clamp(self.layer, self.unit, mean if self.value is None else self.value)


@dataclass(frozen=True)
class MarkedSpan:
    """A span of text and the text before it."""

    before: str
    span: str

    @classmethod
    def parse(cls, text: str) -> Self:
        match = _MARKED.fullmatch(text)
        if match is None or "[[" in match[1] or "]]" in match[2]:
            raise UsageError(
                "--like must mark one span in double brackets, such as 'once upon a [[time]]'; "
                f"found {text!r}."
            )
        return cls(match[1], match[2])
