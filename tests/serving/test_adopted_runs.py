"""Runs that this server did not start: a killed server's, or a person's at the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from burble.run_folder.lock import find_holder
from tests.serving.server import Server, burble_serve, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = "It was the best of times, it was the worst of times.\n" * 200


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Path]:
    """A folder of runs; whoever still trains there at the end is killed."""
    folder = tmp_path / "runs"
    yield folder
    for path in folder.glob("*/"):
        if found := find_holder(path):
            with suppress(ProcessLookupError):
                os.kill(found.pid, signal.SIGKILL)


def start(server: Server) -> str:
    answer = server.client.post("/burble/runs", json={"text": TEXT, "minutes": 10})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["name"])


def described(server: Server, name: str) -> dict[str, Any]:
    found: dict[str, Any] = server.client.get(f"/burble/runs/{name}").json()
    return found


def has_state(server: Server, name: str, state: str) -> bool:
    return bool(described(server, name)["state"] == state)


def has_saved(server: Server, name: str) -> bool:
    return bool(described(server, name)["has_model"])


def train(runs: Path, text: Path, name: str = "own") -> subprocess.Popen[bytes]:
    text.write_text(TEXT)
    runs.mkdir(exist_ok=True)
    command = (sys.executable, "-m", "burble", "train", text, "-o", runs / name, "--minutes", "10")
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_the_run_of_a_killed_server_is_seen_stopped_and_resumed(runs: Path) -> None:
    with burble_serve("--runs", runs) as killed:
        name = start(killed)
        until(lambda: has_saved(killed, name), 120)
        killed.process.kill()
        killed.process.wait()

    child = find_holder(runs / name)
    assert child is not None
    with burble_serve("--runs", runs) as server:
        assert has_state(server, name, "running")
        listed = server.client.get("/burble/runs").json()["runs"]
        assert listed == [{"name": name, "state": "running"}]
        for path in ("/burble/runs", f"/burble/runs/{name}/resume"):
            answer = server.client.post(path, json={"text": TEXT} if path.endswith("runs") else {})
            assert answer.status_code == 409
            assert answer.json()["error"]["code"] == "busy"
            assert name in answer.json()["error"]["message"]
        assert find_holder(runs / name) == child

        assert server.client.post(f"/burble/runs/{name}/stop", json={}).status_code == 202
        until(lambda: has_state(server, name, "stopped"))
        steps = described(server, name)["metrics"][-1]["step"]
        assert server.client.post(f"/burble/runs/{name}/resume", json={}).status_code == 202
        until(lambda: described(server, name)["metrics"][-1]["step"] > steps, 60)
        server.client.post(f"/burble/runs/{name}/stop", json={})
        until(lambda: has_state(server, name, "stopped"))


def test_a_run_from_the_command_line_is_shown_from_its_first_moment_and_left_alone(
    runs: Path, tmp_path: Path
) -> None:
    with burble_serve("--runs", runs) as server:
        person = train(runs, tmp_path / "text.txt")
        until(lambda: find_holder(runs / "own") is not None)
        assert has_state(server, "own", "running")
        assert server.client.post("/burble/runs", json={"text": TEXT}).status_code == 409
        until(lambda: has_saved(server, "own"), 120)
    assert person.poll() is None
    person.terminate()
    assert person.wait(timeout=60) == 128 + signal.SIGTERM


def test_a_lock_file_that_names_another_process_kills_nobody(runs: Path, tmp_path: Path) -> None:
    """Whoever may write into the folder may write any number there."""
    innocent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with burble_serve("--runs", runs) as server:
        person = train(runs, tmp_path / "text.txt")
        until(lambda: find_holder(runs / "own") is not None)
        (runs / "own/.burble-lock").write_text(f"{innocent.pid}\nburble train\n")
        answer = server.client.post("/burble/runs/own/stop", json={})
        assert answer.status_code == 409
        assert "Stop it there" in answer.json()["error"]["message"]
        assert innocent.poll() is None
    innocent.communicate(b"\n")
    person.kill()
    person.wait()
