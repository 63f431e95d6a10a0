"""A prepared text is loaded whole or not at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from burble.config import NormalizationConfig
from burble.data.prepared import FACTS_FILE, IDS_FILE, PreparedText, TextFacts, write_facts
from burble.errors import TextError
from burble.tokenizers.char import CharTokenizer

if TYPE_CHECKING:
    from pathlib import Path

FACTS = TextFacts("f" * 64, 2, 10, 8, 10, 8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A prepared text of ten ids, three distinct."""
    ids = CharTokenizer("abé").encode("abéabéabéa")
    (tmp_path / IDS_FILE).write_bytes(ids.tobytes())
    normalization = NormalizationConfig(lowercase=True, unicode_form="NFC")
    write_facts(tmp_path, FACTS, CharTokenizer("abé"), normalization)
    return tmp_path


def refusal(folder: Path) -> str:
    with pytest.raises(TextError) as caught:
        PreparedText.load(folder)
    return str(caught.value)


def rewrite(folder: Path, change: dict[str, Any]) -> None:
    described = json.loads((folder / FACTS_FILE).read_text("utf-8"))
    for part, values in change.items():
        described[part] = described[part] | values if isinstance(values, dict) else values
    (folder / FACTS_FILE).write_text(json.dumps(described))


def test_what_was_written_is_loaded(folder: Path) -> None:
    text = PreparedText.load(folder)
    assert text.facts == FACTS
    assert text.tokenizer.decode(text.train_ids) == "abéabéab"
    assert text.tokenizer.decode(text.val_ids) == "éa"
    assert text.normalization == NormalizationConfig(lowercase=True, unicode_form="NFC")


def test_the_sealed_part_is_not_of_the_held_out_one(folder: Path) -> None:
    rewrite(folder, {"facts": {"sealed_ids": 1, "sealed_characters": 1}})
    text = PreparedText.load(folder)
    parts = (text.train_ids, text.val_ids, text.test_ids)
    assert [text.tokenizer.decode(part) for part in parts] == ["abéabéab", "é", "a"]


def test_facts_of_before_there_was_a_sealed_part_are_loaded(folder: Path) -> None:
    described = json.loads((folder / FACTS_FILE).read_text("utf-8"))
    del described["facts"]["sealed_ids"], described["facts"]["sealed_characters"]
    (folder / FACTS_FILE).write_text(json.dumps(described))
    text = PreparedText.load(folder)
    assert text.facts == FACTS
    assert len(text.test_ids) == 0


def test_the_ids_are_mapped_and_not_for_writing(folder: Path) -> None:
    text = PreparedText.load(folder)
    assert not text.ids.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        text.ids[0] = 1


@pytest.mark.parametrize("name", [FACTS_FILE, IDS_FILE])
def test_a_folder_that_lacks_a_file_is_not_loaded(folder: Path, name: str) -> None:
    assert "cannot be used" in refusal(folder / "missing")
    (folder / name).unlink()
    told = refusal(folder)
    assert f"The prepared text in {folder} cannot be used" in told
    assert name in told


@pytest.mark.parametrize("length", [0, 9, 11])
def test_ids_of_another_length_are_not_loaded(folder: Path, length: int) -> None:
    (folder / IDS_FILE).write_bytes(b"\0" * length)
    assert "cannot be used" in refusal(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"facts": {"num_ids": 9}},
        {"facts": {"num_ids": -1}},
        {"facts": {"num_ids": 10**30}},
        {"facts": {"num_ids": 10.0}},
        {"facts": {"cut_ids": 11}},
        {"facts": {"cut_ids": -1}},
        {"facts": {"sealed_ids": -1}},
        {"facts": {"sealed_ids": 3}},
        {"facts": {"sealed_ids": 10**30}},
        {"facts": []},
        {"facts": None},
        {"tokenizer": {"kind": "bpe"}},
        {"tokenizer": {"kind": ["char"]}},
        {"tokenizer": {"vocabulary": "ba"}},
        {"tokenizer": {"vocabulary": "".join(map(chr, range(300)))}},
        {"normalization": {"lowercase": "yes"}},
        {"format_version": 2},
        {"format_version": None},
    ],
)
def test_facts_that_cannot_be_are_not_loaded(folder: Path, change: dict[str, Any]) -> None:
    rewrite(folder, change)
    assert "cannot be used" in refusal(folder)


def test_a_text_of_a_later_version_calls_for_it(folder: Path) -> None:
    for change in ({"format_version": 2}, {"tokenizer": {"kind": "bpe"}}):
        rewrite(folder, change)
        assert refusal(folder).endswith("Install a newer burble.")


def test_a_field_of_a_later_version_is_left_out(folder: Path) -> None:
    for part in ("facts", "normalization", "tokenizer"):
        rewrite(folder, {part: {"later": [1]}})
    text = PreparedText.load(folder)
    assert text.facts == FACTS
    assert text.tokenizer.decode(text.ids) == "abéabéabéa"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"{}", b"\xff\xfe", b"null"])
def test_a_facts_file_that_is_none_is_not_loaded(folder: Path, content: bytes) -> None:
    (folder / FACTS_FILE).write_bytes(content)
    assert "cannot be used" in refusal(folder)
