"""What clients may do with a connection, byte by byte."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.serving.server import Server

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
TOO_LARGE = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"


def connect(server: Server) -> socket.socket:
    url = server.client.base_url
    assert url.port is not None
    return socket.create_connection((url.host, url.port), timeout=40)


def answer(connection: socket.socket) -> bytes:
    """One answer, whole."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(1 << 16)
        assert part, head
        head += part
    head, _, body = head.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    while len(body) < length:
        body += connection.recv(1 << 16)
    return head + body


def test_who_does_not_come_to_the_point_is_let_go(server: Server) -> None:
    """In a first request, in a later one, in the body of one that is refused already, and, after
    a longer while and with a word, in that of one that is not.
    """
    with ExitStack() as stack:
        silent, slow, second, refused, body = (
            stack.enter_context(connect(server)) for _ in range(5)
        )
        second.sendall(HEALTH)
        assert b"200 OK" in answer(second)
        refused.sendall(TOO_LARGE)
        assert b" 413 " in answer(refused)
        started = time.monotonic()
        body.sendall(TOO_LARGE.replace(b"99999999", b"99") + b"{")
        slow.sendall(b"GET / HT")
        second.sendall(b"GET / HT")
        refused.sendall(b"a")
        for connection in (slow, second, refused, body):
            time.sleep(1)
            connection.sendall(b"T")  # one that dribbles is no better
        for connection in (silent, slow, second, refused):
            assert connection.recv(100) == b""
        assert 5 < time.monotonic() - started < 18
        assert b" 408 " in answer(body)
        assert 18 < time.monotonic() - started < 30
        assert server.client.get("/health").status_code == 200


def test_one_connection_serves_many_requests_also_those_sent_together(server: Server) -> None:
    with connect(server) as connection:
        for _ in range(3):
            connection.sendall(HEALTH)
            assert b"200 OK" in answer(connection)
        connection.sendall(HEALTH * 3)
        told = b""
        while told.count(b"200 OK") < 3:
            told += connection.recv(1 << 16)


def test_a_large_body_that_is_refused_is_told_so_and_the_connection_lives(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(TOO_LARGE.replace(b"99999999", b"3000000") + b"a" * 3_000_000)
        assert b" 413 " in answer(connection)
        connection.sendall(HEALTH)
        assert b"200 OK" in answer(connection)


def test_headers_without_end_are_refused(server: Server) -> None:
    with connect(server) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000)
        assert b" 400 " in answer(connection)
        assert connection.recv(100) == b""
    assert server.client.get("/health").status_code == 200
