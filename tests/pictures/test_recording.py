from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pictures import recording
from pictures.recording import Recording, load, record, save
from pictures.screen import Screen

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_is_recorded_as_a_terminal_of_that_size_shows_it(tmp_path: Path) -> None:
    found = record(["corpora"], "burble corpora", tmp_path, (60, 24))
    screen = Screen(60, 24)
    for when, text in found.pieces:
        assert 0 < when <= found.seconds
        screen.feed(text)
    assert "tinyshakespeare" in screen.text()


def test_what_burble_refuses_is_raised_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)burble generate nothing ended with 4:.*nothing"):
        record(["generate", "nothing"], "burble generate nothing", tmp_path, (60, 24))


def test_a_character_that_two_reads_share_is_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = iter(["é—".encode()[:3], "é—".encode()[3:], b""])
    monkeypatch.setattr(os, "read", lambda *_: next(pieces))
    assert [text for _, text in recording._read_pieces(0)] == ["é", "—"]


def test_what_is_kept_is_loaded_as_it_was(tmp_path: Path) -> None:
    kept = [Recording("burble train", [(0.5, "é\x1b[1m")], 1.5)]
    save(kept, tmp_path / "kept.json")
    assert load(tmp_path / "kept.json") == kept
