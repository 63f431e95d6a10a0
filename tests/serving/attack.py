"""Clients that never read, and that send without end, beside polite ones.

    python -m tests.serving.attack --seconds 600 [MODEL]

Starts `burble serve` on the loopback with a model of random weights, or with MODEL, lets 12 polite
clients write, measures the server's memory, and lets the attackers in. Prints one JSON object. The
attack is bounded: some 50 connections at a time, to a server that it started itself.
"""

from __future__ import annotations

import argparse
import itertools
import json
import select
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from tests.models import random_model
from tests.serving.server import burble_serve

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.serving.server import Server

_POLITE = 12
_SLOW = 3
"""Of the polite ones, those that read 20 KB a second."""

_LONG = {"prompt": "a", "max_tokens": 100_000}
_CHUNKED = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
_GONE = select.POLLERR | select.POLLHUP | select.POLLRDHUP

# What is sent at a step by those that send without end.
_STEP = 256 << 10


def post(**fields: Any) -> bytes:
    body = json.dumps(fields)
    return (
        "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


# Name: what is sent first, what is sent again and again, how many clients do it.
ATTACKS: dict[str, tuple[bytes, bytes, int]] = {
    "streams": (post(**_LONG, n=64, stream=True), b"", 6),
    "streamed logprobs": (post(**_LONG, n=32, stream=True, logprobs=20), b"", 4),
    "single streams": (post(**_LONG, stream=True, logprobs=5), b"", 8),
    "whole logprobs": (post(prompt="a", max_tokens=5000, n=8, logprobs=5), b"", 4),
    "echoed logprobs": (
        post(prompt="a" * 20_000, max_tokens=1, logprobs=5, echo=True, stream=True),
        b"",
        2,
    ),
    "pipelined pages": (_get("/openapi.json") * 1000, _get("/openapi.json") * 1000, 4),
    "pipelined health": (_get("/health"), _get("/health") * 1000, 4),
    "trailers": (_CHUNKED + b"2\r\n{}\r\n0\r\n", b"a: b\r\n" * 10_000, 4),
    "one trailer": (_CHUNKED + b"2\r\n{}\r\n0\r\na: ", b"b" * 60_000, 2),
    "extensions": (_CHUNKED + b"2;", b"b" * 60_000, 2),
    "small chunks": (_CHUNKED, b"1\r\n \r\n" * 10_000, 4),
    "headers": (b"GET / HTTP/1.1\r\nHost: localhost\r\n", b"a:b\r\n" * 10_000, 4),
    "line ends": (_get("/health"), b"\r\n", 4),
}


class Attacker:
    """One client that means no good; it comes again when it is disconnected."""

    def __init__(self, address: tuple[str, int], first: bytes, more: bytes) -> None:
        self._address = address
        self._first, self._more = first, more
        self._connection: socket.socket | None = None
        self.connections = 0

    def step(self) -> None:
        """Do a little harm, and take note of being disconnected."""
        if self._connection is None:
            self._connect()
        elif self._is_gone(self._connection):
            self.close()
        else:
            self._send()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> None:
        self._connection = socket.socket()
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._connection.settimeout(2)
        self.connections += 1
        try:
            self._connection.connect(self._address)
            self._connection.setblocking(False)
            self._unsent = memoryview(self._first)
            self._send()
        except OSError:
            self.close()

    def _send(self) -> None:
        assert self._connection is not None
        sent = 0
        with suppress(OSError):
            while sent < _STEP and (self._unsent or self._more):
                self._unsent = self._unsent or memoryview(self._more)
                count = self._connection.send(self._unsent)
                self._unsent = self._unsent[count:]
                sent += max(count, _STEP // 16)

    @staticmethod
    def _is_gone(connection: socket.socket) -> bool:
        poll = select.poll()
        poll.register(connection, _GONE)
        return bool(poll.poll(0))


@dataclass
class Polite:
    """What happened to a client that reads what it asked for."""

    served: int = 0
    refused: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def ask(self, address: str, *, slow: bool, until: float) -> None:
        """Ask again and again, and come back when there was no room."""
        with httpx.Client(base_url=address, timeout=60, trust_env=False) as client:
            while time.monotonic() < until:
                started = time.monotonic()
                try:
                    while not self._read(client, slow=slow):
                        self.refused += 1
                        time.sleep(1)
                        if time.monotonic() > until:
                            break
                except (httpx.HTTPError, AssertionError) as error:
                    self.failed[repr(error)] += 1
                self.slowest = max(self.slowest, time.monotonic() - started)
                time.sleep(0.2)

    def _read(self, client: httpx.Client, *, slow: bool) -> bool:
        fields = {"prompt": "a", "max_tokens": 5000 if slow else 500, "stream": True}
        with client.stream("POST", "/v1/completions", json=fields) as answer:
            if answer.status_code in {429, 503}:
                return False
            assert answer.status_code == 200, answer.status_code
            last = b""
            for part in answer.iter_raw(1024):
                last = (last + part)[-40:]
                time.sleep(0.05 if slow else 0)
        assert b"data: [DONE]" in last, last
        self.served += 1
        return True


@dataclass
class Report:
    """Memory of the server, in MB, and how all fared."""

    seconds: float
    memory_before: float
    memory_most: float
    memory_after: float
    memory_by_tenths: list[float]
    served: int
    refused: int
    least_served: int
    slowest_seconds: float
    failed: dict[str, int]
    attackers_came: dict[str, int]

    @property
    def growth(self) -> float:
        """Of memory, at its most."""
        return self.memory_most / self.memory_before - 1


def megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def attack(server: Server, seconds: float, calm: float = 4.0) -> Report:
    """Let polite clients in, for `calm` seconds alone, and then the attackers."""
    end = time.monotonic() + calm + seconds
    polite = [Polite() for _ in range(_POLITE)]
    threads = [
        threading.Thread(
            target=client.ask, args=(server.address,), kwargs={"slow": number < _SLOW, "until": end}
        )
        for number, client in enumerate(polite)
    ]
    url = server.client.base_url
    assert url.port is not None
    attackers = {
        name: [Attacker((url.host, url.port), first, more) for _ in range(count)]
        for name, (first, more, count) in ATTACKS.items()
    }
    memory: list[float] = []

    def watch() -> None:
        memory.append(megabytes(server.process.pid))

    with ExitStack() as stack:
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        _repeat(watch, time.monotonic() + calm)
        before = max(memory)
        everyone = [one for group in attackers.values() for one in group]
        for one in everyone:
            stack.callback(one.close)
        _repeat(lambda: [watch(), *(one.step() for one in everyone)], end)
        after = megabytes(server.process.pid)
    return Report(
        seconds,
        before,
        max(memory),
        after,
        _most_by_tenths(memory),
        sum(client.served for client in polite),
        sum(client.refused for client in polite),
        min(client.served for client in polite),
        max(client.slowest for client in polite),
        dict(sum((client.failed for client in polite), Counter())),
        {name: sum(one.connections for one in group) for name, group in attackers.items()},
    )


def _most_by_tenths(memory: list[float]) -> list[float]:
    bounds = [len(memory) * tenth // 10 for tenth in range(11)]
    return [round(max(memory[a:b], default=0), 1) for a, b in itertools.pairwise(bounds)]


def _repeat(step: Callable[[], object], until: float) -> None:
    while time.monotonic() < until:
        step()
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?")
    parser.add_argument("--seconds", type=float, default=600)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = Path(args.model or f"{folder}/attacked.safetensors")
        if args.model is None:
            random_model(num_layers=2, hidden_size=128, head_scale=3).save(model)
        with burble_serve(model) as server:
            report = attack(server, args.seconds)
            held = server.gauge("burble_texts_held")
    found = {**asdict(report), "growth": round(report.growth, 3), "held": held}
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stderr.write(server.said())


if __name__ == "__main__":
    main()
