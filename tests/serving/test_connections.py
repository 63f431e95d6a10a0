"""What clients may do with a connection, byte by byte."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.serving.attack import megabytes, post

if TYPE_CHECKING:
    import socket

    from tests.serving.server import Server

HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
TOO_LARGE = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"


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
            stack.enter_context(server.connect()) for _ in range(5)
        )
        second.sendall(HEALTH)
        assert b"200 OK" in answer(second)
        refused.sendall(TOO_LARGE)
        assert b" 413 " in answer(refused)
        body.sendall(TOO_LARGE.replace(b"99999999", b"99") + b"{")
        slow.sendall(b"GET / HT")
        second.sendall(b"GET / HT")
        refused.sendall(b"a")
        for connection in (slow, second, refused, body):
            time.sleep(1)
            connection.sendall(b"T")  # one that dribbles is no better
        for connection in (silent, slow, second, refused):
            assert connection.recv(100) == b""
        assert b" 408 " in answer(body)
        assert server.client.get("/health").status_code == 200


def test_one_connection_serves_many_requests_also_those_sent_together(server: Server) -> None:
    with server.connect() as connection:
        for _ in range(3):
            connection.sendall(HEALTH)
            assert b"200 OK" in answer(connection)
        connection.sendall(HEALTH * 3)
        told = b""
        while told.count(b"200 OK") < 3:
            told += connection.recv(1 << 16)


def test_a_large_body_that_is_refused_is_told_so_and_the_connection_lives(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(TOO_LARGE.replace(b"99999999", b"3000000") + b"a" * 3_000_000)
        assert b" 413 " in answer(connection)
        connection.sendall(HEALTH)
        assert b"200 OK" in answer(connection)


def test_headers_without_end_are_refused(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000)
        assert b" 400 " in answer(connection)
        assert connection.recv(100) == b""
    assert server.client.get("/health").status_code == 200


CHUNKED = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
LAST_CHUNK = b"2\r\n{}\r\n0\r\n"


def send_often(connection: socket.socket, part: bytes) -> None:
    for _ in range(1200):
        connection.sendall(part)
        time.sleep(0.001)


def memory(server: Server) -> float:
    return megabytes(server.process.pid)


@pytest.mark.parametrize(
    ("first", "endless"),
    [
        (CHUNKED + LAST_CHUNK, b"a: b\r\n" * 1000),
        (CHUNKED + LAST_CHUNK + b"a: ", b"b" * 10_000),
        (CHUNKED + b"2;", b"b" * 10_000),
        (CHUNKED, b"1\r\n \r\n" * 1000),
        (b"GET / HTTP/1.1\r\n", b"a:\r\n" * 1000),
        (b"GET /", b"a" * 10_000),
        (b"", b"\r\n" * 5000),
    ],
    ids=["trailers", "trailer", "extension", "chunks", "headers", "path", "line ends"],
)
def test_what_is_no_body_has_an_end(server: Server, first: bytes, endless: bytes) -> None:
    """Sent as fast as it is taken; 12 MB, where 160 KB are too much."""
    before = memory(server)
    with server.connect() as connection:
        connection.sendall(first)
        with pytest.raises(ConnectionError):
            send_often(connection, endless)
    assert memory(server) < before + 4
    assert server.client.get("/health").status_code == 200


def test_trailers_and_extensions_of_a_few_bytes_are_no_matter(server: Server) -> None:
    """And what they name is no header: neither of this request nor of the next one."""
    body = b'{"prompt": "a", "max_tokens": 3}'
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Type: application/json\r\n\r\n")
    with server.connect() as connection:
        for _ in range(2):
            chunk = b"%x;name=value\r\n%s\r\n" % (len(body), body)
            connection.sendall(head + chunk + b"0\r\nHost: elsewhere\r\nOrigin: http://x\r\n\r\n")
            assert b" 200 " in answer(connection)


def test_of_many_requests_sent_together_the_first_are_answered(server: Server) -> None:
    before = memory(server)
    with server.connect() as connection:
        connection.settimeout(40)
        connection.sendall(HEALTH * 500)
        told = b""
        while part := connection.recv(1 << 16):
            told += part
    assert told.count(b"200 OK") == 17
    assert told.lower().count(b"connection: close") == 1
    assert memory(server) < before + 4


def test_a_few_bytes_of_very_many_headers_are_refused(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEALTH.replace(b"\r\n\r\n", b"\r\n" + b"a:\r\n" * 127 + b"\r\n"))
        assert b"200 OK" in answer(connection)
        connection.sendall(HEALTH.replace(b"\r\n\r\n", b"\r\n" + b"a:\r\n" * 128 + b"\r\n"))
        assert b"more than 128 headers" in answer(connection)


def test_bare_line_ends_keep_no_connection(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEALTH)
        assert b"200 OK" in answer(connection)
        connection.sendall(b"\r\n")
        assert connection.recv(100) == b""


def test_nonsense_behind_a_request_does_not_come_into_its_answer(server: Server) -> None:
    asked = post(prompt="a", max_tokens=100_000, stream=True)
    with server.connect() as connection:
        connection.sendall(asked)
        told = connection.recv(1 << 16)
        connection.sendall(b"no request\r\n\r\n")
        while part := connection.recv(1 << 16):
            told += part
    assert told.startswith(b"HTTP/1.1 200 OK")
    assert b"400 Bad Request" not in told
