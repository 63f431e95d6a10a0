"""The version that every saved file carries, and the upgrade of older versions."""

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
    """The file was written by another version of burble, which this one cannot read."""

    def __init__(self, problem: str, advice: str = _NEWER) -> None:
        super().__init__(problem)
        self.advice = advice


def advise(error: Exception, broken: str) -> str:
    """Return the advice of a `VersionError`; for any other error, `broken`."""
    return error.advice if isinstance(error, VersionError) else broken


@dataclass(frozen=True)
class SavedFormat:
    """The current version of a saved file, and the upgrades of the older ones it still reads."""

    version: int
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    """For each older version, a function that turns its description into the next version's."""

    def mark(self, described: Mapping[str, Any]) -> Described:
        return {KEY: self.version, **described}

    def upgrade(self, described: Mapping[str, Any]) -> Described:
        """Return `described` in the current version, without its version number.

        Raises `VersionError` for a version that cannot be read, `ValueError` for none.
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
