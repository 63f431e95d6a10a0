"""The version that every saved file carries, and the way from an older one to today's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from burble.errors import brief

KEY = "format_version"

_NEWER = "Install a newer burble."
_OLDER = "Use the burble that wrote it."

Described = dict[str, Any]
Upgrade = Callable[[Described], Described]


class VersionError(ValueError):
    """What a burble of another version wrote, and this one cannot read."""

    def __init__(self, problem: str, advice: str = _NEWER) -> None:
        super().__init__(problem)
        self.advice = advice


def advise(error: Exception, broken: str) -> str:
    """Return what to do about a file that is of another version, or else `broken`."""
    return error.advice if isinstance(error, VersionError) else broken


@dataclass(frozen=True)
class SavedFormat:
    """The version that is written today, and the ways to it from those that are still read."""

    version: int
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    """By the version it starts from: what turns a description into one of the next version."""

    def mark(self, described: Mapping[str, Any]) -> Described:
        return {KEY: self.version, **described}

    def upgrade(self, described: Mapping[str, Any]) -> Described:
        """Return `described` as today's and without its version. Raises `VersionError`, and
        `ValueError` where it has none.
        """
        rest = dict(described)
        found = rest.pop(KEY, None)
        if type(found) is not int or found not in {*self.upgrades, self.version}:
            readable = ", ".join(map(str, sorted({*self.upgrades, self.version})))
            problem = (
                f"it has format {brief(repr(found)[:40])}; this burble reads format {readable}"
            )
            if type(found) is not int:
                raise ValueError(problem)
            raise VersionError(problem, _NEWER if found > self.version else _OLDER)
        for version in range(found, self.version):
            rest = self.upgrades[version](rest)
        return rest
