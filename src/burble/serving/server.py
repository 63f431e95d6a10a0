"""A socket, and a server on it that ends when told to, after what it has begun."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from burble.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.types import ASGIApp

# A client that does not say what it wants in this time is let go.
_REQUEST_SECONDS = 10.0
_MAX_PORT = 65_535
_MAX_HEADER_BYTES = 32 << 10
_MAX_CONNECTIONS = 2048
_OBJECTS_BETWEEN_COLLECTIONS = 20_000


class _Protocol(HttpToolsProtocol):
    """HTTP, for those who come to the point: headers may be only so long, and take so long."""

    _patience: asyncio.TimerHandle | None = None
    _head_bytes: int | None = None
    """Of the headers that are being read; None where none are."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._wait_no_longer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head_bytes is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > _MAX_HEADER_BYTES:
            self.send_400_response("The headers are too long.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_bytes = 0
        self._wait()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._head_bytes = None
        self._wait_no_longer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # Who was refused early may still be sending. To close at once could lose the answer.
        if self.cycle.more_body:
            self._wait()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._wait_no_longer()

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(_REQUEST_SECONDS, self.transport.close)

    def _wait_no_longer(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class _Server(uvicorn.Server):
    """A server for which a signal is the way to end well."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self.handle_exit)
        yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound. Raises `UsageError` where that is not possible."""
    if not 0 <= port <= _MAX_PORT:
        raise UsageError(f"port must be from 0 to {_MAX_PORT}; found {port}.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError as error:
        raise UsageError(
            f"Nothing can be served at {host}, port {port}: {error}. Try another --port."
        ) from error
    return bound


def is_loopback(bound: socket.socket) -> bool:
    """Whether only this machine can reach it."""
    return ipaddress.ip_address(bound.getsockname()[0].partition("%")[0]).is_loopback


def serve(app: ASGIApp, bound: socket.socket, ready: Callable[[], None], drain: int) -> None:
    """Answer until SIGTERM or SIGINT, then finish what was begun, for up to `drain` seconds."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_MAX_CONNECTIONS,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=drain,
    )
    server = _Server(config)
    # What is there now stays: looking it through for garbage would make clients wait.
    gc.collect()
    gc.freeze()
    # And what a crowd brings is looked through a few times, not at every 700th object.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    asyncio.run(_run(server, bound, ready))


async def _run(server: _Server, bound: socket.socket, ready: Callable[[], None]) -> None:
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if not serving.done():
        ready()
    await serving
