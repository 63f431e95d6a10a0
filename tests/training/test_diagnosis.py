from __future__ import annotations

import itertools
import json
import math
import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from burble import api
from burble.evaluation.evaluate import ngram_bits
from burble.evaluation.overlap import LARGE_SHARE
from burble.model_file import ModelFile
from burble.run_folder.metrics import Metrics, StepMetrics, ValidationMetrics
from burble.run_folder.observer import Observer
from burble.training import recent
from burble.training.diagnosis import TABLE, diagnose
from burble.training.evidence import Evidence, Facts
from tests.training.runs import made_up_text, resume_tiny, tiny_config, train_run, train_tiny

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = "has learned nothing"
DIVERGED = "It diverged"
BEGUN = "hardly begun"
SLOW = "hardly learned"
PERFECT = "predicts every character"
MEMORISED = "has memorised"
WORSE = "has risen"
IMPROVING = "still improving"
COUNTS_WIN = "no longer improves, and n-gram counts"
FOUND_NOTHING = "Nothing was found in this text"
LEVEL = "no longer improves: "
LEARNING = (
    NOTHING, DIVERGED, BEGUN, SLOW, PERFECT, MEMORISED, WORSE, IMPROVING, COUNTS_WIN, LEVEL,
    FOUND_NOTHING,
)  # fmt: skip

RESCUED, WENT_UP = "On its way it diverged", "On its way the held-out figure went up"
NOT_HELD_OUT, FEW, REPEATED = "Nothing was held out", "too few", "word for word"
AHEAD, BEHIND = "do better: ", "N-gram counts need"

FACTS = Facts(steps=2000, held_out=10_000, vocab_size=64)


def history(
    *bits: float, train: tuple[float, ...] = (), steps: int = 2000, setup: float = 0.0
) -> Metrics:
    """Validations that found `bits`, evenly spaced over a hundred seconds behind the set-up, and
    training figures beside them.
    """
    shares = [place / max(len(bits) - 1, 1) for place in range(len(bits))]
    readings = [
        ValidationMetrics(
            step=round(steps * share),
            seconds=setup + 100 * share,
            progress=share,
            val_bits_per_char=figure,
            val_accuracy=0.5,
            best=figure == min(bits[: place + 1]),
        )
        for place, (share, figure) in enumerate(zip(shares, bits, strict=True))
    ]
    trained = [
        StepMetrics(reading.step, reading.seconds, reading.progress, figure, 0.5, 0.01, 1, 1e4, 1)
        for reading, figure in zip(readings, train, strict=False)
    ]
    return Metrics(trained, readings)


def falling(to: float, num: int = 21) -> list[float]:
    """From 6 bits down to `to`, and as good as there from half way on."""
    return [to + (6 - to) * math.exp(-40 * place / num) for place in range(num)]


def learning_verdicts(text: str | None) -> list[str]:
    return [words for words in LEARNING if words in (text or "")]


@pytest.mark.parametrize(
    ("bits", "verdict"),
    [
        ([6.0, 4.0, 3.0, 2.5, 2.0], IMPROVING),
        ([6.0 - 0.2 * place for place in range(21)], IMPROVING),
        # Two readings, where set-up has eaten the others.
        ([6.0, 4.8], IMPROVING),
        # Nothing in the last quarter, nor a tenth of a per cent.
        (falling(2.0), LEVEL),
        ([6.0, 2.0, 2.0, 2.0, 2.0], LEVEL),
        ([6.0, 2.0, 2.0, 2.0, 1.999], LEVEL),
        # A hair worse than its best is no more than noise.
        ([6.0, 2.0, 2.0, 2.0, 2.001], LEVEL),
        # A tenth of a bit worse is not. Of the training figure nothing is known here.
        ([6.0, 3.0, 2.0, 2.05, 2.1], WORSE),
        ([6.0, 5.0, 4.0, 3.0, 2.0, 2.5], WORSE),
        # A low that is passed and found again.
        ([6.0, 2.0, 3.0, 2.5, 2.0], LEVEL),
        ([6.0, 3.0, 1.0, 0.001, 0.0], PERFECT),
        ([0.0, 0.0, 0.0], PERFECT),
        # Worse than a guess among 64 characters.
        ([6.0, 5.0, 7.0, 14.47], DIVERGED),
    ],
)
def test_a_run_gets_the_verdict_that_its_figures_earn(bits: list[float], verdict: str) -> None:
    text = diagnose(history(*bits), FACTS)
    assert learning_verdicts(text) == [verdict]
    assert "ounting" not in (text or "")


@pytest.mark.parametrize("steps", [64, 5, 99])
def test_a_run_of_few_steps_has_hardly_begun_whatever_its_figures(steps: int) -> None:
    for bits in ((6.2, 5.5, 4.8), (6.2, 6.0, 6.0), (6.2, 4.8, 5.2), (3.0, 2.0, 2.0)):
        text = diagnose(history(*bits, steps=steps), replace(FACTS, steps=steps, counts_bits=2.0))
        assert learning_verdicts(text) == [BEGUN]
        assert f"{steps} steps" in (text or "")
    assert BEGUN not in (diagnose(history(6.2, 5.5, 4.8), FACTS) or "")
    far = diagnose(history(6.0, 9.0, 14.47, steps=5), replace(FACTS, steps=5))
    assert learning_verdicts(far) == [BEGUN]


def test_a_time_that_set_up_used_is_named_with_what_to_do() -> None:
    none = diagnose(history(6.0, setup=3.14), replace(FACTS, steps=0, minutes=0.02))
    assert none == (
        "It has learned nothing: reading the text and setting up took 3.1 s, and its time was "
        "1.2 s. Give it a minute or more."
    )
    few = history(6.0, 5.0, steps=9, setup=2.4)
    few = Metrics([], [replace(one, seconds=min(one.seconds, 3.0)) for one in few.validations])
    text = diagnose(few, replace(FACTS, steps=9, minutes=0.05)) or ""
    assert "with 9 steps. Setting up took 2.4 s of its 3.0 s. Give it a minute or more." in text


@pytest.mark.parametrize(
    ("setup", "advice"), [(56.0, "2 minutes"), (80.0, "3 minutes"), (9.0, "a minute")]
)
def test_the_time_to_give_has_room_for_the_set_up(setup: float, advice: str) -> None:
    text = diagnose(history(6.0, setup=setup), replace(FACTS, steps=0, minutes=0.02)) or ""
    assert text.endswith(f"Give it {advice} or more.")


@pytest.mark.parametrize(
    ("minutes", "seconds", "advice"),
    [
        (None, 100, "Give it 1,000 steps or more."),
        # An hour is no short time: the steps are slow.
        (60, 3600, "Use a smaller network, or give it more time."),
        # Steps ended it long before the time did.
        (60, 100, "Give it 1,000 steps or more."),
        (0.5, 30, "Give it a minute or more."),
    ],
)
def test_a_run_that_hardly_began_is_given_more_of_what_ended_it(
    minutes: float | None, seconds: float, advice: str
) -> None:
    shape = history(6.0, 5.0, 4.0, steps=50)
    run = Metrics([], [replace(one, seconds=seconds * one.progress) for one in shape.validations])
    text = diagnose(run, replace(FACTS, steps=50, minutes=minutes)) or ""
    assert text.endswith(f"with 50 steps. {advice}")


def test_held_out_that_rises_while_training_falls_is_memorised() -> None:
    text = diagnose(history(6.0, 3.0, 2.0, 2.5, 3.0, train=(6, 3, 2, 1, 0.5)), FACTS) or ""
    assert learning_verdicts(text) == [MEMORISED]
    for words in ("after 50 s", "from 2.000 to 3.000", "more text", "more dropout", "less time"):
        assert words in text


def test_held_out_that_rises_with_training_is_no_memory() -> None:
    bits = (6.0, 3.0, 2.0, 2.5, 3.0)
    both = diagnose(history(*bits, train=(6, 3, 2, 4, 5)), FACTS) or ""
    assert learning_verdicts(both) == [DIVERGED]
    assert "smaller learning rate" in both
    # The training figure holds its level within the scatter of batches.
    same = diagnose(history(*bits, train=(2, 2, 2, 2.05, 2.1)), FACTS)
    assert learning_verdicts(same) == [WORSE]


def test_a_level_held_out_figure_beside_a_like_training_figure_is_no_memory() -> None:
    # Of 4,000 names made up at random.
    bits, train = (4.5, 2.3, 2.015, 2.02, 2.027), (4.5, 2.3, 2.02, 2.0, 1.969)
    assert learning_verdicts(diagnose(history(*bits, train=train), FACTS)) == [LEVEL]
    risen = diagnose(history(*bits[:-1], 2.06, train=train), FACTS)
    assert learning_verdicts(risen) == [WORSE]
    apart = diagnose(history(*bits[:-1], 2.06, train=(*train[:-1], 1.9)), FACTS)
    assert learning_verdicts(apart) == [MEMORISED]


def test_training_that_explodes_diverged_where_nothing_is_held_out() -> None:
    run = history(6.0, 6.0, 6.0, train=(6, 9, 30))
    blind = Metrics(run.steps, [replace(one, val_bits_per_char=None) for one in run.validations])
    text = diagnose(blind, replace(FACTS, held_out=0)) or ""
    assert learning_verdicts(text) == [DIVERGED]
    assert NOT_HELD_OUT in text


def test_a_rescue_is_a_remark_where_the_run_came_to_something() -> None:
    facts = replace(FACTS, rescues=2)
    nothing = diagnose(history(6.0, 5.9, 5.9), facts) or ""
    assert learning_verdicts(nothing) == [DIVERGED]
    assert "went back 2 times" in nothing
    assert RESCUED not in nothing
    something = diagnose(history(6.0, 3.0, 2.0), facts) or ""
    assert learning_verdicts(something) == [IMPROVING]
    assert f"{RESCUED} 2 times" in something


def test_a_run_that_was_worse_than_guessing_on_its_way_is_told_so() -> None:
    text = diagnose(history(6.2, 8.83, 5.0, 4.8, 4.6), FACTS) or ""
    assert learning_verdicts(text) == [IMPROVING]
    assert f"{WENT_UP} to 8.830 bits, at step 500" in text
    assert "guessing needs 6.000. Use a smaller learning rate" in text
    nothing = diagnose(history(6.2, 8.83, 6.0, 5.9, 5.9), replace(FACTS, counts_bits=2.0))
    assert learning_verdicts(nothing) == [DIVERGED]
    # Within the warm-up a figure may rise.
    early = history(6.2, 8.83, *[4.0] * 200)
    assert early.validations[1].step < 20
    assert WENT_UP not in (diagnose(early, FACTS) or "")


def test_a_run_that_its_patience_ended_is_not_told_to_run_longer() -> None:
    run = history(6.0, 5.0, 4.0, 3.0, 2.5, 2.2, 2.0, 2.005)
    ended = Metrics([], [replace(one, progress=one.progress / 2) for one in run.validations])
    assert learning_verdicts(diagnose(run, FACTS)) == [IMPROVING]
    assert learning_verdicts(diagnose(ended, FACTS)) == [LEVEL]


def test_only_the_last_quarter_of_the_steps_shows_whether_it_was_improving() -> None:
    # The same fall, early and late.
    assert LEVEL in (diagnose(history(6.0, 2.0, *[1.8] * 7), FACTS) or "")
    assert IMPROVING in (diagnose(history(6.0, *[2.0] * 6, 1.9, 1.8), FACTS) or "")


def test_a_run_near_guessing_is_slow_where_there_is_something_to_learn() -> None:
    level = history(6.0, 5.9, 5.9, 5.9, 5.9)
    assert learning_verdicts(diagnose(level, replace(FACTS, counts_bits=2.0))) == [SLOW]
    # Random letters: counting finds nothing in them either.
    assert learning_verdicts(diagnose(level, replace(FACTS, counts_bits=6.0))) == [LEVEL]


def test_a_text_in_which_nothing_can_be_found_is_called_so() -> None:
    random_letters = replace(FACTS, vocab_size=4, counts_bits=2.0)
    for bits in ((2.03, 2.004, 2.001, 2.001), (2.0, 2.0, 2.05, 2.1)):
        text = diagnose(history(*bits, train=(2.0, 2.0, 1.9, 1.8)), random_letters) or ""
        assert learning_verdicts(text) == [FOUND_NOTHING]
        assert "4 characters needs 2.000 bits" in text
        assert "arger network" not in text
        assert AHEAD not in text


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (4.0, "need 4.000 bits, 100% more"),
        (2.5, "25% more"),
        (2.1, "5% more"),
        # A tie is no win.
        *((counts, f"need {counts:.3f} bits, about as many.") for counts in (1.992, 2.0, 2.008)),
    ],
)
def test_counting_that_needs_more_is_told_by_how_much(counts: float, words: str) -> None:
    text = diagnose(history(*falling(2.0)), replace(FACTS, counts_bits=counts)) or ""
    assert learning_verdicts(text) == [LEVEL]
    assert words in text
    assert AHEAD not in text


def test_counting_that_is_ahead_is_told_once_and_fits_the_verdict() -> None:
    facts = replace(FACTS, counts_bits=1.75)
    improving = diagnose(history(6.0, 4.0, 3.0, 2.5, 2.4), facts) or ""
    assert f"So far n-gram counts {AHEAD}1.750 bits" in improving
    level = diagnose(history(*falling(2.0)), facts) or ""
    assert learning_verdicts(level) == [COUNTS_WIN]
    memorised = diagnose(history(6.0, 3.0, 2.0, 2.5, train=(6, 3, 2, 1)), facts) or ""
    assert "N-gram counts" in memorised
    for text in (improving, level, memorised):
        assert text.count("1.750") == 1
        assert "more." not in text


def test_it_is_the_best_validation_that_is_compared() -> None:
    # The last one is worse than counting, the model that was kept is not.
    text = diagnose(history(6.0, 3.0, 2.0, 3.0, 4.0), replace(FACTS, counts_bits=2.5)) or ""
    assert "25% more" in text


@pytest.mark.parametrize("bits", [(6.0, 3.0, 2.0), (6.0, 3.0, 4.0), (6.0, 2.0, 2.0, 2.0)])
def test_a_held_out_part_that_was_learned_judges_nothing(bits: tuple[float, ...]) -> None:
    text = diagnose(history(*bits), replace(FACTS, repeated=0.984, counts_bits=1.0)) or ""
    assert text.startswith("98% of the held-out text")
    assert learning_verdicts(text) == []
    assert "ounting" not in text
    below = diagnose(history(*bits), replace(FACTS, repeated=0.1))
    assert learning_verdicts(below)


def test_the_bound_of_a_diagnosis_is_that_of_an_evaluation() -> None:
    for share, is_large in ((LARGE_SHARE, True), (LARGE_SHARE - 0.001, False)):
        text = diagnose(history(6.0, 3.0, 2.0), replace(FACTS, repeated=share)) or ""
        assert (REPEATED in text) == is_large


def test_few_held_out_characters_are_named_and_not_compared() -> None:
    few = diagnose(history(6.0, 3.0, 2.0), replace(FACTS, held_out=700, counts_bits=1.0)) or ""
    assert learning_verdicts(few) == [IMPROVING]
    assert f"Only 700 characters are held out: {FEW}" in few
    assert "ounting" not in few
    hardly_any = diagnose(history(6.0, 3.0, 4.0), replace(FACTS, held_out=3)) or ""
    assert hardly_any.startswith("Only 3 characters")
    assert learning_verdicts(hardly_any) == []


def test_a_run_whose_log_is_gone_has_no_diagnosis() -> None:
    assert diagnose(Metrics([], []), FACTS) is None


@pytest.mark.parametrize("first", [400, 1800])
def test_of_a_run_whose_log_begins_late_nothing_is_said_that_needs_its_start(first: int) -> None:
    late = [one for one in history(6.0, 3.0, 2.0, 1.9, 1.8).validations if one.step > first]
    text = diagnose(Metrics([], late), replace(FACTS, counts_bits=1.0)) or ""
    assert learning_verdicts(text) == []
    assert text == "The log of its first steps is missing, so how it learned cannot be judged."


# No two of these may be said of one run.
CONTRADICTIONS = [
    *itertools.combinations(LEARNING, 2),
    *itertools.product([NOTHING, DIVERGED, PERFECT], [AHEAD, BEHIND, "N-gram counts"]),
    *itertools.combinations([NOT_HELD_OUT, FEW, REPEATED], 2),
    *itertools.product([NOT_HELD_OUT, REPEATED], [SLOW, MEMORISED, WORSE, IMPROVING, LEVEL]),
    *itertools.product([NOT_HELD_OUT, FEW, REPEATED], [AHEAD, "-gram counts"]),
    *itertools.product([FOUND_NOTHING], [AHEAD, "N-gram counts", "twice the time"]),
    (WENT_UP, DIVERGED),
    ("larger learning rate", "smaller learning rate"),
    ("larger network", "smaller network"),
    ("more time", "less time"),
    ("twice as long", "less time"),
    (AHEAD, "% more"),
    (RESCUED, DIVERGED),
]


def random_run(draw: random.Random) -> tuple[Metrics, Facts]:
    steps = draw.choice([0, 1, 5, 64, 99, 100, 500, 100_000])
    num = draw.choice([1, 2, 3, 21]) if steps else 1
    start = draw.choice([1.0, draw.uniform(0.5, 7)])
    walk = [start]
    for _ in range(num - 1):
        walk.append(max(0.0, walk[-1] * draw.choice([0.5, 0.8, 0.99, 1, 1.01, 1.3])))
    train = tuple(draw.uniform(0, 7) for _ in range(draw.choice([0, 1, num])))
    run = history(*walk, train=train, steps=steps, setup=draw.choice([0.0, 3.0, 50.0]))
    ended = draw.choice([1.0, 1.0, 0.4])
    held_out = draw.choice([0, 3, 500, 10_000])
    missing = draw.choice([0, 0, 0, 1]) if num > 1 else 0
    run = Metrics(
        run.steps,
        [
            replace(
                one,
                progress=one.progress * ended,
                val_bits_per_char=one.val_bits_per_char if held_out else None,
            )
            for one in run.validations[missing:]
        ],
    )
    facts = Facts(
        steps=steps,
        held_out=held_out,
        sealed=draw.choice([0, 0, 500, 10_000]),
        vocab_size=draw.choice([1, 2, 64]),
        repeated=draw.choice([0.0, 0.05, 0.15, 1.0]),
        counts_bits=draw.choice([None, 0.0, 1.0, draw.uniform(0, 6)]),
        # Only time can end a run before its first step.
        minutes=draw.choice([None, 0.02, 1.0, 60.0]) if steps else 0.02,
        rescues=draw.choice([0, 0, 1, 3]),
    )
    return run, facts


def test_no_run_gets_two_sentences_that_contradict_each_other() -> None:
    draw = random.Random(5)  # noqa: S311 - not a secret
    seen = set()
    for _ in range(5_000):
        run, facts = random_run(draw)
        text = diagnose(run, facts)
        assert text
        assert text == " ".join(text.split())
        assert text.endswith(".")
        assert "nan" not in text
        assert "inf " not in text
        for one, other in CONTRADICTIONS:
            assert not (one in text and other in text), text
        seen |= rows_said(text, run, facts)
    # Each row of the table was used.
    assert seen == set(range(len(TABLE)))


def rows_said(text: str, run: Metrics, facts: Facts) -> set[int]:
    """Of each subject the first row that fits, where the text has its words."""
    evidence = Evidence(facts, run)
    first: dict[str, int] = {}
    for number, row in enumerate(TABLE):
        if row.about not in first and row.applies(evidence):
            first[row.about] = number
    return {number for number in first.values() if TABLE[number].describe(evidence) in text}


class Heard(Observer):
    def __init__(self) -> None:
        self.validations: list[ValidationMetrics] = []
        self.steps: list[StepMetrics] = []

    def validated(self, metrics: ValidationMetrics) -> None:
        self.validations.append(metrics)

    def stepped(self, metrics: StepMetrics) -> None:
        self.steps.append(metrics)


def test_the_history_of_a_run_is_what_its_observers_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()
    # A line on every step, not every half second.
    monkeypatch.setattr(recent, "_LOG_SECONDS", 0.0)
    result = train_tiny(tmp_path, [heard], sentences=500, steps=120)
    assert len(heard.steps) > 40
    assert len(heard.validations) == 21
    logged = Metrics(heard.steps, heard.validations)
    assert Metrics.read(tmp_path / "run") == logged
    text = api.load(tmp_path / "run").training_text()
    counts = ngram_bits(text.tokenizer, text.train_ids, text.val_ids)
    facts = Facts(
        120, len(text.val_ids) - 1, text.tokenizer.vocab_size, counts_bits=counts, repeated=0.0
    )
    assert facts.held_out > 1000
    assert result.diagnosis == diagnose(logged, facts)
    assert f"{counts:.3f} bits" in (result.diagnosis or "")


def test_a_run_too_short_for_a_line_each_half_second_has_training_figures(tmp_path: Path) -> None:
    heard = Heard()
    train_tiny(tmp_path, [heard], steps=40)
    trained = {one.step for one in heard.steps}
    assert {one.step for one in heard.validations} - {0} <= trained


def test_five_steps_have_hardly_begun(tmp_path: Path) -> None:
    diagnosis = train_tiny(tmp_path, steps=5).diagnosis or ""
    assert learning_verdicts(diagnosis) == [BEGUN]
    assert "5 steps" in diagnosis
    assert "1,000 steps" in diagnosis


def test_a_budget_that_set_up_used_says_so(tmp_path: Path) -> None:
    diagnosis = train_tiny(tmp_path, steps=None, minutes=0.001).diagnosis or ""
    assert learning_verdicts(diagnosis) == [NOTHING]
    assert "setting up took" in diagnosis
    assert "0.1 s" in diagnosis


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        (2 * made_up_text(500), {}, "100% of the held-out text is in the training part word for "),
        ("the cat sat on the mat.\n", {"seq_len": 4}, "Only 2 characters are held out"),
        # Hardly a bit in all of it from the start.
        ("b" + "a" * 2000, {}, "100% of the held-out text is in the training part"),
    ],
)
def test_a_text_that_can_tell_nothing_says_why(
    tmp_path: Path, content: str, options: dict[str, Any], words: str
) -> None:
    text = tmp_path / "text.txt"
    text.write_text(content)
    result = train_run(tiny_config(text, steps=120, **options), tmp_path / "run")
    assert (result.diagnosis or "").startswith(words)
    assert learning_verdicts(result.diagnosis) == []


def test_a_run_whose_figures_explode_diverged(tmp_path: Path) -> None:
    huge = {"learning_rate": 30.0, "schedule": "constant", "averaging": 0, "warmup_steps": 0}
    result = train_tiny(tmp_path, sentences=500, steps=150, **huge)
    assert learning_verdicts(result.diagnosis) == [DIVERGED]
    assert "smaller learning rate" in (result.diagnosis or "")


def test_lines_after_the_checkpoint_of_a_killed_run_are_no_part_of_its_history(
    tmp_path: Path,
) -> None:
    train_tiny(tmp_path, steps=40)
    before = Metrics.read(tmp_path / "run").measured
    with (tmp_path / "run" / "metrics.jsonl").open("a") as log:
        log.write(json.dumps({"step": 41, "val_bits_per_char": 0.001}) + '\n{"step": 42, "tr')
    result = resume_tiny(tmp_path, steps=120)
    found = Metrics.read(tmp_path / "run").measured
    assert found[: len(before)] == before
    assert found[-1].step == 120
    assert all(one.step < other.step for one, other in itertools.pairwise(found))
    # The steps of both parts count.
    assert BEGUN not in (result.diagnosis or BEGUN)


def test_with_nothing_held_out_the_diagnosis_says_so(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, val_fraction=0, steps=120)
    assert Metrics.read(tmp_path / "run").measured == []
    assert (result.diagnosis or "").startswith(NOT_HELD_OUT)
    assert result.val_bits_per_char is None
    # The last model is kept.
    assert ModelFile.load(tmp_path / "run").provenance.steps == 120


def test_with_a_sealed_part_alone_its_figure_is_named(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, val_fraction=0, test_fraction=0.1, steps=120, sentences=500)
    assert result.test_bits_per_char
    assert (result.diagnosis or "").endswith(
        "Only the sealed figure is for text that it did not learn from."
    )
    few = diagnose(history(6.0, 5.0), replace(FACTS, held_out=0, sealed=700)) or ""
    assert few.startswith(f"Only 700 characters are sealed: {FEW}")


def test_a_resumed_run_whose_log_was_deleted_is_not_called_slow(tmp_path: Path) -> None:
    train_tiny(tmp_path, steps=110, sentences=500)
    (tmp_path / "run" / "metrics.jsonl").unlink()
    diagnosis = resume_tiny(tmp_path, steps=150).diagnosis or ""
    assert learning_verdicts(diagnosis) == []
    assert "log of its first steps" in diagnosis


def test_epochs_over_a_short_text_are_counted_in_steps(tmp_path: Path) -> None:
    result = train_tiny(tmp_path, sentences=20, steps=None, epochs=2)
    assert learning_verdicts(result.diagnosis) == [BEGUN]
    assert f"{result.steps} steps" in (result.diagnosis or "")
