"""Help fits a screen, what it shows can be typed, and `--help-all` leaves nothing out."""

from __future__ import annotations

import importlib
import shlex

import pytest

from burble.cli.commands.plot import PlotCommand
from burble.cli.main import COMMANDS, FIRST_STEPS
from burble.cli.options import Command, spelling
from tests.cli.command import succeed


def command(name: str) -> Command:
    found = importlib.import_module(f"burble.cli.commands.{name}").main
    assert isinstance(found, Command)
    return found


def help_lines(monkeypatch: pytest.MonkeyPatch, *args: str) -> list[str]:
    """Return what `burble ARGS` prints in a terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = succeed(*args).stdout.decode().splitlines()
    assert max(map(len, lines)) <= 80
    return lines


def parse(example: str) -> None:
    """Read a command line as burble does. Raises click's errors, and burble's for a wrong value."""
    program, name, *args = shlex.split(example)
    assert program == "burble"
    with command(name).make_context(name, args) as context:
        assert context.params


@pytest.mark.parametrize("args", [[], ["--help"], ["-h"], ["--help-all"], ["help"]])
def test_burble_alone_is_a_screen(monkeypatch: pytest.MonkeyPatch, args: list[str]) -> None:
    lines = help_lines(monkeypatch, *args)
    assert len(lines) <= 25
    assert all(f"  {step}" in lines for step in FIRST_STEPS)
    listed = [line.split()[0] for line in lines if line.startswith("  ")]
    assert listed[len(FIRST_STEPS) :] == list(COMMANDS)
    assert all(len(purpose.split()) <= 5 for purpose in COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_is_a_screen(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    lines = help_lines(monkeypatch, name, "--help")
    assert lines[0].startswith(f"Usage: burble {name} ")
    assert len(lines) <= 40
    assert lines == help_lines(monkeypatch, name, "-h")


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_two_examples_and_ten_options(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    lines = help_lines(monkeypatch, name, "--help")
    known = [one for part in command(name).knobs.values() for one in part]
    common = command(name).common
    assert len(command(name).examples) == 2
    assert all(f"  {example}" in lines for example in command(name).examples)
    assert 1 <= len(common) <= 10
    assert all(one in known for one in common)
    for one in common:
        spelled = f"  {one.flag if one.kind is bool and not one.default else spelling(one)}"
        assert any(line.startswith(spelled) for line in lines)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_all_lists_every_option(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    lines = help_lines(monkeypatch, name, "--help-all")
    for heading, part in command(name).knobs.items():
        assert (f"{heading}:" in lines) == bool(part)
        assert all(any(line.startswith(f"  {spelling(one)}") for line in lines) for one in part)


@pytest.mark.parametrize("example", FIRST_STEPS)
def test_a_first_step_can_be_typed(example: str) -> None:
    parse(example)


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_a_command_can_be_typed(name: str) -> None:
    for example in command(name).examples:
        parse(example)


def test_a_common_option_must_exist() -> None:
    with pytest.raises(KeyError, match="colour"):
        Command(PlotCommand, print, common=["colour"])
