from __future__ import annotations

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from burble.engine.kernels import KERNEL_VARIABLE
from burble.stop_signals import STOP_SIGNALS
from tests.models import random_model
from tests.serving.server import burble_serve, until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.serving.server import Server

# Slow enough that a text of all the tokens there may be takes a second or more.
LONG: dict[str, Any] = {"prompt": "a", "seed": 1, "max_tokens": 100_000, "stream": True}


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slow") / "slow.safetensors"
    random_model(num_layers=2, hidden_size=256, head_scale=3).save(path)
    return path


def test_short_texts_do_not_wait_for_long_ones(slow: Path) -> None:
    # On NumPy the long one takes half a minute.
    with burble_serve(slow, "--streams", "1", **{KERNEL_VARIABLE: "numpy"}) as server:
        with server.client.stream("POST", "/v1/completions", json=LONG) as answer:
            lines = answer.iter_lines()
            next(lines)
            short = server.text(prompt="b", seed=2, max_tokens=50)
            # The seat is free a moment after the last byte is sent.
            until(lambda: server.gauge("burble_texts_held") == 1)
        assert short == server.text(prompt="b", seed=2, max_tokens=50)


def leave_early(server: Server, request: bytes, *, after_start: bool) -> None:
    with server.connect() as connection:
        connection.sendall(request)
        if after_start:
            connection.recv(100)


def test_clients_that_go_away_leave_nothing_behind(slow: Path) -> None:
    # On NumPy, what is left behind would take minutes to write.
    with burble_serve(slow, **{KERNEL_VARIABLE: "numpy"}) as server:
        whole = server.client.build_request("POST", "/v1/completions", json=LONG)
        lines = [f"{name}: {value}" for name, value in whole.headers.items()]
        head = "\r\n".join(["POST /v1/completions HTTP/1.1", *lines, "", ""]).encode()
        body = whole.read()
        for number in range(60):
            part = (head + body, head + body, head + body[:10])[number % 3]
            leave_early(server, part, after_start=number % 3 == 0)
        until(lambda: server.gauge("burble_texts_held") == 0)
        until(lambda: server.gauge("burble_texts_scheduled") == 0, 5)
        assert len(server.text(prompt="a", max_tokens=5)) == 5


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_lets_what_is_being_written_come_to_its_end(
    slow: Path, number: signal.Signals
) -> None:
    with burble_serve(slow) as server:
        with server.client.stream("POST", "/v1/completions", json=LONG) as answer:
            lines = answer.iter_lines()
            next(lines)
            server.process.send_signal(number)
            rest = list(lines)
        assert "data: [DONE]" in rest
        assert '"finish_reason": "length"' in next(line for line in reversed(rest[:-2]) if line)
        assert server.process.wait(timeout=30) == 0
        with pytest.raises(httpx.ConnectError):
            server.client.get("/health")


def test_what_takes_too_long_at_the_end_is_told_that_it_breaks_off(slow: Path) -> None:
    # On NumPy it would take half a minute.
    with (
        burble_serve(slow, "--drain", "1", **{KERNEL_VARIABLE: "numpy"}) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        whole = pool.submit(server.complete, **{**LONG, "stream": False})
        with server.client.stream("POST", "/v1/completions", json=LONG) as answer:
            lines = answer.iter_lines()
            next(lines)
            until(lambda: server.gauge("burble_texts_held") == 2)
            server.process.send_signal(signal.SIGTERM)
            told = [line for line in lines if line]
        assert json.loads(told[-1].removeprefix("data: "))["error"]["code"] == "busy"
        assert whole.result().status_code == 503
        assert server.process.wait(timeout=30) == 0
        assert "Traceback" not in server.said()
