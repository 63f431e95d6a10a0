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
    """What is written today, and what is still read.

    A new optional field needs no new version: a reader that does not know it leaves it out, and one
    that misses it takes its default. A field that changes what the others mean does need one.
    """

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
