"""The folder to publish holds a whole model and an honest card."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from burble.errors import UsageError
from burble.export import hub
from burble.export.labels import Labels
from burble.model_file import ModelFile, Provenance
from tests.models import random_model

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = Provenance(
    text_fingerprint="ab" * 32,
    num_characters=12_345,
    cut_characters=11_000,
    val_bits_per_char=2.34567,
    test_bits_per_char=2.45678,
    int8_cost_bits=0.0004,
    steps=300,
    chars_seen=150_000,
    seconds=61.4,
    seed=9,
    burble_version="0.1.0",
)


def front_matter(card: str) -> list[str]:
    return card.split("---\n")[1].splitlines()


def test_the_folder_is_a_model(tmp_path: Path) -> None:
    model = random_model(provenance=ORIGIN)
    hub.write(model, tmp_path / "out", Labels("alice"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        ".gitattributes",
        "README.md",
        "config.json",
        "model.safetensors",
    }
    loaded = ModelFile.load(tmp_path / "out")
    assert loaded.to_bytes() == model.to_bytes()
    config = json.loads((tmp_path / "out" / "config.json").read_text("utf-8"))
    assert config["model"]["hidden_size"] == 12
    assert "*.safetensors filter=lfs" in (tmp_path / "out" / ".gitattributes").read_text("utf-8")


def test_the_card_tells_what_was_measured() -> None:
    card = hub.card(random_model(provenance=ORIGIN), Labels("alice"))
    for fact in (
        "2.3457",
        "2.4568",
        "+0.0004",
        "12,345",
        "11,000",
        "ab" * 32,
        "300 steps",
        "seed 9",
    ):
        assert fact in card


def test_the_card_tells_nothing_that_was_not_measured() -> None:
    card = hub.card(random_model(), Labels("alice"))
    for word in ("SHA-256", "held out", "sealed", "int8", "steps", "None"):
        assert word not in card


def test_licence_and_language_are_left_to_the_author() -> None:
    card = hub.card(random_model(), Labels("alice"))
    lines = front_matter(card)
    assert "library_name: burble" in lines
    assert "pipeline_tag: text-generation" in lines
    assert "- lstm" in lines
    assert not any(line.startswith(("license:", "language:")) for line in lines)
    assert "No licence is named yet" in card


def test_a_given_licence_and_language_are_named() -> None:
    card = hub.card(random_model(), Labels("alice", license="cc-by-4.0", language="no"))
    assert 'license: "cc-by-4.0"' in front_matter(card)
    assert 'language: "no"' in front_matter(card)
    assert "No licence is named yet" not in card


@pytest.mark.parametrize("word", ["mit\ntags: [x]", 'mit"', "", "two words", "-"])
def test_what_is_no_identifier_is_refused(word: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must be a short identifier"):
        hub.write(random_model(), tmp_path / "out", Labels("alice", license=word))
    assert list(tmp_path.iterdir()) == []


def test_a_name_is_not_markup() -> None:
    card = hub.card(random_model(), Labels("<b>[x](y)\n---\n# z</b>"))
    assert "# \\<b\\>\\[x\\](y) --- \\# z\\</b\\>" in card.splitlines()


def test_a_model_that_runs_in_float32_does_not_promise_the_same_text() -> None:
    promise = "The same seed gives the same text on every machine."
    assert promise in hub.card(random_model(), Labels("alice"))
    harmed = random_model(provenance=Provenance(int8_cost_bits=0.02))
    assert promise not in hub.card(harmed, Labels("alice"))
