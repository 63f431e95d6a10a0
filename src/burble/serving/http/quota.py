"""`Quota`: a fixed amount of something, shared by all clients."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Scope

READER = "burble.reader"  # the key in a request's scope of the connection that its answer goes to

# A client that has read nothing for this long is disconnected when another needs its share.
_GRACE_SECONDS = 10.0


class Reader(Protocol):
    """The connection that an answer goes to."""

    @property
    def stalled_seconds(self) -> float:
        """Seconds for which the client has read almost nothing of what was sent to it."""

    def abort(self) -> None:
        """Close the connection at once."""


class FullError(Exception):
    """The quota is used up."""


@dataclass(eq=False)
class Share:
    """What one request uses of a quota."""

    reader: Reader | None
    count: int = 0


class Quota:
    def __init__(self, size: int) -> None:
        self.size = size
        self.used = 0
        self._shares: set[Share] = set()

    @contextmanager
    def share(self, scope: Scope, count: int = 0) -> Iterator[Share]:
        """Use `count` until the request ends. Raises `FullError`."""
        share = Share(scope.get(READER))
        self._shares.add(share)
        try:
            self.take(share, count)
            yield share
        finally:
            self._free(share)

    def take(self, share: Share, count: int, spare: int = 0) -> None:
        """Use `count` more and leave `spare` for others. Raises `FullError`."""
        self._evict_stalled(count + spare)
        if self.used + count + spare > self.size:
            raise FullError
        # A share that was evicted meanwhile stays empty: its client is disconnected.
        if share in self._shares:
            share.count += count
            self.used += count

    def _evict_stalled(self, count: int) -> None:
        if self.used + count <= self.size:
            return
        stalled = [(_stalled(share), share) for share in self._shares if share.count]
        for seconds, share in sorted(stalled, key=lambda pair: -pair[0]):
            if seconds < _GRACE_SECONDS or self.used + count <= self.size:
                return
            self._free(share)
            if share.reader is not None:
                share.reader.abort()

    def _free(self, share: Share) -> None:
        if share in self._shares:
            self._shares.remove(share)
            self.used -= share.count


def _stalled(share: Share) -> float:
    return 0.0 if share.reader is None else share.reader.stalled_seconds
