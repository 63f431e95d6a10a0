from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import pytest

from burble.config import RunConfig
from burble.mapping import from_mapping
from burble.run_toml import from_toml
from tests.cli.command import assert_refused, burble, burble_json, said, succeed
from tests.training.runs import write_text

PLAN_LINE = re.compile(
    r"plan: lstm 1×\d+, batches of 4×12, learning rate 0\.006, dropout (0\.\d+), "
    r"about [\d,]+ characters: .+ times through the text"
)

SHAPE = ("--seq-len", "12", "--batch-size", "4")
QUICK = (*SHAPE, "--steps", "3", "--sample-length", "0")
ALL_KNOBS = (
    *("--hidden-size", "16", "--dropout", "0.2"),
    *("--input-dropout", "0", "--weight-decay", "0.01"),
)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_text(tmp_path_factory.mktemp("text"))


def lines_of_plan(told: str) -> list[str]:
    return [line for line in told.splitlines() if "plan:" in line]


def test_the_plan_is_one_line_and_leaves_nothing_behind(
    text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, scratch = tmp_path / "work", tmp_path / "scratch"
    work.mkdir()
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    before = text.read_bytes(), list(text.parent.iterdir())
    result = succeed("plan", text, *SHAPE, "--hidden-size", "32", cwd=work)
    assert result.stderr == b""
    (line,) = result.stdout.decode().splitlines()
    assert PLAN_LINE.fullmatch(line)
    assert list(work.iterdir()) == []
    assert list(scratch.glob("burble-*")) == []
    assert (text.read_bytes(), list(text.parent.iterdir())) == before


def test_json_has_the_keys_that_stay_and_given_knobs_as_they_are(text: Path) -> None:
    given = ("--hidden-size", "96", "--dropout", "0.25", "--minutes", "2")
    result = succeed("plan", text, "--json", *SHAPE, *given)
    assert len(result.stdout.splitlines()) == 1
    found = json.loads(result.stdout)
    assert list(found) == ["expected_chars", "epochs", "config"]
    assert found["expected_chars"] > 0
    num_ids = 0.9 * len(text.read_text())
    assert found["epochs"] == pytest.approx(found["expected_chars"] / num_ids, rel=0.01)
    config = from_mapping(RunConfig, found["config"], "config")
    options = {"hidden_size": 96, "dropout": 0.25, "minutes": 2.0, "seq_len": 12, "batch_size": 4}
    assert config == config.with_options({"sources": [str(text)], **options})
    # Two minutes go through so short a text many times, which the other knobs answer.
    default = RunConfig().training
    assert config.training.input_dropout > default.input_dropout
    assert config.training.weight_decay > default.weight_decay


def test_standard_input_is_planned_for_like_a_file(text: Path) -> None:
    args = (*SHAPE, "--steps", "50", "--hidden-size", "16")
    found = burble_json("plan", *args, "-", stdin=text.read_bytes())
    assert found["config"]["sources"] == ["-"]
    assert found["expected_chars"] == 50 * 12 * 4
    assert found["epochs"] == pytest.approx(50 * 12 * 4 / (0.9 * len(text.read_text())), rel=0.01)


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["nothing-here.txt"], 3, ["no file or folder 'nothing-here.txt'"]),
        (["--hidden-size", "0"], 2, ["--hidden-size must be between 1 and 16,384; found 0"]),
        (["--dropout", "1"], 2, ["--dropout must be at least 0 and below 1"]),
        (["--minutes", "soon"], 2, ["--minutes must be a number; found 'soon'"]),
        (["EMPTY"], 3, ["found 0 characters"]),
        # What train refuses has no plan.
        (["SHORT"], 3, ["text is too short", "needs"]),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
def test_a_mistake_is_one_message(
    text: Path, tmp_path: Path, args: list[str], code: int, words: list[str]
) -> None:
    (tmp_path / "EMPTY").touch()
    (tmp_path / "SHORT").write_text("too short")
    (tmp_path / "TEXT").write_text(text.read_text())
    assert_refused(burble("plan", *args, cwd=tmp_path), code, *words)


@pytest.mark.parametrize("option", [("--preset", "tutorial"), ("--resume", "nowhere")])
def test_where_every_knob_is_set_there_is_nothing_to_plan(
    text: Path, option: tuple[str, str]
) -> None:
    assert_refused(burble("plan", text, *option), 2, f"With {option[0]}", "nothing to plan")


@pytest.fixture(scope="module")
def planned(text: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run that was planned, and what it said."""
    folder = tmp_path_factory.mktemp("planned") / "run"
    result = succeed("train", text, "-o", folder, *QUICK, "--hidden-size", "16")
    assert result.stdout == b""
    (line,) = lines_of_plan(said(result))
    return folder, line


def test_train_tells_its_plan_and_keeps_to_it(planned: tuple[Path, str]) -> None:
    folder, line = planned
    found = PLAN_LINE.fullmatch(line)
    assert found
    saved = from_toml((folder / "run.toml").read_text(), "")
    assert "lstm 1×16," in line
    assert saved.network.hidden_size == 16
    assert saved.training.dropout == float(found[1])
    # The default is 0.2; three steps are next to nothing of the text.
    assert saved.training.dropout < RunConfig().training.dropout


def assert_trains_without_plan(*args: str | Path) -> None:
    result = succeed("train", *args)
    told = said(result)
    assert "bits per character" in told
    assert lines_of_plan(told) == []


def test_a_resumed_run_has_no_new_plan(planned: tuple[Path, str]) -> None:
    folder, _ = planned
    before = from_toml((folder / "run.toml").read_text(), "")
    assert_trains_without_plan("--resume", folder, "--steps", "5")
    after = from_toml((folder / "run.toml").read_text(), "")
    assert after == before.with_options({"steps": 5})


def test_a_configuration_file_is_complete(planned: tuple[Path, str], tmp_path: Path) -> None:
    config = planned[0] / "run.toml"
    assert_trains_without_plan("--config", config, "-o", tmp_path / "m")
    assert (tmp_path / "m" / "run.toml").read_text() == config.read_text()


@pytest.mark.parametrize("base", [("--preset", "tutorial", "--hidden-size", "8"), ALL_KNOBS])
def test_where_nothing_is_left_to_plan_there_is_no_plan(
    text: Path, tmp_path: Path, base: tuple[str, ...]
) -> None:
    # The held-out part is short: windows slide over it character by character.
    args = (*base, *QUICK, "--val-fraction", "0.01")
    assert_trains_without_plan(text, "-o", tmp_path / "m", *args)
