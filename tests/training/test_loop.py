from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING

import pytest

from burble import api
from burble.config import DataConfig
from burble.data.prepared import PreparedText
from burble.data.scan import scan
from burble.data.stream import StreamBatching
from burble.errors import ResourceError, TextError
from burble.model_file import ModelFile
from burble.run_folder.observer import Observer
from burble.run_hooks import open_run
from burble.run_toml import from_toml
from burble.training import checkpoint, validation
from tests.disk import disk_of
from tests.training.runs import (
    made_up_text,
    resume_tiny,
    tiny_config,
    train_run,
    train_tiny,
    write_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from burble.run_folder.metrics import ValidationMetrics


class Validations(Observer):
    def __init__(self) -> None:
        self.seen: list[ValidationMetrics] = []

    def validated(self, metrics: ValidationMetrics) -> None:
        self.seen.append(metrics)


def bits(validations: Validations) -> list[float]:
    return [metrics.val_bits_per_char or 0.0 for metrics in validations.seen]


@pytest.mark.parametrize(
    ("cell", "batching"), [("lstm", "stream"), ("gru", "windows"), ("rnn", "sentences")]
)
def test_every_kind_of_cell_learns_by_every_way_of_batching(
    tmp_path: Path, cell: str, batching: str
) -> None:
    validations = Validations()
    options = {"cell": cell, "batching": batching, "steps": 150, "learning_rate": 0.02}
    train_tiny(tmp_path, [validations], **options)
    assert bits(validations)[-1] < bits(validations)[0] - 1


def test_the_best_model_is_kept(tmp_path: Path) -> None:
    validations = Validations()
    # Two hundred characters and no dropout: it soon learns them by heart.
    result = train_tiny(
        tmp_path, [validations], sentences=8, steps=300, dropout=0.0, learning_rate=0.03
    )
    best = min(bits(validations))
    assert best < bits(validations)[-1]
    assert result.val_bits_per_char == best
    assert ModelFile.load(tmp_path / "run").provenance.val_bits_per_char == best


def test_patience_ends_a_run_that_no_longer_gets_better(tmp_path: Path) -> None:
    validations = Validations()
    options = {"steps": 3000, "dropout": 0.0, "learning_rate": 0.03, "patience": 2}
    result = train_tiny(tmp_path, [validations], sentences=8, **options)
    assert result.steps < 3000
    assert not any(metrics.best for metrics in validations.seen[-2:])


def test_the_figure_of_the_run_is_that_of_one_pass_over_the_held_out_text(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, steps=300, sentences=2000)
    model = api.load(tmp_path / "run")
    val_ids = PreparedText.load(tmp_path / "run" / "data").val_ids
    from burble.engine.scoring import score_batches

    exact = score_batches(model.engine, model.file.tokenizer, scan(val_ids))
    assert result.val_bits_per_char == pytest.approx(exact.bits_per_char, abs=0.002)


def test_bytes_are_measured_by_the_character(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text(made_up_text(100).replace("a", "ä").replace("o", "😀"), encoding="utf-8")
    config = tiny_config(text, tokenizer="byte", steps=1)
    validations = Validations()
    train_run(config, tmp_path / "run", [validations])
    facts = PreparedText.load(tmp_path / "run" / "data").facts
    share = facts.num_ids / facts.num_characters
    # Untrained, it wavers between all 256 bytes.
    assert bits(validations)[0] == pytest.approx(8 * share, rel=0.05)


def test_the_run_folder_holds_what_the_design_says(tmp_path: Path) -> None:
    train_tiny(tmp_path)
    names = {path.name for path in (tmp_path / "run").iterdir()}
    files = {"model.safetensors", "run.toml", "metrics.jsonl", "samples.txt"}
    assert names == files | {"last", "data"}
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert "--- step 80 ---" in (tmp_path / "run" / "samples.txt").read_text()


def test_run_toml_repeats_the_run_and_another_seed_does_not(tmp_path: Path) -> None:
    first = train_tiny(tmp_path).val_bits_per_char
    config = from_toml((tmp_path / "run" / "run.toml").read_text(), "run.toml")
    assert config.network.hidden_size == 24
    assert train_run(config, tmp_path / "again").val_bits_per_char == first
    other = config.with_options({"seed": 1})
    assert train_run(other, tmp_path / "other").val_bits_per_char != first


def test_a_minute_is_a_minute_set_up_and_validation_included(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, steps=None, minutes=0.05)
    assert result.seconds < 3 * 1.05 + 2
    assert result.steps > 0


def test_a_text_that_cannot_be_read_leaves_the_old_run_and_no_new_folder(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=5)
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"caf\xe9 " * 100)
    with pytest.raises(TextError, match="offset 3"):
        train_run(tiny_config(bad), tmp_path / "run", overwrite=True)
    ModelFile.load(tmp_path / "run")
    with pytest.raises(TextError):
        train_run(tiny_config(bad), tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disk_of("400k", tmp_path / "disk") as disk:
        yield disk


def test_a_full_disk_is_one_message_and_the_old_model_stays(
    tmp_path: Path, small_disk: Path
) -> None:
    config = tiny_config(write_text(tmp_path), steps=20)
    result = train_run(config, small_disk / "run")
    with (small_disk / "filler").open("wb", buffering=0) as filler:
        try:
            for _ in itertools.count():
                filler.write(bytes(4096))
        except OSError:
            pass
    before = (small_disk / "run" / "model.safetensors").read_bytes()
    with pytest.raises(ResourceError, match="disk is full") as told:
        open_run(small_disk / "run").resume({"steps": 4000})
    assert told.value.exit_code == 6
    assert (small_disk / "run" / "model.safetensors").read_bytes() == before
    (small_disk / "filler").unlink()
    assert open_run(small_disk / "run").resume({"steps": 60}).steps == 60
    assert result.steps == 20


def test_a_timed_run_validates_on_what_it_can_afford_and_always_on_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 90,000 characters held out, and no time for them: enough for a figure are read all the same.
    monkeypatch.setattr(validation, "_ONE_SHARE", 0.0)
    train_tiny(tmp_path, sentences=5000, val_fraction=0.5, steps=None, minutes=0.05)
    last = tmp_path / "run" / "last"
    batches = checkpoint.read_manifest(last).position.validation_batches
    text = PreparedText.load(tmp_path / "run" / "data")
    every = list(StreamBatching(text, DataConfig(), 0).validation())
    assert batches is not None
    assert sum(batch.num_targets for batch in every[:batches]) >= 20_000
    assert batches < len(every)
    resume_tiny(tmp_path, minutes=0.08)
    assert checkpoint.read_manifest(last).position.validation_batches == batches


def test_a_counted_run_validates_on_all(tmp_path: Path) -> None:
    train_tiny(tmp_path, sentences=5000, val_fraction=0.5, steps=2)
    text = PreparedText.load(tmp_path / "run" / "data")
    every = list(StreamBatching(text, DataConfig(), 0).validation())
    position = checkpoint.read_manifest(tmp_path / "run" / "last").position
    assert position.validation_batches == len(every)
