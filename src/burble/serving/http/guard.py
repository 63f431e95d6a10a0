"""Check host, origin, key and size of every request before anything else sees it."""

import asyncio
import hmac
import ipaddress
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from burble.errors import brief
from burble.inspection.trace import report
from burble.page import source_hash
from burble.serving.http.errors import RefusalError, busy, closing
from burble.serving.http.quota import FullError, Quota, Share

# Open without a key: these reveal nothing of a model and cost no more than a file.
OPEN = ("/", "/health", "/docs")
OPEN_FOLDER = "/static/"

TEXT_PATH = "/burble/runs"

# A body must arrive within this time.
_BODY_SECONDS = 20.0

# Bytes of all bodies together, beyond the first 64 KiB of each: ordinary requests always fit, and
# 2,048 connections with 32 MiB each do not.
_MAX_BODIES = 128 << 20
_FREE_BODY = 64 << 10
_SHOWN = 60  # characters of a host name that a message shows

# An answer is sent in parts, each after the one before has left: little piles up for a client that
# does not read.
_PART = 64 << 10

_HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@dataclass(frozen=True)
class Access:
    api_key: str | None = None
    hosts: frozenset[str] = frozenset({"localhost"})
    """Names that the server answers to, against DNS rebinding. IP addresses are always allowed."""

    max_body: int = 1 << 20  # bytes of a request's body
    max_text_body: int = 32 << 20  # bytes of the one that brings a text to learn from

    def body_limit(self, path: str) -> int:
        return self.max_text_body if path == TEXT_PATH else self.max_body


class Guard:
    def __init__(self, app: ASGIApp, access: Access, responses: Counter[int]) -> None:
        self._app = app
        self._access = access
        self._responses = responses
        self._bodies = Quota(_MAX_BODIES)
        headers = {"content-security-policy": _policy(), **_HEADERS}
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        has_begun = False

        async def send_safely(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                self._responses[message["status"]] += 1
                message["headers"] = [*message.get("headers", []), *self._headers]
            await _send_in_parts(send, message)

        try:
            headers = _read_headers(scope)
            self._check_caller(scope["path"], headers)
            limit = self._access.body_limit(scope["path"])
            with self._bodies.share(scope) as share:
                body = await _read_body(receive, headers, limit, partial(self._take, share))
                if body is not None:
                    await self._app(scope, _replay(body, receive), send_safely)
        except RefusalError as refusal:
            await refusal.response()(scope, receive, send_safely)
        except asyncio.CancelledError:
            # The server is shutting down, and its grace period is over.
            if not has_begun:
                await closing().response()(scope, receive, send_safely)

    def _take(self, share: Share, num_bytes: int) -> None:
        beyond = num_bytes - _FREE_BODY - share.count
        if beyond > 0:
            try:
                self._bodies.take(share, beyond)
            except FullError:
                raise busy(
                    "The server is receiving too much at once. Try again in a second.", 503
                ) from None

    def _check_caller(self, path: str, headers: dict[str, str]) -> None:
        host = headers.get("host", "")
        if not self._is_known(host):
            raise RefusalError(
                403,
                f"The server's host name {brief(repr(host), _SHOWN)} is not allowed. Use its "
                "address in numbers, or ask who runs it to allow the name.",
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            raise RefusalError(
                403, "Pages of other sites may not use this server. Open the server's own page."
            )
        is_open = path in OPEN or path.startswith(OPEN_FOLDER)
        if not (is_open or self._has_key(headers.get("authorization", ""))):
            raise RefusalError(
                401,
                "The key is missing or wrong. Send it as: Authorization: Bearer KEY.",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )

    def _is_known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            if name in self._access.hosts:
                return True
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _has_key(self, authorization: str) -> bool:
        key = self._access.api_key
        if key is None:
            return True
        return hmac.compare_digest(authorization.encode("latin-1"), f"Bearer {key}".encode())


def _policy() -> str:
    """Return a content security policy: our own files, and by their hashes the framed report's."""
    script, style = source_hash(report.script()), source_hash(report.style())
    return (
        f"default-src 'none'; script-src 'self' {script}; style-src 'self' {style}; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


async def _send_in_parts(send: Send, message: Message) -> None:
    body = message.get("body", b"")
    for start in range(0, len(body) - _PART, _PART):
        part = body[start : start + _PART]
        await send({"type": "http.response.body", "body": part, "more_body": True})
    if len(body) > _PART:
        message = {**message, "body": body[(len(body) - 1) // _PART * _PART :]}
    await send(message)


async def _read_body(
    receive: Receive, headers: dict[str, str], limit: int, take: Callable[[int], None]
) -> bytes | None:
    """Return the whole body, or None if the client has disconnected; call `take` with its size."""
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared[:20]) > limit:
        raise _too_large(limit)
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await _receive_body(receive, limit, take)
    except TimeoutError:
        raise RefusalError(
            408, "The body took too long to come. Send it faster, or less of it."
        ) from None


async def _receive_body(receive: Receive, limit: int, take: Callable[[int], None]) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit:
            raise _too_large(limit)
        take(len(body))
        if not message.get("more_body", False):
            return bytes(body)


def _too_large(limit: int) -> RefusalError:
    return RefusalError(413, f"The body is larger than {limit:,} bytes. Send less.")


def _read_headers(scope: Scope) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in {b"host", b"origin", b"authorization"} and name.decode() in headers:
            raise RefusalError(400, f"The header {name.decode()} came twice. Send it once.")
        headers[name.decode("latin-1")] = value.decode("latin-1")
    return headers


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_after() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_after
