"""Measure a server under load: many streams, too many clients, clients that leave, and a mix.

    python -m benchmarks.serving [MODEL]

Starts `burble serve` on the loopback and measures with clients in this process, which shares its
cores: 64 streams at once; 512 clients at once; 1,000 clients that leave in the middle; and 10,000
requests of all kinds, 64 at a time, each of which must return the same text as alone. MODEL is by
default an LSTM 2x256 with random weights and a vocabulary of 65. The mix uses two small models.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import re
import selectors
import socket
import statistics
import string
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import deque
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.command import burble
from benchmarks.machine import describe_machine
from burble.config import NetworkConfig
from burble.model_file import ModelFile
from burble.tokenizers.byte import ByteTokenizer
from burble.tokenizers.char import CharTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from burble.tokenizers.base import Tokenizer

_DEADLINE = 120
_LETTERS = string.ascii_letters + " .,;:!?'-\n\"()"


class Client:
    """A request over its own socket, and the times of what arrived, in seconds."""

    def __init__(self, port: int, request: dict[str, Any], leave_after: int | None = None) -> None:
        """leave_after: close the connection after this many arrivals of text."""
        body = json.dumps(request)
        self._message = (
            f"POST /v1/completions HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        self._port = port
        self._leave_after = leave_after
        self._is_stream = request.get("stream", False)
        self.answer = bytearray()
        self.arrivals: list[float] = []

    def connect(self) -> None:
        """Connect, and start the clock."""
        self.started = time.perf_counter()
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", self._port))

    def send(self) -> None:
        """Send the request."""
        self.socket.sendall(self._message)

    def read(self) -> bool:
        """Read what has arrived, and return whether there may be more."""
        part = self.socket.recv(1 << 16)
        self.answer += part
        if part and (not self._is_stream or b"data: " in part or self.status != 200):
            self.arrivals.append(time.perf_counter())
        return bool(part) and len(self.arrivals) != self._leave_after

    @property
    def status(self) -> int:
        """The HTTP status; 0 before it has arrived."""
        return int(self.answer[9:12] or 0)

    @property
    def first(self) -> float:
        """Seconds from the connection to the first text, or to the refusal."""
        return self.arrivals[0] - self.started

    @property
    def gaps(self) -> list[float]:
        """Seconds between arrivals of text."""
        return np.diff(self.arrivals).tolist()

    def texts(self) -> list[str]:
        """Return the written texts, by index. Fails if the answer is incomplete."""
        body = bytes(self.answer.partition(b"\r\n\r\n")[2])
        if not self._is_stream:
            return [choice["text"] for choice in json.loads(body)["choices"]]
        *events, done = re.findall(rb"^data: (.*)$", body, re.MULTILINE)
        assert done == b"[DONE]", done
        pieces = [json.loads(event)["choices"][0] for event in events]
        count = 1 + max(piece["index"] for piece in pieces)
        return [
            "".join(piece["text"] for piece in pieces if piece["index"] == index)
            for index in range(count)
        ]

    @property
    def is_whole(self) -> bool:
        """Whether the stream was served to its end."""
        return self.status == 200 and b"data: [DONE]" in self.answer[-40:]


def ask(clients: Sequence[Client], at_once: int | None = None) -> float:
    """Run clients, all or `at_once` at a time, and return the seconds until the last is done."""
    started = time.perf_counter()
    waiting = deque(clients)
    with selectors.DefaultSelector() as selector:
        while waiting or selector.get_map():
            while waiting and len(selector.get_map()) < (at_once or len(clients)):
                client = waiting.popleft()
                client.connect()
                selector.register(client.socket, selectors.EVENT_WRITE, client)
            assert time.perf_counter() - started < _DEADLINE, "the server is stuck"
            _serve(selector)
    return time.perf_counter() - started


def _serve(selector: selectors.BaseSelector) -> None:
    for key, events in selector.select(1):
        client: Client = key.data
        if events & selectors.EVENT_WRITE:
            client.send()
            selector.modify(client.socket, selectors.EVENT_READ, client)
        elif not client.read():
            selector.unregister(client.socket)
            client.socket.close()


def streams(port: int, count: int, length: int, leave_after: int | None = None) -> list[Client]:
    """Return `count` clients that each ask for a stream."""
    request = {"prompt": "The ", "max_tokens": length, "stream": True}
    return [Client(port, {**request, "seed": seed}, leave_after) for seed in range(count)]


def held(port: int) -> float:
    """Return how many texts the server holds, by its metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = re.search(rb"^burble_texts_held (\d+)", answer.read(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def percentile(values: list[float], share: float) -> float:
    """Return a percentile of seconds, in milliseconds."""
    return 1000 * float(np.percentile(values, share)) if values else float("nan")


def measure_streams(port: int, length: int) -> dict[str, float]:
    """Measure 64 streams at once."""
    ask(streams(port, 8, 200))  # warm
    clients = streams(port, 64, length)
    seconds = ask(clients)
    gaps = [gap for client in clients for gap in client.gaps]
    first = [client.first for client in clients]
    return {
        "whole": sum(client.is_whole for client in clients),
        "chars_per_second": sum(len(client.texts()[0]) for client in clients) / seconds,
        "gap_ms_p50": percentile(gaps, 50),
        "gap_ms_p99": percentile(gaps, 99),
        "first_ms_p50": percentile(first, 50),
        "first_ms_p99": percentile(first, 99),
    }


def measure_crowd(port: int) -> dict[str, float]:
    """Measure 512 clients at once."""
    clients = streams(port, 512, 2000)
    ask(clients)
    admitted = [client for client in clients if client.status == 200]
    refused = [client.first for client in clients if client.status == 429]
    return {
        "admitted": len(admitted),
        "admitted_and_whole": sum(client.is_whole for client in admitted),
        "refused_429": len(refused),
        "refusal_ms_p50": percentile(refused, 50),
        "refusal_ms_p99": percentile(refused, 99),
        "refusal_ms_max": percentile(refused, 100),
        "other": sum(client.status not in {200, 429} for client in clients),
    }


def measure_leavers(port: int) -> dict[str, float]:
    """Measure what the server holds a second after 1,000 clients left at their first text."""
    ask(streams(port, 1000, 20_000, leave_after=1), at_once=50)
    time.sleep(1)
    return {"held_after": held(port)}


def any_request(numbers: random.Random) -> dict[str, Any]:
    """Return a random request of any kind."""
    request: dict[str, Any] = {
        "model": numbers.choice(["letters", "bytes"]),
        "prompt": "".join(numbers.choices("the quick brown fox\n", k=numbers.randrange(60))),
        "max_tokens": numbers.choice([1, 20, 100, 400]),
        "temperature": numbers.choice([0, 0.5, 1.0]),
        "seed": numbers.randrange(1 << 40),
        "n": numbers.choice([1, 1, 1, 4]),
        "stream": numbers.random() < 0.5,
    }
    extras = {
        "top_k": 5,
        "top_p": 0.9,
        "min_p": 0.1,
        "repetition_penalty": 1.2,
        "stop": ["e", "qu"],
    }
    name = numbers.choice([None, *extras])
    return {**request, name: extras[name]} if name else request


def measure_mix(count: int) -> dict[str, float]:
    """Measure requests of all kinds, 64 at a time and each alone, and compare their texts."""
    numbers = random.Random(0)  # noqa: S311 - no secret
    requests = [any_request(numbers) for _ in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        models = [f"{folder}/letters.safetensors", f"{folder}/bytes.safetensors"]
        for path, tokenizer in zip(models, (_characters(), ByteTokenizer()), strict=True):
            random_model(tokenizer, 64).save(Path(path))
        with serving(*models, "--waiting", "1000") as port:
            together = [Client(port, request) for request in requests]
            alone = [Client(port, request) for request in requests]
            seconds = ask(together, at_once=64)
            seconds_alone = ask(alone, at_once=1)
    texts = [(one.texts(), other.texts()) for one, other in zip(together, alone, strict=True)]
    return {
        "requests": len(requests),
        "same_as_alone": sum(one == other for one, other in texts),
        "characters": sum(len(text) for one, _ in texts for text in one),
        "seconds": seconds,
        "seconds_alone": seconds_alone,
    }


def _characters() -> Tokenizer:
    return CharTokenizer.from_characters(set(_LETTERS))


def random_model(tokenizer: Tokenizer, hidden_size: int) -> ModelFile:
    """Return an untrained LSTM of two layers, which is as fast as a trained one."""
    network = NetworkConfig(num_layers=2, hidden_size=hidden_size)
    numbers = np.random.default_rng(0)
    weights = {
        name: numbers.uniform(-0.1, 0.1, shape).astype(np.float32)
        for name, shape in network.tensor_shapes(tokenizer.vocab_size).items()
    }
    return ModelFile(network, tokenizer, weights)


@contextmanager
def serving(*args: str) -> Iterator[int]:
    """Run `burble serve ARGS` inside the block, and yield its port."""
    command = [sys.executable, "-m", "burble", "serve", *args, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        yield int(process.stderr.readline().rstrip("/\n").rpartition(":")[2])
    finally:
        process.terminate()
        process.wait(60)


def measure(model: str, port: int, length: int) -> dict[str, dict[str, float]]:
    """Measure one round of everything but the mix, and the engine alone."""
    alone = burble("bench", model)["streams_64_chars_per_second"]
    streams_64 = measure_streams(port, length)
    streams_64["bench_chars_per_second"] = alone
    streams_64["share_of_bench"] = streams_64["chars_per_second"] / alone
    return {
        "streams_64": streams_64,
        "clients_512": measure_crowd(port),
        "leavers_1000": measure_leavers(port),
    }


def medians(rounds: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the median of each figure over the rounds."""
    return {
        part: {name: statistics.median(one[part][name] for one in rounds) for name in figures}
        for part, figures in rounds[0].items()
    }


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?")
    parser.add_argument("--length", type=int, default=30_000, help="characters in each stream")
    parser.add_argument("--rounds", type=int, default=3, help="the figures are medians of them")
    parser.add_argument("--mix", type=int, default=10_000, help="requests of all kinds")
    args = parser.parse_args()
    gc.disable()  # collecting the clients' garbage would count as the server's time
    found: dict[str, Any] = {"machine": describe_machine(), "rounds": args.rounds}
    with tempfile.TemporaryDirectory() as folder:
        model = args.model or f"{folder}/random.safetensors"
        if args.model is None:
            random_model(_characters(), 256).save(Path(model))
        with serving(model) as port:
            found |= medians([measure(model, port, args.length) for _ in range(args.rounds)])
    found["mix"] = measure_mix(args.mix)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
