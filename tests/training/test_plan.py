"""The plan's promises, whatever the constants of its rule are."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest

from burble.capacity import operations
from burble.cells import CellKind
from burble.config import RunConfig
from burble.data.prepared import PreparedText
from burble.data.registry import BATCHINGS
from burble.run_hooks import open_run
from burble.run_toml import from_toml, to_toml
from burble.training.learner import Throughput
from burble.training.plan import Plan, Steps, make_plan
from burble.training.request import PLANNED, RunRequest
from tests.training.runs import TINY, saved_state, train_tiny, write_text

if TYPE_CHECKING:
    from pathlib import Path


VOCAB = 90

# A slow machine and a fast one, in operations a second.
RATES = [1e9, 1e10, 1e11, 1e12, 1e14]
SECONDS = [10, 30, 60, 180, 600, 3600]
SIZES = [10_000, 100_000, 1_000_000, 10_000_000, 100_000_000]

GIVEN: dict[str, Any] = {
    "hidden_size": 100,
    "dropout": 0.17,
    "input_dropout": 0.03,
    "weight_decay": 0.5,
}


def plan(num_ids: int = 1_000_000, rate: float = 1e11, **options: Any) -> Plan:
    """The plan where just `options` were given."""
    request = RunRequest(options)
    config = request.resolve()
    read = config.data.batch_size * config.data.seq_len
    steps = Steps(read, read, max(1, num_ids // read))
    speed = Throughput({512: rate}, overhead=4.0)
    return make_plan(config, request.left_to_plan, steps, VOCAB, speed)


def units(planned: Plan) -> int:
    return planned.config.network.hidden_size


def rises(values: list[float]) -> bool:
    return all(one <= other for one, other in itertools.pairwise(values)) and values[0] < values[-1]


@pytest.mark.parametrize("knob", sorted(PLANNED))
@pytest.mark.parametrize("seconds", [10, 3600])
def test_a_given_knob_stays_and_the_others_are_planned_as_ever(knob: str, seconds: int) -> None:
    options = {"minutes": seconds / 60, "sources": ["x"], "learning_rate": 0.001, "seq_len": 20}
    planned = plan(20_000, **options, **{knob: GIVEN[knob]}).config
    assert planned == planned.with_options({**options, knob: GIVEN[knob]})
    if knob != "hidden_size":
        free = plan(20_000, **options).config
        assert free != planned
        assert planned == free.with_options({knob: GIVEN[knob]})


def test_with_all_knobs_given_nothing_changes() -> None:
    options = {**GIVEN, "minutes": 7.0}
    assert plan(**options).config == RunConfig().with_options(options)


def test_what_is_no_planned_knob_is_never_touched() -> None:
    free = plan(minutes=10.0)
    changed = {name: getattr(free.config.training, name) for name in PLANNED - {"hidden_size"}}
    changed["hidden_size"] = units(free)
    assert free.config == RunConfig().with_options({"minutes": 10.0, **changed})


def test_more_time_and_a_faster_machine_give_as_many_units_or_more() -> None:
    for rate in RATES:
        found = [units(plan(rate=rate, minutes=seconds / 60)) for seconds in SECONDS]
        assert found == sorted(found)
    assert rises([units(plan(minutes=seconds / 60)) for seconds in SECONDS])
    for seconds in SECONDS:
        assert rises([units(plan(rate=rate, minutes=seconds / 60)) for rate in RATES])


def test_no_budget_is_planned_like_a_minute() -> None:
    without, minute = plan(), plan(minutes=1.0)
    assert without.expected_chars == minute.expected_chars
    assert without.config.with_options({"minutes": 1.0}) == minute.config


def test_units_are_multiples_of_64_and_have_bounds_on_both_sides() -> None:
    found = [
        units(plan(rate=rate, minutes=seconds / 60))
        for rate, seconds in itertools.product(RATES, SECONDS)
    ]
    assert all(number % 64 == 0 for number in found)
    least, less = (units(plan(rate=rate, minutes=0.1)) for rate in (1e-3, 1e3))
    most, more = (units(plan(rate=rate, minutes=1e4)) for rate in (1e30, 1e40))
    assert 64 <= least == less <= min(found)
    assert max(found) <= most == more < 10_000


def test_more_passes_through_the_text_never_give_less_dropout() -> None:
    epochs = [0.01, 0.5, 1, 2, 4, 4.5, 8, 20, 60, 500, 1e5]
    for knob in ("dropout", "input_dropout", "weight_decay"):
        assert rises(
            [getattr(plan(epochs=float(times)).config.training, knob) for times in epochs]
        ), knob


def test_a_smaller_text_never_gives_less_dropout() -> None:
    found = [plan(size, minutes=5.0) for size in SIZES]
    assert rises([planned.epochs for planned in reversed(found)])
    assert rises([planned.config.training.dropout for planned in reversed(found)])
    # How large a network can be is a matter of time, not of the text.
    assert len({units(planned) for planned in found}) == 1


@pytest.mark.parametrize("num_ids", [600, *SIZES])
@pytest.mark.parametrize("cell", get_args(CellKind))
def test_every_text_and_budget_gives_a_run_that_is_valid(num_ids: int, cell: CellKind) -> None:
    for rate, seconds in itertools.product(RATES, SECONDS):
        planned = plan(num_ids, rate, minutes=seconds / 60, cell=cell)
        # Reading it anew checks every range.
        assert from_toml(to_toml(planned.config), "") == planned.config
        assert planned.expected_chars > 0
        assert math.isfinite(planned.epochs)
        # An epoch is whole steps: of a text that short, one of 512.
        assert planned.epochs == pytest.approx(planned.expected_chars / num_ids, rel=0.2)


def test_what_is_expected_follows_from_rate_and_time() -> None:
    fixed = {"hidden_size": 256, "cell": "gru"}
    planned = plan(rate=1e11, minutes=2.0, **fixed)
    work = operations(planned.config.network, VOCAB)
    assert planned.expected_chars == pytest.approx(116 * 1e11 / work, rel=1e-6)


def test_a_budget_of_steps_is_counted_not_timed() -> None:
    planned = [plan(rate=rate, steps=1000, seq_len=50, batch_size=8) for rate in RATES]
    assert {found.expected_chars for found in planned} == {1000 * 50 * 8}
    assert {found.epochs for found in planned} == {1000 * 50 * 8 / 1_000_000}
    # With no time to fill, the network stays what it is.
    assert {units(found) for found in planned} == {RunConfig().network.hidden_size}


def test_a_budget_of_epochs_is_that_often_through_the_text() -> None:
    for rate in RATES:
        planned = plan(rate=rate, epochs=2.5)
        assert planned.epochs == pytest.approx(2.5, rel=0.01)
        assert planned.expected_chars == pytest.approx(2_500_000, rel=0.01)


def test_whichever_budget_ends_first_counts() -> None:
    steps = plan(steps=10, minutes=60.0, hidden_size=256)
    minutes = plan(steps=10**9, minutes=1.0, hidden_size=256)
    assert steps.expected_chars == plan(steps=10).expected_chars
    assert minutes.expected_chars == plan(minutes=1.0, hidden_size=256).expected_chars


@pytest.mark.parametrize(
    "options",
    [
        {"batching": "stream"},
        {"batching": "stream", "steps": None, "epochs": 1.5},
        # A text that is short has fewer rows than were asked for.
        {"batching": "stream", "sentences": 8, "batch_size": 64},
        # Each step reads whole windows, and asks for one character after each.
        {"batching": "windows", "steps": 4, "sentences": 20},
    ],
    ids=["steps", "epochs", "short", "windows"],
)
def test_what_is_expected_of_counted_steps_is_what_the_run_reads(
    tmp_path: Path, options: dict[str, Any]
) -> None:
    result = train_tiny(tmp_path, **{"steps": 60, **options})
    config = from_toml((tmp_path / "run" / "run.toml").read_text(), "")
    text = PreparedText.load(tmp_path / "run" / "data")
    batching = BATCHINGS[config.data.batching](text, config.data, 0)
    steps = Steps.of(batching, config.data.seq_len)
    expected = make_plan(config, PLANNED, steps, VOCAB, Throughput({512: 1e11}, 4.0)).expected_chars
    assert expected == pytest.approx(result.chars_seen, rel=0.03)


def test_the_line_is_one_line_and_names_what_matters() -> None:
    planned = plan(num_layers=2, cell="gru", batch_size=24, seq_len=50, minutes=3.0)
    line = planned.line()
    assert line.splitlines() == [line]
    for part in (
        f"gru 2×{units(planned)}",
        "24×50",
        "learning rate 0.006",
        f"dropout {planned.config.training.dropout:g}",
        "characters",
        "times through the text",
    ):
        assert part in line
    number = line.split("about ")[1].split(" characters")[0]
    assert int(number.replace(",", "")) == pytest.approx(planned.expected_chars, rel=0.05)


def test_the_line_has_numbers_as_people_write_them() -> None:
    for num_ids, rate in itertools.product(SIZES, RATES):
        planned = plan(num_ids, rate, minutes=10.0)
        times = planned.line().split(": ")[-1].split(" times")[0]
        assert "e" not in times, planned.line()
        if planned.epochs > 0.01:
            assert float(times.replace(",", "")) == pytest.approx(planned.epochs, rel=0.06)


def test_what_is_asked_of_a_run_is_resolved_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved: list[RunConfig] = []
    resolve = RunRequest.resolve
    monkeypatch.setattr(
        RunRequest, "resolve", lambda asked: resolved.append(resolve(asked)) or resolved[-1]
    )
    options = {**TINY, "sources": [str(write_text(tmp_path))], "steps": 2, "dropout": 0.3}
    open_run(tmp_path / "run").train(RunRequest(options))
    assert len(resolved) == 1


def test_a_run_is_the_same_with_and_without_a_plan_before_it(tmp_path: Path) -> None:
    knobs = {"hidden_size": 24, "dropout": 0.3, "input_dropout": 0.1, "weight_decay": 0.02}
    assert knobs.keys() == PLANNED
    options = {**TINY, "sources": [str(write_text(tmp_path))], "steps": 30, "seed": 3, **knobs}
    requests = {"plain": RunRequest(base=RunConfig().with_options(options))}
    requests["planned"] = RunRequest(options)
    for name, request in requests.items():
        open_run(tmp_path / name).train(request)
    one, other = (saved_state(tmp_path / name) for name in ("plain", "planned"))
    assert one.position.best_bits == other.position.best_bits
    assert one.tensors.keys() == other.tensors.keys()
    for name, tensor in one.tensors.items():
        np.testing.assert_array_equal(tensor, other.tensors[name], name)
