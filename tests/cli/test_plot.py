from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.command import assert_refused, burble, succeed

if TYPE_CHECKING:
    from pathlib import Path


def test_a_run_is_drawn(trained: Path, tmp_path: Path) -> None:
    figure = tmp_path / "learning.png"
    succeed("plot", trained / "run", "-o", figure)
    assert figure.read_bytes().startswith(b"\x89PNG")


def test_runs_of_one_name_are_told_apart_by_their_paths(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(trained / "run")
    other = tmp_path / "other" / "run"
    other.mkdir(parents=True)
    (other / "metrics.jsonl").write_bytes((trained / "run" / "metrics.jsonl").read_bytes())
    succeed("plot", trained / "run", other, "-o", tmp_path / "both.svg")
    assert b"<svg" in (tmp_path / "both.svg").read_bytes()


def test_mistakes_are_refused(trained: Path, tmp_path: Path) -> None:
    figure = tmp_path / "learning.png"
    assert_refused(burble("plot", tmp_path, "-o", figure), 2, "There is no run in", "metrics.jsonl")
    assert_refused(burble("plot", trained / "run", "-o", tmp_path / "a.gif"), 2, ".svg or .pdf")
    assert_refused(burble("plot", "-o", figure), 2, "No run is named. Name the folder")
    nowhere = tmp_path / "nowhere" / "a.png"
    assert_refused(burble("plot", trained / "run", "-o", nowhere), 2, "cannot be written")
