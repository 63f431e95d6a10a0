from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from burble.config import NormalizationConfig
from tests.cli.command import assert_refused, burble, burble_json, in_terminal, said, succeed
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a model of random weights, two layers of 12 units."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    random_model(num_layers=2).save(path)
    return path


def test_the_guesses_are_told_for_each_character(trained: Path) -> None:
    result = succeed("inspect", trained / "run", "Ba", "--top", "2")
    shown = result.stdout.decode()
    assert shown.startswith("Ba\n")
    assert "bits per character" in shown
    assert shown.count("%") == 1 + 2 * 2
    assert "\x1b" not in shown


def test_json_is_one_object_with_what_was_chosen(model: Path) -> None:
    chosen = ("--layer", "0", "--unit", "3", "--gate", "forget")
    found = burble_json("inspect", model, "bad", *chosen)
    assert list(found) == [
        *("text", "cell", "bits_per_char", "tokens", "next", "layers", "units", "values"),
        "unknown_chars",
    ]
    assert [len(tokens) for tokens in found["values"].values()] == [3]
    assert found["units"] == [3]


def test_the_text_may_come_from_standard_input(model: Path) -> None:
    typed = burble_json("inspect", model, "-", stdin=b"a b\n")
    assert typed == burble_json("inspect", model, "a b")


def test_the_text_is_read_as_the_models_own_was(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    random_model(normalization=NormalizationConfig(lowercase=True)).save(path)
    assert burble_json("inspect", path, "BAD")["text"] == "bad"


def test_files_are_written_and_told(model: Path, tmp_path: Path) -> None:
    page, figure = tmp_path / "page.html", tmp_path / "figure.svg"
    result = succeed("inspect", model, "bad", "--html", page, "--png", figure, "--unit", "2")
    assert result.stdout == b""
    assert f"Wrote {page}" in said(result)
    assert f"Wrote {figure}" in said(result)
    assert page.read_text().startswith("<!DOCTYPE html>")
    assert b"<svg" in figure.read_bytes()


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["bad", "--gate", "reset"], 2, "forget, input, candidate, output, cell, hidden"),
        (["bad", "--layer", "2"], 2, "It has layers 0 to 1"),
        (["bad", "--unit", "12"], 2, "It has units 0 to 11"),
        (["bad", "--top", "0"], 2, "--top must be at least 1"),
        (["bad", "--png", "figure.gif"], 2, ".svg or .pdf"),
        (["bad", "--html", "nowhere/page.html"], 2, "nowhere/page.html cannot be written"),
        (["bad", "--png", "nowhere/figure.png"], 2, "nowhere/figure.png cannot be written"),
        ([""], 3, "the text is empty"),
        (
            ["zz"],
            3,
            "The model has never seen 'z' (U+007A). Change the text, or use --unknown nearest",
        ),
        (["a" * 5_001], 3, "5,001 characters or bytes. With this model at most 5,000"),
    ],
)
def test_mistakes_are_refused(model: Path, args: list[str], code: int, words: str) -> None:
    assert_refused(burble("inspect", model, *args), code, words)


def test_a_figure_of_a_long_text_is_refused_before_anything_is_written(
    model: Path, tmp_path: Path
) -> None:
    page, figure = tmp_path / "page.html", tmp_path / "figure.png"
    result = burble("inspect", model, "a" * 201, "--html", page, "--png", figure)
    assert_refused(result, 2, "room for 200 characters")
    assert list(tmp_path.iterdir()) == []


def test_a_model_of_many_units_takes_a_shorter_text(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    random_model(cell="rnn", num_layers=3, hidden_size=1024).save(path)
    assert_refused(burble("inspect", path, "a" * 950), 3, "at most 910")


def test_text_that_is_not_utf8_is_refused(model: Path) -> None:
    result = burble("inspect", model, "-", stdin=b"a\xff")
    assert_refused(result, 3, "The text in standard input is not UTF-8", "offset 1")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
def test_a_terminal_gets_colours_unless_it_wants_none(model: Path) -> None:
    assert "48;2;" in in_terminal("inspect", model, "bad", COLORTERM="truecolor")
    assert "48;2;" not in in_terminal("inspect", model, "bad", NO_COLOR="1")


def test_a_text_that_was_changed_is_told_on_standard_error(tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    random_model().save(model)
    result = burble("inspect", model, "aébé", "--unknown", "skip", "--json")
    assert "2 of 4 (50.0%) characters were left out" in result.stderr.decode()
    assert json.loads(result.stdout)["unknown_chars"] == 2
