"""A listening socket, and a server on it that finishes open requests before it stops."""

import asyncio
import errno
import gc
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import LOGGING_CONFIG

from burble.errors import BurbleError, ResourceError, UsageError
from burble.serving.http.protocol import BoundedProtocol
from burble.stop_signals import heard_signals

_MAX_CONNECTIONS = 2048
_OBJECTS_BETWEEN_COLLECTIONS = 20_000
_SECONDS_BETWEEN_CHECKS = 1.0

_FIRST_OPEN_PORT = 8079  # the one after it is the default
_LAST_PORT = 65_535
_TRIES = 100

# The kernel's send buffer for each client. By default it grows to 4 MiB, and then reports only in
# steps of 800 KB that a slow client reads.
_SEND_BUFFER = 64 << 10

# Files and sockets for the models, the runs and the page, beside the connections.
_OTHER_FILES = 128


# Our own log goes to stderr, as uvicorn's does.
_LOGGERS = {"burble": {"handlers": ["default"], "level": "ERROR", "propagate": False}}


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        for number in heard_signals():
            signal.signal(number, self.handle_exit)
        yield


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to host and port. Raises `UsageError` or `ResourceError`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # The connections inherit it.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        bound.bind(address)
    except OSError as error:
        raise _cannot_listen(host, port, error) from error
    return bound


def _cannot_listen(host: str, port: int, error: OSError) -> BurbleError:
    if error.errno == errno.EADDRINUSE:
        free = _free_port(host, port)
        return ResourceError(
            f"Port {port} is in use by another program.",
            f"Stop that program, or use a free port such as {free}.",
            f"Stop that program, or use a free port: --port {free}",
        )
    if error.errno in {errno.EACCES, errno.EPERM}:
        free = _free_port(host, _FIRST_OPEN_PORT)
        return ResourceError(
            f"Port {port} needs rights that you do not have: {error.strerror}.",
            f"Ports from 1024 on need none. Use {free}.",
            f"Ports from 1024 on need none: --port {free}",
        )
    return UsageError(
        f"Nothing can be served at {host}, port {port}: {error.strerror or error}.",
        "Try another host or port.",
        "Try another --host or --port.",
    )


def _free_port(host: str, port: int) -> int:
    """Return a port that is free now: the next one after `port`, or else any."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for candidate in [*range(port + 1, min(port + _TRIES, _LAST_PORT)), 0]:
        with socket.socket(family, socket.SOCK_STREAM) as probe, suppress(OSError):
            probe.bind((host, candidate))
            return int(probe.getsockname()[1])
    return 0


def is_loopback(bound: socket.socket) -> bool:
    return ipaddress.ip_address(bound.getsockname()[0].partition("%")[0]).is_loopback


def serve(app: ASGIApp, bound: socket.socket, ready: Callable[[], None], drain: int) -> None:
    """Serve until a stop signal, then finish open requests for up to `drain` seconds."""
    most = _allowed_connections()
    config = uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=LOGGING_CONFIG | {"loggers": LOGGING_CONFIG["loggers"] | _LOGGERS},
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=most,
        limit_concurrency=most,
        timeout_graceful_shutdown=drain,
    )
    server = _Server(config)
    # What exists now stays for good: scanning it for garbage would delay clients.
    gc.collect()
    gc.freeze()
    # And a crowd's objects are scanned a few times, not at every 700th object.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    asyncio.run(_run(server, bound, ready))


def _allowed_connections() -> int:
    """Return the most connections, after raising the limit on open files as far as allowed."""
    wanted = _MAX_CONNECTIONS + _OTHER_FILES
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return _MAX_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(1, soft - _OTHER_FILES)
    return _MAX_CONNECTIONS


async def _run(server: _Server, bound: socket.socket, ready: Callable[[], None]) -> None:
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    checking = asyncio.ensure_future(_check_readers(server))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    if not serving.done():
        ready()
    await serving
    checking.cancel()


async def _check_readers(server: _Server) -> None:
    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_CHECKS)
        for connection in list(server.server_state.connections):
            if isinstance(connection, BoundedProtocol):
                connection.check_reader()
