"""The sealed part of a text changes nothing of what is learned, and is scored once at the end."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from burble import api
from burble.data.prepared import PreparedText
from burble.errors import UsageError
from burble.evaluation.evaluate import ngram_bits
from burble.model_file import ModelFile
from burble.run_hooks import open_run
from burble.training.request import RunRequest
from tests.cli.command import assert_refused, burble, burble_json
from tests.training.runs import (
    made_up_text,
    resume_tiny,
    tiny_config,
    train_run,
    train_tiny,
    write_text,
)

if TYPE_CHECKING:
    from pathlib import Path

    from burble.model_file import Weights

SHARES = {"val_fraction": 0.1, "test_fraction": 0.15}


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with text.txt and in run/ a finished run of it, 15 % of the text sealed."""
    folder = tmp_path_factory.mktemp("sealed")
    train_tiny(folder, **SHARES)
    return folder


def parts(text: str) -> tuple[str, str, str]:
    first, second = int(0.75 * len(text)), int(0.85 * len(text))
    return text[:first], text[first:second], text[second:]


evaluated = partial(burble_json, "eval")


def trained_on(folder: Path, text: str, **options: Any) -> Weights:
    folder.mkdir()
    (folder / "text.txt").write_text(text, encoding="utf-8")
    config = tiny_config(folder / "text.txt", **SHARES, **options)
    train_run(config, folder / "run")
    return ModelFile.load(folder / "run").weights


@pytest.mark.parametrize("batching", ["stream", "windows", "sentences"])
def test_another_sealed_part_of_the_same_characters_changes_no_weight(
    tmp_path: Path, batching: str
) -> None:
    text = made_up_text()
    train, val, test = parts(text)
    other = "".join(np.random.default_rng(0).permutation(list(test)))
    weights = trained_on(tmp_path / "one", text, batching=batching)
    same = trained_on(tmp_path / "two", train + val + other, batching=batching)
    assert all(np.array_equal(weights[name], same[name]) for name in weights)
    files = [ModelFile.load(tmp_path / name / "run").provenance for name in ("one", "two")]
    assert files[0].int8_cost_bits == files[1].int8_cost_bits
    assert files[0].val_bits_per_char == files[1].val_bits_per_char
    assert files[0].test_bits_per_char != files[1].test_bits_per_char
    # The held-out part does decide: which weights are kept, and what int8 costs.
    moved = trained_on(tmp_path / "three", train + val[::-1] + test, batching=batching)
    assert moved.keys() == weights.keys()
    costs = ModelFile.load(tmp_path / "three" / "run").provenance
    assert costs.val_bits_per_char != files[0].val_bits_per_char


def test_the_plan_does_not_depend_on_the_sealed_part(tmp_path: Path) -> None:
    train, val, test = parts(made_up_text())
    plans = []
    for name, end in (("one", test), ("two", test[::-1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text.txt").write_text(train + val + end, encoding="utf-8")
        source = str(tmp_path / name / "text.txt")
        # On a busy machine, what is measured may say one thing and then another.
        options = {"sources": (source,), "steps": 50, "precision": "float32", **SHARES}
        plans.append(open_run(tmp_path / name).plan(RunRequest(options)))
    assert plans[0].expected_chars == plans[1].expected_chars
    assert plans[0].config.training == plans[1].config.training


def test_the_run_reports_both_scores(sealed: Path, tmp_path: Path) -> None:
    result = train_tiny(tmp_path, **SHARES)
    model = api.load(tmp_path / "run")
    _, _, test = parts((tmp_path / "text.txt").read_text())
    assert result.test_bits_per_char == pytest.approx(model.score(test).bits_per_char, abs=1e-12)
    assert result.test_nats_per_char == pytest.approx(model.score(test).nats_per_char, abs=1e-12)
    assert model.file.provenance.test_bits_per_char == result.test_bits_per_char
    assert model.file.provenance.sealed_characters == len(test)
    assert result.val_bits_per_char != result.test_bits_per_char


def test_eval_scores_each_part_for_itself(sealed: Path) -> None:
    found = evaluated(sealed / "run", sealed / "text.txt")
    model = api.load(sealed / "run")
    train, val, test = parts((sealed / "text.txt").read_text())
    ids = [model.encode(part) for part in (train, val, test)]
    for report, part, tokens in ((found, val, ids[1]), (found["sealed"], test, ids[2])):
        score = model.score(part)
        assert report["bits_per_char"] == pytest.approx(score.bits_per_char, abs=1e-12)
        assert report["accuracy"] == score.accuracy
        assert report["num_chars"] == len(part) - 1
        expected = ngram_bits(model.file.tokenizer, ids[0], tokens)
        assert report["baselines"]["ngram"] == pytest.approx(expected, abs=1e-12)
    assert found["sealed"]["bits_per_char"] == model.file.provenance.test_bits_per_char


def test_for_people_eval_names_both_parts(sealed: Path) -> None:
    shown = burble("eval", sealed / "run", sealed / "text.txt").stdout.decode()
    assert "the held-out part of the training text; protocol stream" in shown
    assert "the sealed end of the training text; protocol stream" in shown
    assert shown.count("n-gram counts") == 2
    assert evaluated(sealed / "run", sealed / "text.txt", "--whole")["sealed"] is None


def test_where_nothing_is_held_out_the_sealed_part_is_scored_alone(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, val_fraction=0.0, test_fraction=0.2)
    assert result.val_bits_per_char is None
    found = evaluated(tmp_path / "run", tmp_path / "text.txt")
    assert found["bits_per_char"] is None
    assert found["protocol"] == "stream"
    assert found["sealed"]["bits_per_char"] == result.test_bits_per_char
    shown = burble("eval", tmp_path / "run", tmp_path / "text.txt").stdout.decode()
    assert "held-out" not in shown
    assert "the sealed end of the training text" in shown


def test_a_run_without_a_sealed_part_reports_none(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, steps=5)
    assert result.test_bits_per_char is None
    assert result.test_nats_per_char is None
    assert ModelFile.load(tmp_path / "run").provenance.test_bits_per_char is None


def test_a_resumed_run_keeps_its_sealed_part_and_scores_its_last_model(tmp_path: Path) -> None:
    first = train_tiny(tmp_path, steps=20, learning_rate=0.02, **SHARES)
    again = resume_tiny(tmp_path, steps=200)
    assert again.test_bits_per_char is not None
    assert first.test_bits_per_char is not None
    assert again.test_bits_per_char < first.test_bits_per_char - 0.1
    assert len(PreparedText.load(tmp_path / "run" / "data").test_ids) > 0
    with pytest.raises(UsageError, match="test_fraction cannot be changed"):
        resume_tiny(tmp_path, test_fraction=0.2)


def test_the_command_line_tells_both_scores_and_what_is_sealed(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    options = ["--steps", "5", "--hidden-size", "8", "--test-fraction", "0.1"]
    result = burble("train", text, "-o", tmp_path / "run", *options)
    said = result.stderr.decode()
    length = len(text.read_text())
    sealed = length - int(0.9 * length)
    assert f"held out, {sealed:,} sealed" in said
    assert "; sealed: " in said
    config = tmp_path / "run" / "run.toml"
    assert "test_fraction = 0.1" in config.read_text()
    found = burble_json("train", "--config", config, "-o", tmp_path / "again")
    model = ModelFile.load(tmp_path / "again")
    assert found["test_bits_per_char"] == model.provenance.test_bits_per_char > 0


def test_shares_that_leave_nothing_to_learn_from_are_one_message(tmp_path: Path) -> None:
    text = write_text(tmp_path)
    asked = ["--val-fraction", "0.5", "--test-fraction", "0.45"]
    result = burble("train", text, *asked, "-o", tmp_path / "run")
    assert_refused(result, 2, "--val-fraction and --test-fraction", "at most 0.9", "0.5 and 0.45")
    short = tmp_path / "short.txt"
    short.write_text(made_up_text(30)[:300])
    result = burble("train", short, "--test-fraction", "0.003", "-o", tmp_path / "run")
    assert_refused(result, 3, "too short to seal 0.003", "300 characters")
    assert not (tmp_path / "run").exists()
