"""`Room`: so much of something for all clients together, and who holds how much of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Scope

READER = "burble.reader"  # the key in a request's scope of the connection that its answer goes to

# A client that reads nothing for so long makes way for another that asks.
_GRACE_SECONDS = 10.0


class Reader(Protocol):
    """The connection that an answer goes to."""

    @property
    def stalled_seconds(self) -> float:
        """How long the client has taken next to nothing of what waits for it."""

    def abort(self) -> None:
        """Disconnect at once."""


class FullError(Exception):
    """There is no room left."""


@dataclass(eq=False)
class Place:
    reader: Reader | None
    count: int = 0


class Room:
    def __init__(self, size: int) -> None:
        self.size = size
        self.held = 0
        self._places: set[Place] = set()

    @contextmanager
    def place(self, scope: Scope, count: int = 0) -> Iterator[Place]:
        """Hold `count` until the end of the request. Raises `FullError`."""
        place = Place(scope.get(READER))
        self._places.add(place)
        try:
            self.take(place, count)
            yield place
        finally:
            self._free(place)

    def take(self, place: Place, count: int, left: int = 0) -> None:
        """Hold `count` more, and leave `left` free for others. Raises `FullError`."""
        self._make_way(count + left)
        if self.held + count + left > self.size:
            raise FullError
        # A place that has made way itself holds nothing: its client is disconnected.
        if place in self._places:
            place.count += count
            self.held += count

    def _make_way(self, count: int) -> None:
        if self.held + count <= self.size:
            return
        stalled = [(_stalled(place), place) for place in self._places if place.count]
        for seconds, place in sorted(stalled, key=lambda pair: -pair[0]):
            if seconds < _GRACE_SECONDS or self.held + count <= self.size:
                return
            self._free(place)
            if place.reader is not None:
                place.reader.abort()

    def _free(self, place: Place) -> None:
        if place in self._places:
            self._places.remove(place)
            self.held -= place.count


def _stalled(place: Place) -> float:
    return 0.0 if place.reader is None else place.reader.stalled_seconds
