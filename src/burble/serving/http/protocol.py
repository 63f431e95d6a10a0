"""HTTP over one connection, with limits on size, on time, and on what is queued.

No setting of uvicorn bounds a connection that uses httptools, and a middleware sees a request only
once its headers are in memory and cannot abort a client: so uvicorn's protocol is subclassed.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Sized
from contextlib import suppress
from typing import NamedTuple

# `typing` has it from Python 3.12 on.
from typing_extensions import override
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from burble.serving.http.quota import READER

# A client that has not sent its request within this time is disconnected.
_REQUEST_SECONDS = 10.0

# A client must read this many bytes of what is queued for it, or all of it, in this time: 550 bytes
# a second. The kernel reports reads in steps of up to 40 KiB, so 16 KiB means any step.
WRITE_SECONDS = 30.0
_LEAST_TAKEN = 16 << 10

# Bytes in a row outside of a body: request line and headers, chunk extensions, trailers.
_MAX_LEAN_BYTES = 32 << 10
# 32 KiB of two-byte headers are 1.2 MB of Python objects, and 2,048 connections may send them.
_MAX_HEADERS = 128
# 1 MiB in chunks of one byte keeps the server busy for seconds: beyond `_MAX_CHUNKS`, chunks must
# have at least `_CHUNK_BYTES` on average.
_MAX_CHUNKS = 1024
_CHUNK_BYTES = 64
# The parser gets one part at a time, so that a limit is exceeded by one part at most.
_PART = 16 << 10

# Requests queued on one connection. Each costs about 3 KB.
_MAX_PIPELINED = 16

# On, with a timeout of 0 s. Windows has two shorts, others two integers.
_NO_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)


class _TooMuchError(Exception):
    """Stops the parser when a limit is exceeded."""


class _Unsent(NamedTuple):
    """Bytes that a client had not read at a moment."""

    seconds: float
    num_bytes: int


class _Flow(FlowControl):
    """Pauses reading while requests are queued, since a client could send them without end."""

    def __init__(self, transport: asyncio.Transport, waiting: Sized) -> None:
        super().__init__(transport)
        self._waiting = waiting

    @override
    def resume_reading(self) -> None:
        if not self._waiting:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with limits against hostile clients."""

    _timer: asyncio.TimerHandle | None = None
    _lean_bytes = 0
    _num_headers = 0
    _num_chunks = 0
    _body_bytes = 0
    _reads_head = False
    _saw_body = False
    _fault: str | None = None
    _is_deaf = False  # ignore further input: the connection closes after the queued answers
    _unsent: _Unsent | None = None  # None while the client keeps up

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = _Flow(transport, self.pipeline)
        self._start_timer()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_timer()
        self._unset_keepalive_if_required()
        self._unsent = None

    # Reading

    @override
    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), _PART):
            if self._is_deaf or self.transport.is_closing():
                return
            self._read(data[start : start + _PART])
        # Bare line ends are no request, and must not keep a connection open for ever.
        if self.cycle is None or self.cycle.response_complete:
            self._start_timer()

    def _read(self, part: bytes) -> None:
        self._saw_body = False
        super().data_received(part)
        self._lean_bytes = 0 if self._saw_body else self._lean_bytes + len(part)
        if self._lean_bytes > _MAX_LEAN_BYTES and not (
            self._is_deaf or self.transport.is_closing()
        ):
            what = "headers are" if self._reads_head else "part outside of the body is"
            self.send_400_response(f"The {what} too long.")

    @override
    def on_message_begin(self) -> None:
        if len(self.pipeline) >= _MAX_PIPELINED:
            # Queued requests are answered; the client repeats the others.
            self._is_deaf = True
            self.cycle.keep_alive = False
            raise _TooMuchError
        super().on_message_begin()
        self.scope[READER] = self  # type: ignore[literal-required]
        self._reads_head = True
        self._lean_bytes = self._num_headers = self._body_bytes = self._num_chunks = 0
        self._start_timer()

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._reads_head:
            return  # a trailer, which nothing here uses
        self._num_headers += 1
        if self._num_headers > _MAX_HEADERS:
            self._fault = f"There are more than {_MAX_HEADERS} headers."
            raise _TooMuchError
        super().on_header(name, value)

    @override
    def on_headers_complete(self) -> None:
        self._reads_head = False
        super().on_headers_complete()
        self._stop_timer()

    def on_chunk_header(self) -> None:
        """Count a chunk; the parser calls it."""
        self._num_chunks += 1
        if self._num_chunks > _MAX_CHUNKS + self._body_bytes // _CHUNK_BYTES:
            self._fault = "The chunks of the body are too small."
            raise _TooMuchError

    @override
    def on_body(self, body: bytes) -> None:
        self._saw_body = True
        self._body_bytes += len(body)
        super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._stop_timer()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        # A client refused early may still be sending; closing at once could lose the answer.
        if self.cycle.more_body:
            self._start_timer()

    @override
    def send_400_response(self, msg: str) -> None:
        if self._is_deaf:
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if is_answering and (self.cycle.response_started or self.pipeline):
            # An error in the middle of an answer would be read as part of it.
            self.transport.close()
        else:
            super().send_400_response(self._fault or msg)

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(_REQUEST_SECONDS, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Writing

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._note_unsent()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self._unsent = None

    @property
    def stalled_seconds(self) -> float:
        """Seconds for which the client has read almost nothing of what was sent to it."""
        return 0.0 if self._unsent is None else self.loop.time() - self._unsent.seconds

    def abort(self) -> None:
        """Close the connection at once, dropping what is unsent, even in the kernel."""
        connection = self.transport.get_extra_info("socket")
        with suppress(OSError):  # it is closed already
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def check_reader(self) -> None:
        """Disconnect a client that does not read. Call it about once a second."""
        if not (self.flow.write_paused or self.transport.is_closing()):
            return
        bytes_then = self.transport.get_write_buffer_size() + _LEAST_TAKEN
        if self._unsent is None or bytes_then <= self._unsent.num_bytes:
            self._note_unsent()
        elif self.stalled_seconds >= WRITE_SECONDS:
            self.abort()

    def _note_unsent(self) -> None:
        self._unsent = _Unsent(self.loop.time(), self.transport.get_write_buffer_size())
