"""A page and the command line write the same text, whatever the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from burble.config import NormalizationConfig
from tests.cli.command import burble_json
from tests.export.pages import open_page, text_of, write
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome

    from burble.model_file import ModelFile

# Beyond the Basic Multilingual Plane a character is two units to JavaScript and one to Python.
ASTRAL = "\n abcdefghß’é🙂🎈𝒳"

# Weights that set the logits apart, so that a text is of what the model says, not of chance.
_CLEAR: dict[str, Any] = {"scale": 1.2, "head_scale": 3.0}

MODELS: dict[str, ModelFile] = {
    "characters": random_model(num_layers=2, hidden_size=40, vocabulary=ASTRAL, seed=1, **_CLEAR),
    "bytes": random_model(
        cell="gru", num_layers=3, residual=True, hidden_size=33, vocabulary=None, seed=2, **_CLEAR
    ),
    "tutorial": random_model(
        input="scalar",
        num_layers=2,
        hidden_size=16,
        vocabulary="\n abcdefgh.",
        seed=3,
        normalization=NormalizationConfig(lowercase=True, unicode_form="NFC"),
        **_CLEAR,
    ),
}

FILTERS = {
    "temperature": 1.7,
    "top_k": 9,
    "top_p": 0.93,
    "min_p": 0.02,
    "repetition_penalty": 1.2,
}

# Each filter alone is held by the golden texts.
COMBINATIONS: list[tuple[str, dict[str, Any]]] = [
    ("characters", {"prompt": "🙂a🎈", "seed": 2, "temperature": 2.5}),
    ("characters", {"prompt": "é", "seed": 6, **FILTERS}),
    ("characters", {"prompt": "b", "seed": 7, "temperature": 3.0, "stop": ["é🙂", "Ω"]}),
    ("bytes", {"prompt": "straße 🙂\n", "seed": 8}),
    ("bytes", {"prompt": "x", "seed": 10, "temperature": 100, "length": 700}),
    ("bytes", {"prompt": "日本", "seed": 12, **FILTERS}),
    ("bytes", {"prompt": "a", "seed": 13, "temperature": 100, "stop": ["\ufffd\ufffd\ufffd", "a"]}),
    ("bytes", {"prompt": "abc", "seed": 14, "window": 2, "length": 60}),
    ("tutorial", {"prompt": "ABCDEFGH", "seed": 15}),
    (
        "tutorial",
        {"prompt": "abcdefgh abc", "seed": 17, "window": 10, "temperature": 1.1, "length": 120},
    ),
    ("tutorial", {"prompt": "a", "seed": 18, **FILTERS}),
    ("tutorial", {"prompt": "a", "seed": 19, "temperature": 2.0, "stop": ["\n\n", "g\n", "cg\n"]}),
]


def options(settings: dict[str, Any]) -> list[str]:
    """The settings as arguments, each with its value, which may begin with a dash."""
    given = {name.replace("_", "-"): value for name, value in settings.items() if name != "prompt"}
    stops = given.pop("stop", [])
    return [f"--{name}={value}" for name, value in [*given.items(), *(("stop", s) for s in stops)]]


def test_the_combinations_have_every_model_and_every_setting() -> None:
    assert {name for name, _ in COMBINATIONS} == set(MODELS)
    given = {name for _, settings in COMBINATIONS for name in settings}
    assert given == {"prompt", "seed", "length", "window", "stop", *FILTERS}


@pytest.mark.parametrize("number", range(len(COMBINATIONS)))
def test_the_page_writes_what_the_command_line_writes(
    driver: Chrome, number: int, tmp_path: Path
) -> None:
    name, settings = COMBINATIONS[number]
    MODELS[name].save(tmp_path / "model.safetensors")
    command = ("generate", tmp_path / "model.safetensors", settings["prompt"])
    expected = burble_json(*command, *options(settings))
    open_page(driver, MODELS[name], tmp_path)
    assert write(driver, **settings) == expected["text"]
    assert text_of(driver, "begun") == expected["prompt"]
    stops_early = len(expected["text"]) < settings.get("length", 300)
    assert stops_early == ("stop" in settings)
