"""What was given on the command line, and only that, is laid over a base."""

from __future__ import annotations

from typing import Any

import pytest

from burble.cli.commands.train import TrainCommand
from burble.cli.options import Command
from burble.errors import OptionError
from burble.training.request import PLANNED


def given(*args: str) -> dict[str, Any]:
    """The options of a run that `burble train ARGS` gives."""
    found: list[TrainCommand] = []
    with Command(TrainCommand, found.append).make_context("train", list(args)) as ctx:
        ctx.command.invoke(ctx)
    return found[0].given()


def test_no_flag_is_no_given_option() -> None:
    assert given() == {}
    assert given("a.txt", "-o", "m") == {"sources": ("a.txt",)}


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_an_option_is_given_whatever_its_value(name: str) -> None:
    # The defaults among them.
    values = ["1", "2", "96", "512"] if name == "hidden_size" else ["0", "0.01", "0.1", "0.2"]
    for value in values:
        found = given("a.txt", f"--{name.replace('_', '-')}", value, "--steps", "5")
        assert found == {"sources": ("a.txt",), name: float(value), "steps": 5}


@pytest.mark.parametrize("spelled", [["--hidden_size", "64"], ["--hidden-size=64"]])
def test_an_option_is_given_however_it_is_spelled(spelled: list[str]) -> None:
    assert given(*spelled, "--dropout=0.2") == {"hidden_size": 64, "dropout": 0.2}


def test_a_text_that_is_named_like_a_flag_gives_nothing() -> None:
    assert given("hidden-size", "dropout", "--out", "weight_decay") == {
        "sources": ("hidden-size", "dropout")
    }


def test_switches_are_turned_on_and_off() -> None:
    assert given("--lowercase", "--no-locked-dropout", "--residual", "--no_residual") == {
        "lowercase": True,
        "locked_dropout": False,
        "residual": False,
    }


def test_an_option_can_be_taken_back() -> None:
    assert given("--minutes", "none", "--unicode-form", "NFC") == {
        "minutes": None,
        "unicode_form": "NFC",
    }
    assert given("--encoding", "none") == {"encoding": None}
    with pytest.raises(OptionError, match="seq_len must be a whole number; found 'none'"):
        given("--seq-len", "none")
