"""The files to deploy with: burble takes their arguments, systemd the unit, a build its context."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.serving.server import burble_serve

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "burble.service"
# Of ten; the worst is 10.
MOST_EXPOSURE = 1.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"
)


def command_of_unit() -> list[str]:
    return shlex.split(the_line(UNIT, "ExecStart="))


def command_of_image() -> list[str]:
    """With the model that whoever runs it names behind the image."""
    return [*json.loads(the_line(ROOT / "Dockerfile", "ENTRYPOINT ")), "/models/a.safetensors"]


def the_line(file: Path, beginning: str) -> str:
    """What stands behind `beginning` on the only line that begins so."""
    [line] = [line for line in file.read_text().splitlines() if line.startswith(beginning)]
    return line.removeprefix(beginning)


@pytest.mark.parametrize("command", [command_of_unit, command_of_image])
def test_the_command_serves_those_who_have_the_key_and_ends_well(
    command: Callable[[], list[str]], models: Path
) -> None:
    program, subcommand, *arguments = command()
    assert (Path(program).name, subcommand) == ("burble", "serve")
    model = str(models / "letters.safetensors")
    told = [model if word.endswith(".safetensors") else word for word in arguments]
    with burble_serve(*told, BURBLE_API_KEY="secret") as server:
        assert server.complete(prompt="a").status_code == 401
        server.client.headers["Authorization"] = "Bearer secret"
        assert len(server.text(prompt="a", max_tokens=5)) == 5
    assert server.process.returncode == 0


@needs_systemd
def test_systemd_takes_every_line_of_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    # What is started must be there, and is not installed here.
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/sh", UNIT.read_text()))
    told = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr
    assert UNIT.name not in told.stderr  # a key it does not know is a warning only


@needs_systemd
def test_systemd_finds_little_that_the_service_could_do() -> None:
    threshold = f"--threshold={MOST_EXPOSURE * 10:.0f}"
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", threshold, UNIT],
        capture_output=True,
        text=True,
        check=False,
    )
    if "unrecognized option" in told.stderr:
        pytest.skip("this systemd-analyze cannot judge a unit that is not running")
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_build_is_sent_what_an_installation_needs_and_nothing_else() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    needed = {"src", "pyproject.toml", "constraints.txt", project["readme"]}
    ignored, *rules = (
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[0] != "#"
    )
    assert ignored == "*"
    assert {rule[1:] for rule in rules if rule[0] == "!"} == {*needed, *project["license-files"]}
