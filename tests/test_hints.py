from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from burble.hints import entries, models_in, nearest_name, nearest_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("typed", "near"),
    [("trian", "train"), ("TRAIN", "train"), ("generat", "generate"), ("x", None), ("", None)],
)
def test_the_nearest_name_is_found(typed: str, near: str | None) -> None:
    assert nearest_name(typed, ["generate", "train", "eval"]) == near


def test_only_the_last_part_of_a_path_is_compared(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a")
    assert nearest_path(f"{tmp_path}/texd.txt") == f"{tmp_path}/text.txt"
    assert nearest_path(f"{tmp_path}/other.toml") is None
    assert nearest_path(f"{tmp_path}/none/text.txt") is None
    assert nearest_path(f"{tmp_path}/modle", ["model"]) == f"{tmp_path}/model"


def test_models_are_run_folders_and_model_files(tmp_path: Path) -> None:
    for name in ("run/model.safetensors", "small.safetensors", "notes/a.txt", "b.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert models_in(str(tmp_path)) == ["run", "small.safetensors"]


@pytest.mark.parametrize("folder", ["nowhere", "a\0b", "x" * 300])
def test_a_folder_that_cannot_be_read_has_no_entries(folder: str) -> None:
    assert entries(folder) == []
