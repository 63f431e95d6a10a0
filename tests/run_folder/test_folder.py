"""A new run takes an old one's place whole, or not at all, wherever it is cut."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from burble.config import RunConfig
from burble.errors import UsageError
from burble.folder_names import ASIDE, MANIFEST, READY
from burble.model_file import ModelFile
from burble.run_folder.folder import STATE_FORMAT, RunFolder
from tests.models import random_model

PARTS = {
    "model.safetensors",
    "run.toml",
    "metrics.jsonl",
    "samples.txt",
    "data/ids.bin",
    "last/manifest.json",
}


class CutError(Exception):
    """Stands for a kill."""


def fill(root: Path, seed: int, step: int) -> None:
    """Lay down a run whose every part tells which run it is of."""
    for name in ("data", "last"):
        (root / name).mkdir(parents=True, exist_ok=True)
    model = random_model(seed=seed)
    replace(model, provenance=replace(model.provenance, seed=seed, steps=step)).save(
        root / "model.safetensors"
    )
    RunFolder(root).write_config(RunConfig().with_options({"seed": seed}))
    for name in ("metrics.jsonl", "samples.txt", "data/ids.bin"):
        (root / name).write_text(str(seed))
    manifest = STATE_FORMAT.mark({"seed": seed, "position": {"step": step}})
    (root / "last" / MANIFEST).write_text(json.dumps(manifest))


def seeds(root: Path) -> set[str]:
    """Which runs the parts are of."""
    texts = {(root / name).read_text() for name in ("metrics.jsonl", "samples.txt", "data/ids.bin")}
    manifest = json.loads((root / "last" / MANIFEST).read_text())
    found = texts | {str(RunFolder(root).read_config().training.seed)}
    return found | {str(ModelFile.load(root).provenance.seed), str(manifest["seed"])}


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def new_run(path: Path, step: int = 5) -> RunFolder:
    folder = RunFolder(path)
    folder.open_new(overwrite=True)
    fill(folder.root, seed=2, step=step)
    folder.begin(RunConfig().with_options({"seed": 2}))
    return folder


def cut_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Let the process end before one of its calls that move files."""
    calls = 0

    def count(real: Any) -> Any:
        def counted(self: Path, *args: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls == call:
                raise CutError
            return real(self, *args)

        return counted

    for name in ("rename", "replace", "touch", "rmdir"):
        monkeypatch.setattr(Path, name, count(getattr(Path, name)))


def test_the_old_run_stays_until_the_new_one_takes_its_place(tmp_path: Path) -> None:
    fill(tmp_path, seed=1, step=9)
    folder = new_run(tmp_path)
    assert folder.is_aside
    assert seeds(tmp_path) == {"1"}
    folder.replace_old()
    assert not folder.is_aside
    assert seeds(tmp_path) == {"2"}
    assert files(tmp_path) == PARTS


@pytest.mark.parametrize("call", range(1, 12))
def test_cut_while_it_moves_in_the_next_process_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    fill(tmp_path, seed=1, step=9)
    folder = new_run(tmp_path)
    with monkeypatch.context() as patch:
        cut_at(patch, call)
        with pytest.raises(CutError):
            folder.replace_old()
    assert ModelFile.load(tmp_path).provenance.seed in {1, 2}
    RunFolder(tmp_path).read_config()
    RunFolder(tmp_path).recover()
    assert seeds(tmp_path) == {"2"}
    assert files(tmp_path) == PARTS


def test_there_are_no_more_places_to_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, seed=1, step=9)
    folder = new_run(tmp_path)
    cut_at(monkeypatch, 12)
    folder.replace_old()


def test_one_that_was_killed_before_its_first_step_is_dropped(tmp_path: Path) -> None:
    fill(tmp_path, seed=1, step=9)
    new_run(tmp_path, step=0)
    assert RunFolder(tmp_path).recover()
    assert seeds(tmp_path) == {"1"}
    assert files(tmp_path) == PARTS


def test_a_run_that_has_learned_is_replaced_only_when_asked(tmp_path: Path) -> None:
    fill(tmp_path, seed=1, step=9)
    with pytest.raises(UsageError, match="already contains a run"):
        RunFolder(tmp_path).open_new(overwrite=False)
    (tmp_path / "last" / MANIFEST).unlink()
    with pytest.raises(UsageError, match="already contains a run"):
        RunFolder(tmp_path).open_new(overwrite=False)


@pytest.mark.parametrize("part", ["model.safetensors", f"last/{MANIFEST}"])
def test_a_broken_run_is_not_thrown_away(tmp_path: Path, part: str) -> None:
    fill(tmp_path, seed=1, step=0)
    (tmp_path / part).write_bytes(b"{")
    with pytest.raises(UsageError, match="already contains a run"):
        RunFolder(tmp_path).open_new(overwrite=False)
    assert files(tmp_path) == PARTS


@pytest.mark.parametrize("left", [PARTS, {"run.toml"}, {"run.toml", "data/ids.bin"}])
def test_a_run_that_has_made_no_step_gives_way(tmp_path: Path, left: set[str]) -> None:
    fill(tmp_path, seed=1, step=0)
    for name in PARTS - left:
        (tmp_path / name).unlink()
    (tmp_path / ".model.safetensors.123.tmp").write_text("half")
    assert RunFolder(tmp_path).open_new(overwrite=False)
    assert files(tmp_path) == set()


@pytest.mark.parametrize(
    "name", ["data/mine.csv", "last/letter.txt", "samples.txt", "model.safetensors"]
)
@pytest.mark.parametrize("config", [None, "format_version = 1\n[my-tool]\n"])
def test_what_may_be_somebody_elses_is_never_touched(
    tmp_path: Path, name: str, config: str | None
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("dear")
    if config is not None:
        (tmp_path / "run.toml").write_text(config)
    before = files(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(UsageError, match="is not a run of burble"):
            RunFolder(tmp_path).open_new(overwrite=overwrite)
    assert files(tmp_path) == before


def test_a_new_folder_is_taken_at_once(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert not folder.open_new(overwrite=False)
    fill(folder.root, seed=2, step=0)
    folder.begin(RunConfig())
    assert not folder.is_aside
    assert files(tmp_path) == PARTS
    assert not (tmp_path / READY).exists()
    assert not (tmp_path / ASIDE).exists()


def test_a_state_of_a_later_version_is_not_called_broken(tmp_path: Path) -> None:
    fill(tmp_path, seed=1, step=9)
    manifest = tmp_path / "last" / MANIFEST
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format_version": 2}))
    with pytest.raises(UsageError, match="Continue it"):
        RunFolder(tmp_path).open_new(overwrite=False)
