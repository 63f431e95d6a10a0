"""A real server in a process of its own, for as long as it is needed."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_START_SECONDS = 120


class Server:
    """A running `burble serve`."""

    def __init__(
        self, process: subprocess.Popen[str], address: str, told: queue.Queue[str]
    ) -> None:
        self.process = process
        self.address = address
        self._told = told
        self.client = httpx.Client(base_url=address, timeout=60, trust_env=False)

    def complete(self, **fields: Any) -> httpx.Response:
        return self.client.post("/v1/completions", json=fields)

    def text(self, **fields: Any) -> str:
        return self.texts(**fields)[0]

    def texts(self, **fields: Any) -> list[str]:
        answer = self.complete(**fields)
        assert answer.status_code == 200, answer.text
        return [choice["text"] for choice in answer.json()["choices"]]

    def connect(self, receive_buffer: int | None = None) -> socket.socket:
        """A connection; receive_buffer: how many bytes it holds of what is not read."""
        url = self.client.base_url
        assert url.port is not None
        connection = socket.socket()
        if receive_buffer is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(60)
        connection.connect((url.host, url.port))
        return connection

    def said(self) -> str:
        """What it said while it served, once it has ended."""
        return "".join(iter(self._told.get, ""))

    def gauge(self, name: str) -> float:
        """One figure of /metrics."""
        lines = self.client.get("/metrics").text.splitlines()
        return next(float(line.split()[-1]) for line in lines if line.startswith(name + " "))


@contextmanager
def burble_serve(
    *args: str | Path,
    cwd: Path | None = None,
    command: Sequence[str] | None = None,
    **environment: str,
) -> Iterator[Server]:
    """`burble serve ARGS` on a port that is free; SIGTERM ends it. command: another burble."""
    process = subprocess.Popen(
        [
            *(command or (sys.executable, "-m", "burble")),
            *("serve", *map(str, args), "--port", "0"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
    )
    told: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=_read, args=(process, told))
    reader.start()
    try:
        server = Server(process, _address(told), told)
        with server.client:
            yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
        reader.join()


def _read(process: subprocess.Popen[str], told: queue.Queue[str]) -> None:
    assert process.stderr is not None
    with process.stderr as lines:
        for line in lines:
            told.put(line)
    told.put("")


def _address(told: queue.Queue[str]) -> str:
    while line := told.get(timeout=_START_SECONDS):
        if line.startswith("Serving at "):
            return line.split()[2]
    raise AssertionError("the server ended before it served")


def until(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def events(response: httpx.Response) -> list[Any]:
    """What a stream of events told, its last word [DONE] checked and left out."""
    told = [line.removeprefix("data: ") for line in response.iter_lines() if line]
    assert told[-1] == "[DONE]"
    return [json.loads(event) for event in told[:-1]]


def train_on_the_page(folder: Path, command: list[str]) -> None:
    """Let the page of this burble, served in the folder, learn a text to its end."""
    with burble_serve("--runs", "runs", cwd=folder, command=command) as server:
        asked = {"text": "abcdefgh" * 2000, "minutes": 0.05}
        answer = server.client.post("/burble/runs", json=asked)
        assert answer.status_code == 201, answer.text
        path = f"/burble/runs/{answer.json()['name']}"
        until(lambda: server.client.get(path).json()["state"] != "running", 120)
        found = server.client.get(path).json()
        assert (found["state"], found["said"]) == ("done", "")
