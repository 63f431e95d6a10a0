"""The version that every saved file carries, and the way from an older one to today's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from burble.errors import brief

KEY = "format_version"

Described = dict[str, Any]
Upgrade = Callable[[Described], Described]


class VersionError(ValueError):
    """A version that is not read."""


@dataclass(frozen=True)
class SavedFormat:
    """The version that is written today, and the ways to it from those that are still read."""

    version: int
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    """By the version it starts from: what turns a description into one of the next version."""

    def mark(self, described: Mapping[str, Any]) -> Described:
        return {KEY: self.version, **described}

    def upgrade(self, described: Mapping[str, Any]) -> Described:
        """Return `described` as today's and without its version. Raises `VersionError`."""
        rest = dict(described)
        found = rest.pop(KEY, None)
        if type(found) is not int or found not in {*self.upgrades, self.version}:
            readable = ", ".join(map(str, sorted({*self.upgrades, self.version})))
            raise VersionError(
                f"it has format {brief(repr(found))}; this burble reads format {readable}"
            )
        for version in range(found, self.version):
            rest = self.upgrades[version](rest)
        return rest
