"""A knob is described once: range checks, flags, schema, pages and docs say the same of it."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from burble.cli.main import COMMANDS
from burble.config import SECTIONS, SamplingConfig
from burble.engine.generate import GenerationRequest
from burble.errors import OptionError
from burble.escapes import read_escapes
from burble.export.html import page
from burble.export.labels import Labels
from burble.knobs import Knob, knobs_of
from burble.serving.completions.requests import CompletionRequest, page_fields
from tests.models import random_model

if TYPE_CHECKING:
    from burble.cli.options import Command

CONFIGS: list[type] = [*SECTIONS.values(), SamplingConfig, GenerationRequest]
KNOBS = [knob for config in CONFIGS for knob in knobs_of(config).values()]
DOCS = Path(__file__).parents[1] / "docs"


def command(name: str) -> Command:
    found: Command = importlib.import_module(f"burble.cli.commands.{name}").main
    return found


@pytest.mark.parametrize("knob", KNOBS, ids=lambda knob: knob.name)
def test_each_knob_has_help_and_a_range_or_choices(knob: Knob) -> None:
    assert knob.help.endswith(".")
    assert knob.range or knob.choices or knob.kind in {bool, str}
    assert not (knob.range and knob.choices)
    if knob.default is not None:
        knob.check(knob.default) if knob.range else None
    if knob.slider:
        lowest, highest, step = knob.slider
        for value in (lowest, highest, knob.default):
            knob.check(value)
        assert lowest <= knob.default <= highest
        assert math.isclose((knob.default - lowest) / step, round((knob.default - lowest) / step))


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_of_a_command_has_help(name: str) -> None:
    knobs = [knob for part in command(name).knobs.values() for knob in part]
    assert all(knob.help.endswith(".") for knob in knobs)
    assert len({knob.flag for knob in knobs}) == len(knobs)


def test_the_flags_of_train_are_the_knobs_of_a_run() -> None:
    parts = command("train").knobs
    for heading, section in SECTIONS.items():
        assert parts[heading.capitalize()] == list(knobs_of(section).values())
    assert command("generate").knobs["Sampling"] == list(knobs_of(SamplingConfig).values())


@pytest.mark.parametrize("knob", knobs_of(SamplingConfig).values(), ids=lambda knob: knob.name)
def test_the_schema_of_a_request_is_the_knobs(knob: Knob) -> None:
    field = CompletionRequest.model_json_schema()["properties"][knob.name]
    described = field | next(part for part in field["anyOf"] if part != {"type": "null"})
    names = {"minimum": knob.low, "exclusiveMinimum": knob.above, "maximum": knob.high}
    for name, value in names.items():
        assert described.get(name) == value, name
    assert (described["default"], described["description"]) == (knob.default, knob.help)


def test_the_pages_have_the_knobs() -> None:
    sliders = {slider["name"]: slider for slider in page_fields()["sliders"]}
    known = {
        "max_tokens": knobs_of(GenerationRequest)["max_characters"],
        **knobs_of(SamplingConfig),
    }
    assert sliders.keys() == {name for name, knob in known.items() if knob.slider}
    for name, slider in sliders.items():
        shown = slider["min"], slider["max"], slider["step"]
        assert (shown, slider["value"]) == (known[name].slider, known[name].default)
    exported = page(random_model(), Labels("model", None, None))
    assert all(f'"id":"{name}"' in exported for name in knobs_of(SamplingConfig))


def test_the_docs_have_the_knobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DOCS)
    make_options: Any = importlib.import_module("make_options")
    monkeypatch.delitem(sys.modules, "make_options")
    assert (DOCS / "options.md").read_text() == make_options.make_page(), "run: make options"


@pytest.mark.parametrize(
    ("knob", "text", "value"),
    [
        (Knob(help="", kind=int), "7", 7),
        (Knob(help="", kind=float), "1e-3", 0.001),
        (Knob(help="", kind=float, optional=True), "None", None),
        (Knob(help="", choices=("a", "b"), optional=True), "none", None),
        (Knob(help="", optional=True), "none", "none"),
        (Knob(help="", escapes=True), r"a\nb", "a\nb"),
        (Knob(help=""), r"a\nb", r"a\nb"),
    ],
)
def test_a_typed_value_is_read(knob: Knob, text: str, value: object) -> None:
    assert knob.read(text) == value


@pytest.mark.parametrize(
    ("facts", "text", "told"),
    [
        ({"kind": int}, "7.5", "size must be a whole number; found '7.5'."),
        ({"kind": float}, "hot", "size must be a number; found 'hot'."),
        ({"choices": ("a", "b")}, "c", "size must be one of a, b; found 'c'."),
        ({"kind": int, "low": 1, "high": 9000}, "0", "between 1 and 9,000; found 0."),
        ({"kind": float, "above": 0, "high": 1}, "0", "above 0 and at most 1; found 0."),
        ({"kind": float, "low": 0, "below": 1}, "1", "at least 0 and below 1; found 1."),
        ({"kind": float, "low": 0, "below": 1}, "nan", "found nan."),
        ({"kind": int, "low": 0}, "9" * 400, "at most 2⁶³-1; found 999"),
        ({"kind": int, "low": 1, "high": 9}, "x", "found 'x'. Give one between 1 and 9."),
        ({"kind": int}, "1e3", "found '1e3'. For 1e3 give 1000."),
        ({"kind": int}, "64k", "For 64k give 64000."),
        ({"kind": int}, "1,000", "For 1,000 give 1000."),
        ({"kind": float}, "0,5", "For 0,5 give 0.5."),
        ({"kind": float, "example": "1"}, "hot", "found 'hot'. Give a number such as 1."),
    ],
)
def test_a_wrong_value_is_refused_by_name(facts: dict[str, Any], text: str, told: str) -> None:
    with pytest.raises(OptionError) as caught:
        Knob(help="", name="size", **facts).read(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (r"a\nb", "a\nb"),
        (r"\t", "\t"),
        (r"C:\\new", r"C:\new"),
        (r"\d\w", r"\d\w"),
        ("\\", "\\"),
        (r"\\\n", "\\\n"),
    ],
)
def test_escapes_have_one_rule(typed: str, meant: str) -> None:
    assert read_escapes(typed) == meant


@pytest.mark.parametrize("name", COMMANDS)
def test_what_names_something_must_not_be_empty(name: str) -> None:
    for one in (one for part in command(name).knobs.values() for one in part):
        if one.kind is str and not one.escapes:
            with pytest.raises(OptionError, match=r"must not be empty\.|must be one of"):
                one.read("")
