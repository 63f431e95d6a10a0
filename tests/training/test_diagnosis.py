from __future__ import annotations

import itertools
import json
import math
import re
from typing import TYPE_CHECKING

import pytest

from burble import api
from burble.evaluation.evaluate import ngram_bits
from burble.metrics import StepMetrics, ValidationMetrics
from burble.training import trainer
from burble.training.diagnosis import History, diagnose
from burble.training.observer import Observer
from tests.training.runs import resume_tiny, tiny_config, train_tiny

if TYPE_CHECKING:
    from pathlib import Path

BETTER = "still getting better"
BY_HEART = "learned the text by heart"
NO_MORE = "what a network of this size can"


def history(*bits: float) -> History:
    """Validations that found `bits`, evenly spaced over a run of a hundred seconds."""
    last = max(len(bits) - 1, 1)
    return History(
        [
            ValidationMetrics(
                step=place * 10,
                seconds=100 * place / last,
                progress=place / last,
                val_bits_per_char=figure,
                val_accuracy=0.5,
                best=figure == min(bits[: place + 1]),
            )
            for place, figure in enumerate(bits)
        ]
    )


def falling(to: float, num: int = 21) -> list[float]:
    """From 6 bits down to `to`, and as good as there from half way on."""
    return [to + (6 - to) * math.exp(-40 * place / num) for place in range(num)]


@pytest.mark.parametrize("bits", [[], [6.0], [6.0, 2.0]])
@pytest.mark.parametrize("ngram", [None, 2.0])
def test_of_fewer_than_three_validations_nothing_is_said(
    bits: list[float], ngram: float | None
) -> None:
    assert diagnose(history(*bits), ngram) is None
    assert diagnose(history(*bits, 2.0, 1.9, 1.8), ngram) is not None


@pytest.mark.parametrize(
    ("bits", "verdict"),
    [
        # Half a bit in the last quarter.
        ([6.0, 4.0, 3.0, 2.5, 2.0], BETTER),
        ([6.0 - 0.2 * place for place in range(21)], BETTER),
        # Nothing in the last quarter, nor a tenth of a per cent.
        (falling(2.0), NO_MORE),
        ([6.0, 2.0, 2.0, 2.0, 2.0], NO_MORE),
        ([6.0, 2.0, 2.0, 2.0, 1.999], NO_MORE),
        # A hair worse than its best is no more than noise.
        ([6.0, 2.0, 2.0, 2.0, 2.001], NO_MORE),
        # A tenth of a bit worse is not.
        ([6.0, 3.0, 2.0, 2.05, 2.1], BY_HEART),
        ([*falling(2.0), 2.2, 2.4, 2.8], BY_HEART),
        # It was better in the last quarter, and then no more.
        ([6.0, 5.0, 4.0, 3.0, 2.0, 2.5], BY_HEART),
        # A low that is passed and found again.
        ([6.0, 2.0, 3.0, 2.5, 2.0], NO_MORE),
    ],
)
def test_a_run_gets_the_verdict_it_has_earned(bits: list[float], verdict: str) -> None:
    told = diagnose(history(*bits))
    assert told is not None
    assert [words for words in (BETTER, BY_HEART, NO_MORE) if words in told] == [verdict]
    assert told.splitlines() == [told.strip()]
    assert "n-gram" not in told


def test_by_heart_tells_when_it_was_best_and_what_to_do() -> None:
    told = diagnose(history(6.0, 3.0, 2.0, 2.5, 3.0))
    assert told is not None
    assert "after 50 s" in told
    assert "more text" in told
    assert "--dropout" in told


def test_only_the_last_quarter_tells_whether_it_still_gets_better() -> None:
    # The same fall, early and late.
    early, late = [6.0, 2.0, *[1.8] * 7], [6.0, *[2.0] * 6, 1.9, 1.8]
    assert NO_MORE in (diagnose(history(*early)) or "")
    assert BETTER in (diagnose(history(*late)) or "")


@pytest.mark.parametrize(
    ("best", "ngram", "percent"), [(1.0, 2.0, "100%"), (1.6, 2.0, "25%"), (1.9, 1.995, "5%")]
)
def test_an_ngram_model_that_is_beaten_needs_so_much_more(
    best: float, ngram: float, percent: str
) -> None:
    told = diagnose(history(*falling(best)), ngram)
    assert told is not None
    assert NO_MORE in told
    assert f"{ngram:.3f} bits" in told
    assert "only" not in told
    assert re.findall(r"(\d+%) more", told) == [percent]


def test_an_ngram_model_that_wins_is_told_with_the_reason() -> None:
    told = diagnose(history(6.0, 4.0, 3.0, 2.5, 2.4), 1.75)
    assert told is not None
    assert BETTER in told
    assert "only 1.750 bits" in told
    assert "too short, or the network too small" in told
    assert "more." not in told


def test_it_is_the_best_validation_that_is_compared() -> None:
    # The last one is worse than the n-gram model, the model that was kept is not.
    told = diagnose(history(6.0, 3.0, 2.0, 3.0, 4.0), 2.5)
    assert told is not None
    assert BY_HEART in told
    assert "only" not in told


class Told(Observer):
    def __init__(self) -> None:
        self.validations: list[ValidationMetrics] = []
        self.steps: list[StepMetrics] = []

    def validated(self, metrics: ValidationMetrics) -> None:
        self.validations.append(metrics)

    def stepped(self, metrics: StepMetrics) -> None:
        self.steps.append(metrics)


def test_the_history_of_a_run_is_what_its_observers_were_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Told()
    # A line on every step, not every half second.
    monkeypatch.setattr(trainer, "_LOG_SECONDS", 0.0)
    result = train_tiny(tmp_path, [told], steps=60)
    assert len(told.steps) > 40
    assert len(told.validations) == 21
    assert History.read(tmp_path / "run") == History(told.validations)
    text = api.load(tmp_path / "run").training_text()
    ngram = ngram_bits(text.tokenizer, text.train_ids, text.val_ids)
    assert result.diagnosis == diagnose(History(told.validations), ngram)
    assert f"{ngram:.3f} bits" in (result.diagnosis or "")


def test_lines_after_the_checkpoint_of_a_killed_run_are_no_part_of_its_history(
    tmp_path: Path,
) -> None:
    train_tiny(tmp_path, steps=40)
    before = History.read(tmp_path / "run")
    with (tmp_path / "run" / "metrics.jsonl").open("a") as log:
        log.write(json.dumps({"step": 41, "val_bits_per_char": 0.001}) + '\n{"step": 42, "tr')
    result = resume_tiny(tmp_path, steps=80)
    found = History.read(tmp_path / "run").validations
    assert found[: len(before.validations)] == before.validations
    assert found[-1].step == 80
    assert all(one.step < other.step for one, other in itertools.pairwise(found))
    assert result.diagnosis is not None


def test_with_nothing_held_out_there_is_no_diagnosis(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, val_fraction=0, steps=20)
    assert History.read(tmp_path / "run").validations == []
    assert diagnose(History.read(tmp_path / "run"), 2.0) is None
    assert result.diagnosis is None


def test_a_run_of_a_step_or_two_has_no_diagnosis(tmp_path: Path) -> None:
    assert train_tiny(tmp_path, steps=1).diagnosis is None


def test_a_text_that_has_nothing_to_learn_is_no_mistake(tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("a" * 2000)
    # Zero bits per character from the start: nothing to divide by.
    result = api.run_training(tiny_config(text, steps=20), tmp_path / "run")
    assert result.val_bits_per_char == 0
