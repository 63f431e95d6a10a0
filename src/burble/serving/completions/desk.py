"""Who may come in to have a text written."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from burble.serving.completions.scheduler import Scheduler
from burble.serving.http.errors import RefusalError, busy, closing
from burble.serving.http.limits import Limits
from burble.serving.http.metrics import Metrics
from burble.serving.http.room import FullError, Place, Room

COMPLETIONS = "/v1/completions"
INSPECT = "/burble/inspect"

# Reports that are waited for, made and sent at once. One may have 20 MB.
_MAX_REPORTS = 8

# Texts of one request that are few. Who asks for more leaves a share of the seats free, so that a
# few clients with many texts each do not keep out everybody else.
_FEW = 4
_LEFT_TO_FEW = 0.25

_SEATS = "burble.seats"
_KEPT = "burble.kept"


class Desk:
    def __init__(self, scheduler: Scheduler, limits: Limits, metrics: Metrics) -> None:
        self.scheduler = scheduler
        self.limits = limits
        self.metrics = metrics
        self.closing = False
        self.texts = Room(limits.streams + limits.waiting)  # texts asked for and not answered yet
        self.kept = Room(limits.max_kept)  # bytes of log-probabilities sent in one piece
        self.reports = Room(_MAX_REPORTS)

    def seat(self, scope: Scope, count: int) -> None:
        place, size = scope[_SEATS], self.texts.size
        total = place.count + count
        left = int(_LEFT_TO_FEW * size) if total > _FEW else 0
        self._take(self.texts, place, count, left=max(0, min(left, size - total)))

    def keep(self, scope: Scope, num_bytes: int) -> None:
        self._take(self.kept, scope[_KEPT], num_bytes)

    def _take(self, room: Room, place: Place, count: int, left: int = 0) -> None:
        if self.closing:
            raise closing()
        try:
            room.take(place, count, left)
        except FullError:
            raise self.full() from None

    def full(self) -> RefusalError:
        return busy(f"{self.texts.held} texts are being written or wait already. Come back soon.")


class Door:
    """Reject requests with 429 before FastAPI; let others in one by one, a turn of the looeach."""

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk
        self._threshold = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["type"] == "http" and scope["path"] == COMPLETIONS:
                await self._write(scope, receive, send)
            elif scope["type"] == "http" and scope["path"] == INSPECT:
                await self._report(scope, receive, send)
            else:
                await self._app(scope, receive, send)
        except RefusalError as refusal:
            await refusal.response()(scope, receive, send)

    async def _write(self, scope: Scope, receive: Receive, send: Send) -> None:
        desk = self._desk
        with desk.texts.place(scope) as seats, desk.kept.place(scope) as kept:
            scope[_SEATS], scope[_KEPT] = seats, kept
            desk.seat(scope, 1)
            async with self._threshold:
                await asyncio.sleep(0)
            await self._app(scope, receive, send)

    async def _report(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._desk.reports.place(scope) as place:
            try:
                self._desk.reports.take(place, 1)
            except FullError:
                raise busy("Too many reports are being made. Come back soon.") from None
            await self._app(scope, receive, send)
