"""Admission control: reject requests that the server has no room for, before they cost anything."""

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send

from burble.serving.completions.scheduler import Scheduler
from burble.serving.http.errors import RefusalError, busy, closing
from burble.serving.http.limits import Limits
from burble.serving.http.metrics import Metrics
from burble.serving.http.quota import FullError, Quota, Share

COMPLETIONS = "/v1/completions"
INSPECT = "/burble/inspect"

# Reports in progress: queued, being made, or being sent. One can be 20 MB.
_MAX_REPORTS = 8

# A request for more texts than this must leave a quarter of the slots free, so that a few clients
# with many texts each cannot lock out everyone else.
_FEW = 4
_RESERVED_FOR_FEW = 0.25

# Keys in a request's scope: its share of the two quotas.
_TEXTS = "burble.texts"
_BYTES = "burble.bytes"


class Admission:
    """The quotas of one server, shared by all its clients."""

    def __init__(self, scheduler: Scheduler, limits: Limits, metrics: Metrics) -> None:
        self.scheduler = scheduler
        self.limits = limits
        self.metrics = metrics
        self.closing = False
        self.texts = Quota(limits.streams + limits.waiting)  # texts asked for and not answered yet
        self.kept = Quota(limits.max_kept)  # bytes of log-probabilities sent in one piece
        self.reports = Quota(_MAX_REPORTS)

    def admit(self, scope: Scope, count: int) -> None:
        """Reserve slots for `count` more texts of a request. Raises `RefusalError`."""
        share, size = scope[_TEXTS], self.texts.size
        total = share.count + count
        spare = int(_RESERVED_FOR_FEW * size) if total > _FEW else 0
        self._reserve(self.texts, share, count, spare=max(0, min(spare, size - total)))

    def reserve_bytes(self, scope: Scope, num_bytes: int) -> None:
        """Reserve bytes of log-probabilities sent in one piece. Raises `RefusalError`."""
        self._reserve(self.kept, scope[_BYTES], num_bytes)

    def _reserve(self, quota: Quota, share: Share, count: int, spare: int = 0) -> None:
        if self.closing:
            raise closing()
        try:
            quota.take(share, count, spare)
        except FullError:
            raise self.full() from None

    def full(self) -> RefusalError:
        return busy(f"The server is busy with {self.texts.used} texts. Try again in a second.")


class AdmissionMiddleware:
    """Reject requests with 429 before they reach FastAPI when all slots are taken."""

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission
        self._entry = asyncio.Lock()

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
        admission = self._admission
        with admission.texts.share(scope) as texts, admission.kept.share(scope) as num_bytes:
            scope[_TEXTS], scope[_BYTES] = texts, num_bytes
            admission.admit(scope, 1)
            # One request per turn of the event loop, so that a crowd cannot block answers.
            async with self._entry:
                await asyncio.sleep(0)
            await self._app(scope, receive, send)

    async def _report(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._admission.reports.share(scope) as share:
            try:
                self._admission.reports.take(share, 1)
            except FullError:
                raise busy(
                    "The server is busy with other reports. Try again in a second."
                ) from None
            await self._app(scope, receive, send)
