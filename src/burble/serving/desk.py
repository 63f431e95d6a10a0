"""Who may come in to have a text written."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from burble.serving.errors import RefusalError, busy, closing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from burble.serving.limits import Limits
    from burble.serving.metrics import Metrics
    from burble.serving.scheduler import Scheduler

COMPLETIONS = "/v1/completions"


@dataclass
class Desk:
    """Where requests are taken: who may come in, and who writes."""

    scheduler: Scheduler
    limits: Limits
    metrics: Metrics
    closing: bool = False
    held: int = 0
    """Texts asked for and not answered yet."""

    def require_room(self, count: int) -> None:
        """Raise `RefusalError` where `count` more texts are too many."""
        if self.closing:
            raise closing()
        if self.held + count > self.limits.streams + self.limits.waiting:
            raise busy(f"{self.held} texts are being written or wait already. Come back soon.")

    @contextmanager
    def seats(self, count: int) -> Iterator[None]:
        """Room for `count` texts. Raises `RefusalError` where there is none."""
        self.require_room(count)
        self.held += count
        try:
            yield
        finally:
            self.held -= count


class Door:
    """Lets who asks for a text in while there is a seat, before anything else is done about it.

    To be refused takes a small part of the time that a request takes. Those who are let in come
    through one by one, a turn of the loop for each, so that whoever is refused meanwhile hears of
    it at once.
    """

    def __init__(self, app: ASGIApp, desk: Desk) -> None:
        self._app = app
        self._desk = desk
        self._threshold = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry out one request."""
        if scope["type"] != "http" or scope["path"] != COMPLETIONS:
            await self._app(scope, receive, send)
            return
        try:
            with self._desk.seats(1):
                async with self._threshold:
                    await asyncio.sleep(0)
                await self._app(scope, receive, send)
        except RefusalError as refusal:
            await refusal.response()(scope, receive, send)
