"""Clients that do not read what they asked for, and those that read slowly."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from tests.models import random_model
from tests.serving.attack import attack, post
from tests.serving.server import burble_serve, until

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from tests.serving.server import Server

LONG: dict[str, Any] = {"prompt": "a", "seed": 1, "max_tokens": 100_000, "stream": True}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("read") / "read.safetensors"
    random_model(num_layers=2, hidden_size=64, head_scale=3).save(path)
    return path


def ask(server: Server, **fields: Any) -> socket.socket:
    connection = server.connect(receive_buffer=32 << 10)
    connection.sendall(post(**fields))
    return connection


def read_text(connection: socket.socket, seconds_between: float = 0.0) -> str:
    """The text of a stream, read a little at a time."""
    content = read_all(connection, seconds_between)
    *events, done = [line[6:] for line in content.split(b"\n\n") if line]
    assert done == b"[DONE]"
    return "".join(json.loads(event)["choices"][0]["text"] for event in events)


def read_all(connection: socket.socket, seconds_between: float = 0.0) -> bytes:
    answer = http.client.HTTPResponse(connection)
    answer.begin()
    content = b""
    while part := answer.read1(4096):
        content += part
        time.sleep(seconds_between)
    return content


def test_who_does_not_read_loses_seat_and_connection_and_who_reads_slowly_neither(
    model: Path,
) -> None:
    """A stream, and an answer in one piece; 30 s, in which the slow one takes 40 KB a second."""
    fields = {**LONG, "max_tokens": 12_000, "logprobs": 1}
    whole = {"prompt": "a", "max_tokens": 1300, "n": 8, "logprobs": 5}
    with burble_serve(model) as server, ExitStack() as stack:
        expected = server.text(**{**fields, "stream": False})
        unread = [stack.enter_context(ask(server, **asked)) for asked in ({**LONG, "n": 60}, whole)]
        slow = stack.enter_context(ask(server, **fields))
        until(lambda: server.gauge("burble_texts_held") == 69)
        time.sleep(5)
        assert server.gauge("burble_texts_held") == 69
        assert read_text(slow, 0.1) == expected
        until(lambda: server.gauge("burble_texts_held") == 0, 60)
        for connection in unread:
            with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
                read_all(connection)


def test_a_client_that_pauses_finds_the_whole_text(model: Path) -> None:
    fields = {**LONG, "max_tokens": 20_000}
    with burble_serve(model) as server:
        expected = server.text(**{**fields, "stream": False})
        with ask(server, **fields, logprobs=5) as connection:
            time.sleep(8)
            # It would have been written long ago.
            assert server.gauge("burble_texts_scheduled") == 1
            assert read_text(connection) == expected


def test_a_seat_that_is_wanted_is_not_kept_for_who_does_not_read(model: Path) -> None:
    with burble_serve(model, "--streams", "2", "--waiting", "0") as server:
        with ask(server, **LONG, n=2):
            until(lambda: server.gauge("burble_texts_held") == 2)
            assert server.complete(prompt="b", max_tokens=3).status_code == 429
            until(lambda: server.complete(prompt="b", max_tokens=3).status_code == 200)
        until(lambda: server.gauge("burble_texts_held") == 0)


def test_those_who_ask_for_many_texts_leave_seats_for_those_who_ask_for_few(model: Path) -> None:
    args = (model, "--streams", "8", "--waiting", "8")
    with burble_serve(*args) as server, ask(server, **LONG, n=9):
        until(lambda: server.gauge("burble_texts_held") == 9)
        # Five would fit, but leave less than a quarter of the 16.
        assert server.complete(prompt="b", max_tokens=3, n=5).status_code == 429
        assert server.complete(prompt="b", max_tokens=3, n=4).status_code == 200


def test_an_attack_costs_little_memory_and_polite_clients_are_served(tmp_path: Path) -> None:
    """A sample of the ten minutes that `python -m tests.serving.attack` runs."""
    model = tmp_path / "model.safetensors"
    random_model(num_layers=2, hidden_size=128, head_scale=3).save(model)
    with burble_serve(model) as server:
        report = attack(server, 25, calm=3)
        until(lambda: server.gauge("burble_texts_held") == 0, 45)
    assert report.memory_most < report.memory_before + 40, report
    assert report.failed == {}
    assert report.least_served >= 2, report
